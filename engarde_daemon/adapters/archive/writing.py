"""How rows become files that survive a crash.

Owns durability: a file is written under another name, synced, and gets its own name by one rename,
after which its folder is synced. Until then no reader sees it; from then on it is whole.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from engarde_daemon.adapters.archive.engine import SQL
from engarde_daemon.adapters.archive.segments import day_of, empty_path, segment_path
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, Kind
from engarde_daemon.ports.archive import Frozen

UNFINISHED = ".unfinished"

Row = Mapping[str, Any]


def write_batch(cursor: duckdb.DuckDBPyConnection, *, root: Path, batch: Frozen) -> None:
    """Write a file for each day that the batch touches."""
    for day, rows in _by_day(batch):
        path = segment_path(root / batch.table, day=day, first=batch.first_id, last=batch.last_id)
        _write_rows(cursor, batch.table, path=path, rows=rows)


def days_of(batch: Frozen) -> frozenset[date]:
    """The days that the batch touches."""
    return frozenset(day for day, _ in _by_day(batch))


def _by_day(batch: Frozen) -> list[tuple[date, list[Row]]]:
    partition = LAYOUTS[batch.table].partition

    def day(row: Row) -> date:
        return day_of(row[partition])

    return [(that, list(rows)) for that, rows in groupby(sorted(batch.rows, key=day), key=day)]


def write_empty(cursor: duckdb.DuckDBPyConnection, *, root: Path) -> None:
    """Give every table a file without rows, of which its columns can be read."""
    for table in without_empty(root):
        _write_rows(cursor, table, path=empty_path(root, table), rows=[])


def without_empty(root: Path) -> list[ArchiveTable]:
    """The tables that have no such file yet."""
    return [table for table in ArchiveTable if not empty_path(root, table).exists()]


def _write_rows(
    cursor: duckdb.DuckDBPyConnection, table: ArchiveTable, *, path: Path, rows: Sequence[Row]
) -> None:
    columns = {
        column.name: [_plain(column.kind, row.get(column.name)) for row in rows]
        for column in LAYOUTS[table].columns
    }
    durably(path, lambda file: cursor.execute(SQL[f"write_{table}"], {**columns, "file": file}))


def durably(path: Path, write: Callable[[str], object]) -> None:
    """Let `write` make a file, then give it its name; a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several replicators of a daemon may make the same empty file at once, each in its thread.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    unfinished = path.with_name(f"{path.name}{UNFINISHED}-{writer}")
    write(str(unfinished))
    _sync(unfinished)
    unfinished.rename(path)
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.JSON:
        return msgspec.json.encode(value).decode()
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
