"""A walk over everything that a day of the archive holds, in bounded memory.

Owns the order: files of a day are read one after the other, by the numbers of their rows, so that
the versions of a content come in their order without anything being sorted. The few contents of
which that is not true, because a row was sent late or twice, come at the end of the day.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import duckdb

from engarde_daemon.adapters.archive.engine import SQL, Engine
from engarde_daemon.adapters.archive.reading import bounds, snapshot_from
from engarde_daemon.adapters.archive.segments import by_day, listing
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import ArchiveUnavailable
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.archive import Span

READING = ".reading"
SWEEP_PATIENCE_S = 20.0
_SWEEP_LOOK_S = 0.02
_ROWS_PER_PAGE = 256
_STRAYS_AT_ONCE = 50


@contextmanager
def reading_for_long(root: Path) -> Iterator[None]:
    """Keep superseded files from being removed, in whatever process that would happen."""
    with _lock_file(root) as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@asynccontextmanager
async def _reading(root: Path) -> AsyncIterator[None]:
    """The same, where the event loop would wait for whoever sweeps just now."""
    with _lock_file(root) as handle:
        await _share(handle, root)
        yield


@contextmanager
def _lock_file(root: Path) -> Iterator[int]:
    handle = open_reading(root)
    try:
        yield handle
    finally:
        os.close(handle)


async def _share(handle: int, root: Path) -> None:
    with anyio.move_on_after(SWEEP_PATIENCE_S):
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            await anyio.sleep(_SWEEP_LOOK_S)
    raise ArchiveUnavailable(f"The archive in {root} has been swept for {SWEEP_PATIENCE_S:g} s.")


def open_reading(root: Path) -> int:
    """Open the file by whose lock those who read for long keep others from removing anything.

    Whoever makes it as root, such as a backup, gives it to whom the folder belongs: else the daemon
    could not open it, and would archive nothing more.
    """
    file = root / READING
    try:
        made = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(file, os.O_RDWR)
    if os.geteuid() == 0:
        owner = root.stat()
        os.fchown(made, owner.st_uid, owner.st_gid)
    return made


async def walk(
    engine: Engine, *, root: Path, span: Span, whose: Mapping[str, str | None]
) -> AsyncIterator[Sequence[ContentSnapshot]]:
    """Every version of the span; `whose` names the tenant and the brand, None for all.

    Raises:
        Unavailable: The files cannot be read.
    """
    asked = {**whose, **bounds(span)}
    async with _reading(root):
        for day in await engine.run(partial(_days, root=root, span=span)):
            files = partial(_files, root, day)
            strays = await engine.run(partial(_strays, files=files))
            for statement, parameters in _questions(strays, asked):
                pages = engine.pages(
                    statement,
                    partial(_with_files, files, parameters),
                    size=_ROWS_PER_PAGE,
                    make=snapshot_from,
                )
                async with aclosing(pages) as found:
                    async for page in found:
                        yield page


def _questions(
    strays: Sequence[str], asked: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What brings every row of a day: one file after the other, then the strays of all.

    DuckDB keeps the order of the files and of their rows, as `preserve_insertion_order` has it.
    https://duckdb.org/docs/stable/sql/dialect/order_preservation
    """
    if strays:
        yield SQL["scan_without"], {"strays": strays, **asked}
    else:
        yield SQL["scan"], dict(asked)
    for start in range(0, len(strays), _STRAYS_AT_ONCE):
        some = strays[start : start + _STRAYS_AT_ONCE]
        yield SQL["scan_strays"], {"content_ids": some, **asked}


def _days(_: object, *, root: Path, span: Span) -> list[date]:
    return [day for day, _ in by_day(listing(root, ArchiveTable.SNAPSHOTS, span).live)]


def _files(root: Path, day: date) -> list[str]:
    """The files of a day at this moment: erased rows may have taken some away since the last."""
    return listing(root, ArchiveTable.SNAPSHOTS, days=[day]).files


def _with_files(files: Callable[[], list[str]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"files": files(), **parameters}


def _strays(cursor: duckdb.DuckDBPyConnection, *, files: Callable[[], list[str]]) -> list[str]:
    cursor.execute(SQL["strays"], {"files": files()})
    return [row[0] for row in cursor.fetchall()]
