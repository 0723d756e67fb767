"""The files of the embedded archive: what they are called, and which of them count.

Owns the name as a batch's identity: `<table>/day=YYYY-MM-DD/seg-<first>-<last>.parquet` holds what
the rows numbered first to last have of that day. Whoever writes a batch again writes the same file.
A file whose numbers lie inside those of a larger one is superseded: merging takes effect in the
instant in which the larger file gets its name. So is one of which there is a later edition,
`seg-<first>-<last>-<edition>.parquet`, from which rows were erased: a file never changes under its
readers, who would take what they see of both for one.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.archive import Span

EMPTY_DAY = date(1970, 1, 1)
_DAY = re.compile(r"day=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_NAME = re.compile(r"seg-([0-9]{20})-([0-9]{20})(?:-([0-9]{6}))?\.parquet")


class Segment(NamedTuple):
    """One file; the order is that of the rows' numbers within a day."""

    day: date
    first: int
    last: int
    edition: int
    path: Path

    @property
    def place(self) -> tuple[date, int, int]:
        """What all editions of a file have in common."""
        return self.day, self.first, self.last

    def lies_inside(self, other: "Segment") -> bool:
        """Whether the other file holds everything of this one that is not erased."""
        if (self.first, self.last) == (other.first, other.last):
            return self.edition < other.edition
        return other.first <= self.first and self.last <= other.last

    def next_edition(self) -> Path:
        """Where the same rows lie when some of them are erased."""
        return self.path.with_name(f"{_stem(self.first, self.last)}-{self.edition + 1:06d}.parquet")


class Listing(NamedTuple):
    """The files of a table: those that count, and those that others replaced."""

    live: list[Segment]
    superseded: list[Segment]

    @property
    def files(self) -> list[str]:
        """The paths of those that count."""
        return [str(segment.path) for segment in self.live]


def segment_path(folder: Path, *, day: date, first: int, last: int) -> Path:
    """Where the rows of a batch that belong to a day lie."""
    return folder / f"day={day.isoformat()}" / f"{_stem(first, last)}.parquet"


def _stem(first: int, last: int) -> str:
    return f"seg-{first:020d}-{last:020d}"


def empty_path(root: Path, table: ArchiveTable) -> Path:
    """A file without rows, so that a table with nothing in it still has columns."""
    return segment_path(root / table, day=EMPTY_DAY, first=0, last=0)


def listing(
    root: Path,
    table: ArchiveTable,
    span: Span | None = None,
    *,
    days: Collection[date] | None = None,
) -> Listing:
    """The files of a table, or those of certain days, or of the days that a span touches."""
    if days is None:
        days = [day for day in _days(root / table) if span is None or _touches(day, span)]
    live: list[Segment] = []
    superseded: list[Segment] = []
    for day in sorted(days):
        for segment, is_live in _judged(_segments(root / table, day)):
            (live if is_live else superseded).append(segment)
    return Listing(live, superseded)


def last_numbers(root: Path) -> dict[ArchiveTable, int]:
    """The largest number that a row of each table has, of those tables that there are."""
    tables = [table for table in ArchiveTable if (root / table).is_dir()]
    return {table: _last_number(listing(root, table)) for table in tables}


def _last_number(found: Listing) -> int:
    return max((segment.last for segment in (*found.live, *found.superseded)), default=0)


def by_day(segments: Iterable[Segment]) -> Iterator[tuple[date, list[Segment]]]:
    """The files of each day, from the first day on."""
    for day, some in groupby(segments, key=lambda segment: segment.day):
        yield day, list(some)


def _days(folder: Path) -> list[date]:
    with os.scandir(folder) as entries:
        matches = [_DAY.fullmatch(entry.name) for entry in entries]
    return [date.fromisoformat(match[1]) for match in matches if match]


def _touches(day: date, span: Span) -> bool:
    last = span.until.astimezone(UTC) - timedelta(microseconds=1)
    return day == EMPTY_DAY or span.since.astimezone(UTC).date() <= day <= last.date()


def _segments(folder: Path, day: date) -> list[Segment]:
    place = folder / f"day={day.isoformat()}"
    matches = [match for name in _names_in(place) if (match := _NAME.fullmatch(name))]
    return [Segment(day, int(m[1]), int(m[2]), int(m[3] or 0), place / m[0]) for m in matches]


def _names_in(place: Path) -> set[str]:
    """What lies in a folder, seen the same twice.

    One look may miss a file that came while it lasted, and the one that went for it.
    """
    seen: set[str] | None = None
    while (now := {path.name for path in place.iterdir()}) != seen:
        seen = now
    return now


def _judged(segments: Iterable[Segment]) -> Iterator[tuple[Segment, bool]]:
    """Each file with whether it counts: by their first number, the larger or later of two first."""
    widest: Segment | None = None
    for segment in sorted(segments, key=lambda one: (one.first, -one.last, -one.edition)):
        is_live = widest is None or not segment.lies_inside(widest)
        if is_live:
            widest = segment
        yield segment, is_live


def day_of(moment: date | datetime) -> date:
    """The day a row belongs to."""
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
