"""What of the log is kept for those who look from elsewhere."""

import io

import pytest

from engarde_daemon.logs import Output, redact
from engarde_daemon.protocol import LogLevel

KEY = "eg_abcdefghijkl_c2VjcmV0"
AT = "2027-03-01T09:30:00.000000Z"


@pytest.fixture
def output() -> Output:
    """A log that nobody reads."""
    return Output(io.BytesIO(), "", level="info")


def logged(output: Output, event: str, **fields: object) -> dict[str, str]:
    """What is kept of a line."""
    line = {"event": event, "level": "warning", "timestamp": AT, **fields}
    output.keep(None, "warning", redact(None, "warning", line))
    kept = output.recent.newest(1, least=LogLevel.DEBUG, word="").data
    return {"event": kept[0].event, **kept[0].fields} if kept else {}


def test_secrets_are_blotted_out_wherever_they_stand(output: Output):
    """Also in what is no text, which the log renders for itself."""
    kept = logged(output, f"with {KEY}", api_key="x", header=f"key {KEY}", nested={"header": KEY})

    assert KEY not in str(kept)
    assert kept["api_key"] == "[redacted]"


def test_requests_are_left_to_the_log_itself(output: Output):
    """Within seconds nothing else would be kept."""
    assert logged(output, "request", status=200) == {}


def test_the_line_itself_stays_as_it_was(output: Output):
    """Keeping it changes nothing of what is written."""
    line = {"event": "ready", "level": "info", "timestamp": AT, "port": 8700}

    assert output.keep(None, "info", dict(line)) == line
