"""One data directory: making it with initdb, and starting a server on it.

Invariant: `data/` exists only complete, because initdb works in `data.new/`, and every program that
touches it holds `server.lock`, so a second start can never run beside a first.
"""

import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec

from engarde_daemon.adapters.postgres.embedded import evidence, instance
from engarde_daemon.adapters.postgres.embedded.binaries import (
    Binaries,
)
from engarde_daemon.adapters.postgres.embedded.errors import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.embedded.launch import Launcher
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess
from engarde_daemon.adapters.postgres.embedded.settings import (
    memory_available_bytes,
    render,
    server_settings,
)
from engarde_daemon.adapters.private_files import replace_private

# SIGTERM would wait for clients to leave ("smart", see "Shutting Down the Server"). SIGKILL comes
# last: it leaves the orphaned backends to notice for themselves.
STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
POLL_S = 0.005
_READY_LIMIT_S = 120.0  # crash recovery of a large WAL
_INITDB_LIMIT_S = 60.0
_BUILTIN_LOCALE_MAJOR = 17


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """The data directory of one instance, with the programs and the user that serve it."""

    places: instance.Instance
    binaries: Binaries
    launcher: Launcher

    @property
    def _ephemeral(self) -> bool:
        return self.launcher.dies_with_parent

    async def initialise(self, lock: int) -> None:
        """Make the data directory, with one superuser named postgres.

        Raises:
            EmbeddedPostgresError: initdb failed.
        """
        self._require_passwd_entry()
        unfinished = self.places.unfinished_data
        if unfinished.exists():
            await anyio.to_thread.run_sync(
                shutil.rmtree, unfinished, limiter=anyio.CapacityLimiter(1)
            )
        instance.make_private(unfinished, self.launcher.account)
        await self._run_initdb(unfinished, lock)
        instance.append_durably(
            unfinished / "postgresql.conf", "include_if_exists = 'managed.conf'\n"
        )
        instance.rename_durably(unfinished, self.places.data)

    async def launch(self, lock: int) -> WatchedProcess:
        """Start the server and wait until it takes connections.

        Raises:
            EmbeddedPostgresError: it ended instead, or was not ready in time.
        """
        self._configure()
        server = self._spawn([self.binaries.postgres, "-D", self.places.data], lock)
        ready = False
        try:
            with anyio.move_on_after(_READY_LIMIT_S):
                ready = await self._ready(server)
        finally:
            if not ready:
                await server.stop(*STOP_STEPS)
        if not ready:
            raise self._failure("PostgreSQL did not start")
        return server

    async def _run_initdb(self, directory: Path, lock: int) -> None:
        initdb = self._spawn([self.binaries.initdb, "-D", directory, *self._initdb_options()], lock)
        try:
            with anyio.move_on_after(_INITDB_LIMIT_S):
                await initdb.wait()
        finally:
            await initdb.stop((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
        if initdb.exit_code != 0:
            raise self._failure("initdb failed")

    def _configure(self) -> None:
        evidence.forget_dead_server(self.places.data, self.places.socket_directory)
        instance.make_private(self.places.socket_directory, self.launcher.account)
        settings = server_settings(
            self.places.socket_directory,
            ephemeral=self._ephemeral,
            memory_bytes=memory_available_bytes(),
        )
        account = self.launcher.account
        replace_private(
            self.places.managed_settings,
            render(settings).encode(),
            owner=(account.uid, account.gid) if account.differs else None,
        )

    async def _ready(self, server: WatchedProcess) -> bool:
        while not server.ended:
            said = evidence.read_pid_file(self.places.data)
            if said is not None and said.ready and said.pid == server.pid:
                return True
            await anyio.sleep(POLL_S)
        return False

    def _spawn(self, program: Sequence[str | Path], lock: int) -> WatchedProcess:
        return self.launcher.spawn(
            program, directory=self.places.root, output=self.places.startup_log, lock=lock
        )

    def _initdb_options(self) -> Iterator[str]:
        yield from ("-U", "postgres", "-E", "UTF8", "--data-checksums", "--no-instructions")
        yield from ("--auth-local=trust", "--auth-host=scram-sha-256")
        yield from _locale_options(self.binaries.major)
        if self._ephemeral:
            yield "--no-sync"

    def _require_passwd_entry(self) -> None:
        if self.launcher.account.name is None:
            raise EmbeddedPostgresError(
                f"initdb needs a passwd entry for uid {self.launcher.account.uid}: add one, start once "
                "under `unshare --user --map-user=65534 --map-group=65534`, or set a DSN."
            )

    def _failure(self, sentence: str) -> EmbeddedPostgresError:
        words = evidence.last_words(self.places.startup_log, self.places.data)
        return EmbeddedPostgresError(f"{sentence} in {self.places.root}; it said last:\n{words}")


def made_by(data: Path) -> int | None:
    """The major version of PostgreSQL that made this data directory, or None if there is none yet.

    Raises:
        EmbeddedPostgresError: the directory holds something else.
    """
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise EmbeddedPostgresError(
                f"{data} is not empty, but no data directory of PostgreSQL: move it away."
            ) from None
        return None


def _locale_options(major: int) -> tuple[str, ...]:
    """The portable sort order: the same on every machine, whatever its C library says."""
    if major >= _BUILTIN_LOCALE_MAJOR:
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C.UTF-8",) if sys.platform == "linux" else ("--locale=C",)
