"""The SQLite file of the embedded ZeroDB and the connections into it.

Owns two invariants: a commit has reached the disk when it returns (WAL with synchronous=FULL), and
a connection is used by one worker thread at a time. Readers have connections of their own, so that
a read never waits for a writer's fsync.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import anyio
from anyio import to_thread

from engarde_daemon.adapters.zerodb.embedded_errors import refusals_of_using
from engarde_daemon.domain.errors import Corrupt, Unavailable
from sql import statements

READERS = 3
SCHEMA_VERSION = 1
SQLITE_NEEDED = (3, 37, 0)  # STRICT tables: https://www.sqlite.org/stricttables.html

_SQL = statements("zerodb/embedded")
_T = TypeVar("_T")


class Connections(NamedTuple):
    """The one connection that writes and the few that read."""

    writer: sqlite3.Connection
    readers: tuple[sqlite3.Connection, ...]


def connect(file: Path, patience_s: float) -> Connections:
    """Open the file, creating it and its folder where they are missing.

    Raises:
        Corrupt: A newer daemon wrote the file.
        Unavailable: This SQLite is too old, or the file system cannot hold a write-ahead log.
    """
    refuse_old_sqlite(sqlite3.sqlite_version_info)
    _make_folder(file.parent)
    with _only_one_opens(file.parent), ExitStack() as opened:
        writer = opened.enter_context(closing(_connection(file, patience_s)))
        writer.executescript(_SQL["configure_writer"])
        _refuse_newer_schema(writer, file)
        _refuse_other_journal(writer, file)
        readers = [
            opened.enter_context(closing(_connection(file, patience_s))) for _ in range(READERS)
        ]
        for reader in readers:
            reader.executescript(_SQL["configure_reader"])
        opened.pop_all()
    return Connections(writer, tuple(readers))


class Lane:
    """Connections to one file, each serving one caller at a time in a worker thread.

    Cancelling a caller never abandons its thread: the work ends first, bounded by SQLite's own
    wait for locks, then the connection is free for the next one.
    """

    def __init__(
        self, file: Path, connections: Sequence[sqlite3.Connection], *, patience_s: float
    ) -> None:
        self._file = file
        self._patience_s = patience_s
        self._size = len(connections)
        # The connection that was used last comes first: its page cache is warm.
        self._free = list(connections)
        self._places = anyio.Semaphore(len(connections))
        self._threads = anyio.CapacityLimiter(len(connections))
        self._closed = False

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do the work on the next free connection.

        Raises:
            Unavailable: The file is closed, busy for too long, or does not answer.
        """
        connection = await self._next_free()
        try:
            with refusals_of_using(self._file):
                return await to_thread.run_sync(work, connection, limiter=self._threads)
        finally:
            self._free.append(connection)
            self._places.release()

    async def close(self) -> None:
        """Let running work end, then close every connection; whoever waits is refused."""
        self._closed = True
        for _ in range(self._size):
            await self._places.acquire()
        while self._free:
            await to_thread.run_sync(self._free.pop().close, limiter=self._threads)
        self._places.release()

    async def _next_free(self) -> sqlite3.Connection:
        try:
            with anyio.fail_after(self._patience_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unavailable(
                f"The embedded ZeroDB {self._file} was busy for {self._patience_s:g} s: "
                "its disk is too slow for the load."
            ) from error
        if self._closed:
            self._places.release()
            raise closed(self._file)
        return self._free.pop()


def closed(file: Path) -> Unavailable:
    """What a caller is told when nobody has opened the file, or somebody has closed it."""
    return Unavailable(f"The embedded ZeroDB {file} is not open.")


def refuse_old_sqlite(version: tuple[int, ...]) -> None:
    """Stop early on an SQLite that cannot keep the collections.

    Raises:
        Unavailable: The version is too old.
    """
    if version < SQLITE_NEEDED:
        raise Unavailable(
            f"The embedded ZeroDB needs SQLite {_dotted(SQLITE_NEEDED)}, this Python brings "
            f"{_dotted(version)}: use a newer Python, or set [zerodb] mode to another store."
        )


def _connection(file: Path, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=patience_s, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = bytes  # msgspec reads bytes, and damaged UTF-8 raises nothing here
    return connection


@contextmanager
def _only_one_opens(folder: Path) -> Iterator[None]:
    """Let one process at a time set a new file up: SQLite does not wait for a lock to change to WAL."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite syncs the folder that holds its files; that folder's own entry is ours to sync.
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _refuse_newer_schema(connection: sqlite3.Connection, file: Path) -> None:
    (version,) = connection.execute(_SQL["schema_version"]).fetchone()
    if version > SCHEMA_VERSION:
        raise Corrupt(
            f"The embedded ZeroDB {file} has schema {version}, this daemon knows {SCHEMA_VERSION}: "
            "start the newer daemon that wrote it."
        )


def _refuse_other_journal(connection: sqlite3.Connection, file: Path) -> None:
    (mode,) = connection.execute(_SQL["journal_mode"]).fetchone()
    if mode != b"wal":
        raise Unavailable(
            f"The embedded ZeroDB {file} cannot keep a write-ahead log: "
            "put [storage] data_dir on a local disk."
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
