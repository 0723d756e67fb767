"""Files that take the place of others: many small ones merged, and erased rows left out.

Owns three invariants. One process at a time rewrites, so that nothing erased comes back by a merge
that began before. What is merged lies side by side, so that the numbers of the merged file span
those of its parts and of nothing else. And no merge takes more than the engine's memory: DuckDB
2.0.0 cannot sort long texts on the disk.
"""

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from engarde_daemon.adapters.archive.engine import SQL
from engarde_daemon.adapters.archive.segments import Listing, Segment, by_day, listing, segment_path
from engarde_daemon.adapters.archive.walking import open_reading
from engarde_daemon.adapters.archive.writing import UNFINISHED, durably
from engarde_daemon.domain.archive_tables import ArchiveTable

GRACE_S = 60.0
QUIET_S = 600.0
MERGED_BYTES_MAX = 64 * 1024**2
_LOCK = ".rewriting"
_LOCK_PATIENCE_S = 20.0
_LOCK_PAUSE_S = 0.02


class Tier(NamedTuple):
    """Files smaller than `below_bytes` on the disk are merged where `at_least` lie side by side."""

    below_bytes: int
    at_least: int


# Files of this size are not merged again.
LARGE_BYTES = 8 * 1024**2
# zstd's levels: 7 % less on the disk for four times the CPU, once, where a file is to stay.
FAST, THOROUGH = 3, 10
# A row is written again about once for each tier, however small the batches were.
TIERS = (Tier(256 * 1024, 16), Tier(2 * 1024**2, 8), Tier(LARGE_BYTES, 4))
QUIET_TIERS = (Tier(LARGE_BYTES, 2),)


def merge(
    cursor: duckdb.DuckDBPyConnection,
    *,
    root: Path,
    table: ArchiveTable,
    days: Collection[date],
    tiers: Sequence[Tier] = TIERS,
) -> int:
    """Merge the newest files of those days that have many small ones, and count them."""
    if not any(_due(files, tiers) for files in _files_of(root, table, days)):
        return 0
    merged = 0
    with _alone(root):
        for files in _files_of(root, table, days):
            parts = _fitting(cursor, _due(files, tiers))
            if parts:
                stays = tiers is QUIET_TIERS or _bytes_of(parts) >= LARGE_BYTES
                _merge(cursor, root, table, parts=parts, level=THOROUGH if stays else FAST)
                merged += len(parts)
    return merged


def merge_quiet_days(cursor: duckdb.DuckDBPyConnection, *, root: Path, now: float) -> int:
    """Merge what is left of days to which nothing was added for a while."""
    merged = 0
    for table in ArchiveTable:
        quiet = {
            day
            for day, files in by_day(listing(root, table).live)
            if len(files) > 1 and files[0].path.parent.stat().st_mtime < now - QUIET_S
        }
        if quiet:
            merged += merge(cursor, root=root, table=table, days=quiet, tiers=QUIET_TIERS)
    return merged


def _files_of(root: Path, table: ArchiveTable, days: Collection[date]) -> Iterator[list[Segment]]:
    return (files for day, files in by_day(listing(root, table, days=days).live))


def _bytes_of(files: Sequence[Segment]) -> int:
    return sum(segment.path.stat().st_size for segment in files)


def _due(files: Sequence[Segment], tiers: Sequence[Tier]) -> Sequence[Segment]:
    """The newest run of files that are small, of the first tier that has enough of them."""
    for tier in tiers:
        run: list[Segment] = []
        for segment in reversed(files) if len(files) >= tier.at_least else ():
            if segment.path.stat().st_size >= tier.below_bytes:
                break
            run.insert(0, segment)
        if len(run) >= tier.at_least:
            return run
    return ()


def _fitting(cursor: duckdb.DuckDBPyConnection, run: Sequence[Segment]) -> list[Segment]:
    """The first files of the run, side by side, that can be merged at once."""
    if not run:
        return []
    cursor.execute(SQL["sizes"], {"files": [str(segment.path) for segment in run]})
    sizes = dict(cursor.fetchall())
    parts: list[Segment] = []
    for segment in run:
        parts.append(segment)
        if sum(sizes.get(str(part.path), 0) for part in parts) > MERGED_BYTES_MAX:
            if len(parts) > 2:
                return parts[:-1]
            parts = [segment]
    return parts if len(parts) > 1 else []


def _merge(
    cursor: duckdb.DuckDBPyConnection,
    root: Path,
    table: ArchiveTable,
    *,
    parts: Sequence[Segment],
    level: int,
) -> None:
    first, last = parts[0], parts[-1]
    whole = segment_path(root / table, day=first.day, first=first.first, last=last.last)
    asked = {"files": [str(part.path) for part in parts], "level": level}
    durably(whole, lambda file: cursor.execute(SQL[f"merge_{table}"], {**asked, "file": file}))


def sweep(root: Path, *, now: float) -> int:
    """Remove what others replaced, and what a crash left unfinished, after a time of grace.

    While somebody walks over everything, nothing goes.
    """
    handle = open_reading(root)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        old = [path for path, since in _litter(root) if since < now - GRACE_S]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)
    except BlockingIOError:
        return 0
    finally:
        os.close(handle)


def _litter(root: Path) -> Iterator[tuple[Path, float]]:
    """What may go, and since when it is of no use."""
    for table in ArchiveTable:
        found = listing(root, table)
        for old in found.superseded:
            heir = next(one for one in found.live if one.day == old.day and old.lies_inside(one))
            yield old.path, heir.path.stat().st_mtime
        for unfinished in (root / table).glob(f"day=*/*{UNFINISHED}-*"):
            yield unfinished, unfinished.stat().st_mtime


def erase(
    cursor: duckdb.DuckDBPyConnection, *, root: Path, tenant_id: str, content_ids: Sequence[str]
) -> int:
    """Take the rows of these contents out of every file, and count them."""
    which = {"tenant_id": tenant_id, "content_ids": list(content_ids)}
    with _alone(root):
        return sum(_leave_out(cursor, listing(root, table), which) for table in ArchiveTable)


def forget_versions(
    cursor: duckdb.DuckDBPyConnection, *, root: Path, tenant_id: str, snapshot_ids: Sequence[str]
) -> int:
    """Take these rows of versions out of every file, and count them."""
    which = {"tenant_id": tenant_id, "snapshot_ids": list(snapshot_ids)}
    with _alone(root):
        return _leave_out(cursor, listing(root, ArchiveTable.SNAPSHOTS), which, of="_versions")


def _leave_out(
    cursor: duckdb.DuckDBPyConnection, found: Listing, which: Mapping[str, Any], *, of: str = ""
) -> int:
    """Put a later edition in the place of files with these rows, superseded ones too.

    One that has a later edition, because a crash or a batch sent again left it there, only goes: made
    anew from it, that edition would have rows again that were taken out of it. Counts the rows of
    those that are live.
    """
    every = {str(segment.path): segment for segment in (*found.superseded, *found.live)}
    newest = {one.place: one for one in sorted(every.values(), key=attrgetter("edition"))}
    erased = 0
    cursor.execute(SQL[f"holding{of}"], {"files": list(every), **which})
    for file, rows in cursor.fetchall():
        old, given = every[file], {"files": [file], **which}
        if newest[old.place] is old:
            durably(old.next_edition(), partial(_copy_without, cursor, given, of=of))
        old.path.unlink()
        erased += rows if old in found.live else 0
    return erased


def _copy_without(
    cursor: duckdb.DuckDBPyConnection, given: Mapping[str, Any], file: str, *, of: str
) -> None:
    cursor.execute(SQL[f"rewrite_without{of}"], {**given, "file": file})


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the right to rewrite; the lock ends with the process that holds it."""
    give_up_at = time.monotonic() + _LOCK_PATIENCE_S
    handle = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(handle):
            if time.monotonic() > give_up_at:
                raise BlockingIOError(f"another process has been rewriting {root} for too long")
            time.sleep(_LOCK_PAUSE_S)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
