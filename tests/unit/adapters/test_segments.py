"""Which files of the embedded archive count."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engarde_daemon.adapters.archive.segments import EMPTY_DAY, listing, segment_path
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.archive import Span

TABLE = ArchiveTable.SNAPSHOTS
DAY = date(2026, 3, 14)


def put(root: Path, first: int, last: int, day: date = DAY) -> Path:
    """An empty file with the name of a segment."""
    path = segment_path(root / TABLE, day=day, first=first, last=last)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def numbers(root: Path) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The files that count, and those that do not."""
    found = listing(root, TABLE)
    return (
        [(one.first, one.last) for one in found.live],
        [(one.first, one.last) for one in found.superseded],
    )


def test_a_file_inside_a_larger_one_does_not_count(tmp_path: Path):
    """Wherever in it, also where both begin or end together."""
    for first, last in [(1, 9), (1, 3), (4, 4), (7, 9), (10, 12), (12, 12)]:
        put(tmp_path, first, last)

    assert numbers(tmp_path) == ([(1, 9), (10, 12)], [(1, 3), (4, 4), (7, 9), (12, 12)])


def test_of_the_editions_of_a_file_the_last_counts(tmp_path: Path):
    """And the larger file still counts before all editions of those inside it."""
    path = put(tmp_path, 1, 9)
    for _ in range(10):
        listing(tmp_path, TABLE).live[0].next_edition().touch()
    put(tmp_path, 4, 6)
    listing(tmp_path, TABLE).superseded[-1].next_edition().touch()

    found = listing(tmp_path, TABLE)

    assert [(one.last, one.edition) for one in found.live] == [(9, 10)]
    assert sorted((one.last, one.edition) for one in found.superseded) == [
        (6, 0),
        (6, 1),
        *((9, edition) for edition in range(10)),
    ]
    assert found.superseded[9].path == path


def test_a_file_of_another_day_replaces_nothing(tmp_path: Path):
    """A batch may touch two days; each has a file with the same numbers."""
    put(tmp_path, 1, 9)
    put(tmp_path, 1, 9, date(2026, 3, 15))
    put(tmp_path, 2, 3, date(2026, 3, 15))

    assert numbers(tmp_path) == ([(1, 9), (1, 9)], [(2, 3)])


def test_what_has_no_name_yet_is_no_file(tmp_path: Path):
    """Nor is what somebody else left there."""
    path = put(tmp_path, 1, 1)
    path.with_name(f"{path.name}.unfinished-7").touch()
    path.with_name("notes.txt").touch()
    for name in ("day=2026-03-14 (copy)", "day=", "notes"):
        (tmp_path / TABLE / name).mkdir()

    assert numbers(tmp_path) == ([(1, 1)], [])


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (datetime(2026, 3, 14, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC), [14]),
        (datetime(2026, 3, 14, 23, tzinfo=UTC), datetime(2026, 3, 15, 0, 1, tzinfo=UTC), [14, 15]),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC), []),
    ],
)
def test_only_days_of_the_span_are_listed(
    tmp_path: Path, since: datetime, until: datetime, days: list[int]
):
    """Its end does not belong to it; the file that has but columns always does."""
    put(tmp_path, 0, 0, EMPTY_DAY)
    for day in (13, 14, 15):
        put(tmp_path, day, day, date(2026, 3, day))

    live = listing(tmp_path, TABLE, Span(since, until)).live

    assert [one.day for one in live] == [EMPTY_DAY, *(date(2026, 3, day) for day in days)]
