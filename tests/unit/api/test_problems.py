"""What callers are told of an error, and what only the log is."""

import msgspec
import pytest
from structlog.testing import capture_logs

from engarde_daemon.api.problems import problem_of
from engarde_daemon.domain.errors import ArchiveUnavailable, Denied, EngardeError, Unavailable

INSIDE = "acme-prod.content_store in /var/lib/engarde/archive"


@pytest.mark.parametrize("error", [ArchiveUnavailable(INSIDE), Denied(INSIDE)])
def test_where_a_store_is_kept_is_not_told_to_callers(error: EngardeError):
    """Neither a folder nor a project; the log has it."""
    with capture_logs() as log:
        answer = problem_of(error).response()

    assert answer.status_code == 503
    assert INSIDE not in answer.content.decode()
    assert [line["reason"] for line in log] == [INSIDE]


def test_other_errors_are_told_as_they_are():
    """And nothing is logged for them here."""
    with capture_logs() as log:
        answer = problem_of(Unavailable("Try again.")).response()

    assert msgspec.json.decode(answer.content)["detail"] == "Try again."
    assert log == []
