"""DuckDB as the archive's engine: bounded in memory, off the event loop, with a deadline on each call.

Owns the one DuckDB of the process, which keeps nothing of its own: all that lasts lies in files that
any other process may read meanwhile. Each call has a cursor and a worker thread for itself. A call
that runs out of time is interrupted, and its thread ends by itself. DuckDB starts with the first
call: it takes 30 MB, which a daemon without anything to archive need not have.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakSet

import anyio
import duckdb
from anyio import to_thread

from engarde_daemon.domain.errors import ArchiveUnavailable, Unavailable
from sql import statements

SQL = statements("archive/embedded")
SPILL = ".spill"
CLOSE_LIMIT_S = 2.0
CLOSE_LOOK_S = 0.02
LISTINGS_MAX = 5

_T = TypeVar("_T")
Work = Callable[[duckdb.DuckDBPyConnection], _T]


class Engine:
    """Runs work against the files below a folder."""

    def __init__(self, root: Path, *, timeout_s: float, threads: int = 4) -> None:
        self._root = root
        self._timeout_s = timeout_s
        self._threads = anyio.CapacityLimiter(threads)
        self._is_open = False
        self._starting = Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()

    async def open(self) -> None:
        """Take calls from now on.

        Raises:
            Unavailable: The folder cannot be made.
        """
        make = partial(self._root.mkdir, parents=True, exist_ok=True)
        with self._explained():
            await to_thread.run_sync(make, limiter=self._threads)
        self._is_open = True

    async def close(self) -> None:
        """End the engine; calls that still run, though nobody waits for them, are interrupted."""
        self._is_open = False
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_LIMIT_S):
            while not self._is_closed():
                await anyio.sleep(CLOSE_LOOK_S)

    def _is_closed(self) -> bool:
        """Close it, unless it is just starting, or a call has not noticed yet that it is interrupted."""
        if self._starting.locked():
            return False
        if self._database is None:
            return True
        for cursor in self._cursors:
            with suppress(duckdb.ConnectionException):  # it ended in this very instant
                cursor.interrupt()
        with suppress(duckdb.Error):
            self._database.close()
            self._database = None
        return self._database is None

    async def run(self, work: Work[_T]) -> _T:
        """Do one piece of work in a thread.

        Raises:
            Unavailable: It failed, or did not end in time.
        """
        return await self._listing_anew(partial(self._run_apart, work))

    async def pages(
        self,
        statement: str,
        asked: Callable[[], Mapping[str, Any]],
        *,
        size: int,
        make: Callable[[tuple[Any, ...]], _T],
    ) -> AsyncGenerator[list[_T], None]:
        """What a statement finds, page by page; `make` makes something of a row, in the thread.

        Raises:
            Unavailable: It failed, or did not go on in time.
        """
        with self._explained():
            cursor = await self._cursor()

        def begin() -> list[_T]:
            cursor.execute(statement, asked())
            return go_on()

        def go_on() -> list[_T]:
            return [make(row) for row in cursor.fetchmany(size)]

        try:
            page = await self._listing_anew(partial(self._call, begin))
            while page:
                yield page
                with self._explained():
                    page = await self._call(go_on)
        finally:
            cursor.interrupt()
            cursor.close()

    async def _listing_anew(
        self, work: Callable[[], Awaitable[_T]], times: int = LISTINGS_MAX
    ) -> _T:
        """Do work that lists its files anew each time.

        A file that was merged away or lost rows between the listing and the reading is no failure.
        """
        try:
            return await work()
        except (FileNotFoundError, duckdb.IOException) as error:
            if times == 1:
                raise self._unavailable(error) from error
            return await self._listing_anew(work, times - 1)
        except (OSError, duckdb.Error) as error:
            raise self._unavailable(error) from error

    async def _run_apart(self, work: Work[_T]) -> _T:
        cursor = await self._cursor()

        def in_thread() -> _T:
            with cursor:
                return work(cursor)

        try:
            return await self._call(in_thread)
        except (anyio.get_cancelled_exc_class(), Unavailable):
            with suppress(duckdb.ConnectionException):  # it ended in this very instant
                cursor.interrupt()
            raise

    async def _call(self, work: Callable[[], _T]) -> _T:
        try:
            with anyio.fail_after(self._timeout_s):
                return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        except TimeoutError as error:
            raise ArchiveUnavailable(
                f"The archive in {self._root} did not answer within {self._timeout_s:g} s "
                "([bigquery] timeout_s)."
            ) from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.Error) as error:
            raise self._unavailable(error) from error

    async def _cursor(self) -> duckdb.DuckDBPyConnection:
        self._require_open()
        cursor = await self._call(self._new_cursor)
        self._cursors.add(cursor)
        return cursor

    def _require_open(self) -> None:
        if not self._is_open:
            raise ArchiveUnavailable(f"The archive in {self._root} is closed.")

    def _new_cursor(self) -> duckdb.DuckDBPyConnection:
        with self._starting:
            self._require_open()
            if self._database is None:
                self._database = connect(self._root)
            return self._database.cursor()

    def _unavailable(self, error: Exception) -> Unavailable:
        reason = str(error).partition("\n")[0][:200]
        return ArchiveUnavailable(
            f"The archive in {self._root} cannot be used ({reason}). Check the disk of "
            "[storage] data_dir, and that the daemon's user may write there."
        )


def connect(root: Path) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that lives in memory and spills into the folder.

    Raises:
        OSError: The folder cannot be made.
        duckdb.Error: DuckDB does not start.
    """
    root.mkdir(parents=True, exist_ok=True)
    database = duckdb.connect()
    database.execute(SQL["configure"])
    database.execute(SQL["spill_to"], {"folder": str(root / SPILL)})
    return database
