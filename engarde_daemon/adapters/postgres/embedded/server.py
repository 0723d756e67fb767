"""The embedded server's life: claimed, adopted or launched, watched, stopped.

Invariant: one daemon manages a directory at a time (`manager.lock`), and never starts a server
beside one that still runs. A server that outlived its daemon is adopted, and stopped like our own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import anyio
import structlog

from engarde_daemon.adapters.postgres.embedded import evidence
from engarde_daemon.adapters.postgres.embedded.account import choose_account
from engarde_daemon.adapters.postgres.embedded.binaries import executable_by, find_binaries
from engarde_daemon.adapters.postgres.embedded.cluster import (
    POLL_S,
    STOP_STEPS,
    Cluster,
    made_by,
)
from engarde_daemon.adapters.postgres.embedded.errors import (
    AlreadyManagedError,
    EmbeddedPostgresError,
)
from engarde_daemon.adapters.postgres.embedded.instance import Instance, make_root
from engarde_daemon.adapters.postgres.embedded.launch import Launcher
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess
from engarde_daemon.adapters.postgres.embedded.settings import PORT

_PREDECESSOR_LIMIT_S = 15.0

_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL server of our own, as an async context manager over the directory `root`.

    A durable server outlives a killed daemon, and the next `start` adopts it. An ephemeral one
    trades durability for speed and ends with the daemon; start it from the event loop's thread.
    """

    def __init__(
        self,
        root: Path,
        *,
        ephemeral: bool = False,
        bin_dir: Path | None = None,
        run_as: str | None = None,
    ) -> None:
        # One spelling, because a running server is recognised by the path on its command line.
        self._places = Instance(root.resolve())
        self._ephemeral = ephemeral
        self._bin_dir = bin_dir
        self._run_as = run_as
        self._socket_directory = self._places.socket_directory
        self._daemon_lock: int | None = None
        self._server: WatchedProcess | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server or adopt the one that still runs; also recovers one that has died.

        Raises:
            AlreadyManagedError: another process manages this directory.
            EmbeddedPostgresError: the server cannot start; the text says why and what to do.
        """
        if self._server is not None and not self._server.ended:
            return
        with _system_errors_explained(self._places.root), contextlib.ExitStack() as undo:
            undo.callback(self._release)
            self._claim()
            self._server = await self._adopt_or_launch()
            undo.pop_all()

    async def stop(self) -> None:
        """Disconnect every client and stop the server, adopted or not; cancellation waits for it.

        Raises:
            EmbeddedPostgresError: the server survived even SIGKILL.
        """
        server, self._server = self._server, None
        try:
            if server is not None:
                await server.stop(*STOP_STEPS)
                _log.info("postgres.server.stopped", pid=server.pid)
        except TimeoutError as error:
            raise EmbeddedPostgresError(f"PostgreSQL does not stop: {error}.") from error
        finally:
            self._release()

    async def wait_died(self) -> None:
        """Return once the server has ended, whoever ended it; at once if none was started."""
        if self._server is not None:
            await self._server.wait()

    def dsn(self, *, user: str = "postgres", database: str = "postgres") -> str:
        """The address of a database; before `start`, that of a server another process manages."""
        directory = quote(str(self._socket_directory))
        return (
            f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}"
            f"?host={directory}&port={PORT}"
        )

    def _claim(self) -> None:
        if self._daemon_lock is not None:
            return
        make_root(self._places.root, choose_account(self._places.data, self._run_as))
        self._daemon_lock = evidence.try_lock(self._places.daemon_lock)
        if self._daemon_lock is None:
            raise AlreadyManagedError(
                f"Another process manages the PostgreSQL in {self._places.root}: "
                "stop that daemon first, or choose another data directory."
            )

    def _release(self) -> None:
        if self._daemon_lock is None:
            return
        if self._socket_directory.parent != self._places.root:
            with contextlib.suppress(OSError):  # never made, or another daemon's
                self._socket_directory.rmdir()
        os.close(self._daemon_lock)
        self._daemon_lock = None

    async def _adopt_or_launch(self) -> WatchedProcess:
        found = await self._lock_or_orphan()
        if isinstance(found, WatchedProcess):
            _log.info("postgres.server.adopted", pid=found.pid)
            return found
        try:
            server = await self._launch(found)
        finally:
            os.close(found)
        _log.info("postgres.server.started", pid=server.pid)
        return server

    async def _lock_or_orphan(self) -> int | WatchedProcess:
        with anyio.move_on_after(_PREDECESSOR_LIMIT_S):
            while True:
                lock = evidence.try_lock(self._places.server_lock)
                if lock is not None:
                    return lock
                orphan = self._orphan()
                if orphan is not None:
                    return orphan
                await anyio.sleep(POLL_S)
        raise EmbeddedPostgresError(
            f"An earlier PostgreSQL in {self._places.root} is neither ready nor gone after "
            f"{_PREDECESSOR_LIMIT_S:.0f} s: end the processes that hold "
            f"{self._places.server_lock} open (in another container, perhaps)."
        )

    def _orphan(self) -> WatchedProcess | None:
        said = evidence.read_pid_file(self._places.data)
        if said is None or not said.ready:
            return None
        process = WatchedProcess(said.pid)
        # Asked while the pidfd already holds the process: from here on the pid cannot be reused.
        if not evidence.serves(said.pid, self._places.data):
            process.close()
            return None
        self._socket_directory = said.socket_directory
        return process

    async def _launch(self, lock: int) -> WatchedProcess:
        launcher = Launcher(
            account=choose_account(self._places.data, self._run_as),
            dies_with_parent=self._ephemeral,
        )
        major = made_by(self._places.data)
        binaries = await find_binaries(self._bin_dir, major=major)
        cluster = Cluster(
            places=self._places,
            binaries=await executable_by(launcher, binaries, root=self._places.root),
            launcher=launcher,
        )
        if major is None:
            await cluster.initialise(lock)
        self._socket_directory = self._places.socket_directory
        return await cluster.launch(lock)


@contextlib.contextmanager
def _system_errors_explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL in {root} cannot start: {str(error) or 'a program did not end in time'}. "
            "Free that path, or choose another data directory."
        ) from error
