"""What a report says: each difference by name, and the first of many."""

import msgspec
import pytest

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing, record_of
from engarde_daemon.domain.recovery import (
    DIFFERENCES_TOLD_MAX,
    DifferenceKind,
    Report,
    differing,
    fault_of,
)
from tests.unit.domain.test_records import item

RIGHT = record_of(item(), "A body")
CHANGED = msgspec.structs.replace(RIGHT, content_body="Another body")
KEY = RecordKey.of(item())


@pytest.mark.parametrize(
    ("rows", "unreadable", "fault"),
    [
        ([RIGHT], 0, None),
        ([RIGHT, RIGHT], 0, None),
        ([], 0, DifferenceKind.MISSING),
        ([CHANGED], 0, DifferenceKind.CHANGED),
        ([], 1, DifferenceKind.CHANGED),
        ([RIGHT, CHANGED], 0, DifferenceKind.DUPLICATE),
        ([RIGHT], 1, DifferenceKind.DUPLICATE),
    ],
)
def test_what_stands_under_an_id_is_judged(
    rows: list[ContentRecord], unreadable: int, fault: DifferenceKind | None
):
    """Only the right row, as often as it likes, is no fault."""
    assert fault_of(Standing(rows, unreadable), KEY) is fault


def test_reports_add_up():
    """Page by page, for each store."""
    first = Report(versions=2, waiting=1, counts={"zerodb": 2})
    second = Report(versions=3, restored=1, counts={"zerodb": 2, "archive": 3})

    both = first.plus(second)

    assert (both.versions, both.waiting, both.restored) == (5, 1, 1)
    assert both.counts == {"archive": 3, "zerodb": 4}


def test_of_many_differences_the_first_are_told_and_all_are_counted():
    """A report stays small whatever was lost."""
    keys = [
        RecordKey("t", f"content-{number}", 1, sha256_of(""))
        for number in range(DIFFERENCES_TOLD_MAX + 2)
    ]
    report = Report().plus(differing("zerodb", dict.fromkeys(keys, DifferenceKind.MISSING)))

    assert report.differences_total == DIFFERENCES_TOLD_MAX + 2
    assert len(report.differences) == DIFFERENCES_TOLD_MAX
    assert report.differences[0].content_id == "content-0"
