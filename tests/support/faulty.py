"""A daemon with fuses at its failpoints, through all its lives, and tenants who visit it.

Owns that cases do not see each other although they share a daemon: each writes as a tenant of its
own, and finds a daemon that lives and has no fuses.
"""

import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import anyio

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.faulty.fuses import Fuse, FuseBox, Harm
from tests.support.hosting import HostDaemon
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.running import Credentials, cleared_away_after

QUICK = {
    # So small that every read goes to a store.
    "ENGARDE_CACHE__BODY_BYTES": "1024",
    # What a dead daemon had claimed waits for its lease.
    "ENGARDE_DELIVERY__LEASE_S": "1",
    "ENGARDE_DELIVERY__POLL_S": "0.2",
    "ENGARDE_REPLICATION__LEASE_S": "1",
    "ENGARDE_REPLICATION__POLL_S": "0.2",
    "ENGARDE_GENERATION__LEASE_S": "1",
    "ENGARDE_GENERATION__POLL_S": "0.2",
    "ENGARDE_IMPORTS__LEASE_S": "1",
    "ENGARDE_IMPORTS__POLL_S": "0.2",
    "ENGARDE_RECOVERY__LEASE_S": "1",
    "ENGARDE_RECOVERY__PAGE_VERSIONS": "10",
    "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
    "ENGARDE_SERVER__DRAIN_S": "0",
}


class DidNotDie(Exception):
    """Nobody came by the failpoint; the text is what the daemon said last."""


class FaultyDaemon(HostDaemon):
    """A daemon that dies where it is told to."""

    def __init__(self, place: Path, *, environ: Mapping[str, str], mutant: str | None) -> None:
        super().__init__(place / "data", environ={**QUICK, **environ})
        self._folder = place / "fuses"
        self._folder.mkdir()
        self.fuses = FuseBox(self._folder)
        mistaken = ("--mutant", mutant) if mutant else ()
        faulty = (sys.executable, "-m", "engarde_daemon.testing.faulty", "run")
        self.program = (*faulty, "--fuses", str(self._folder), *mistaken, "--")

    async def receive_guest(self, plan: str = "enterprise") -> Credentials:
        """Make a tenant that visits; no fuse of an earlier one lies here."""
        for fuse in self._folder.iterdir():
            fuse.unlink()
        return await super().receive_guest(plan)

    def will_die_at(self, point: str, at_pass: int = 1) -> None:
        """Lay a fuse that ends the daemon."""
        self.lay(point, Fuse(harm=Harm.DIE, at_pass=at_pass))

    def lay(self, point: str, fuse: Fuse) -> None:
        """Lay a fuse, and forget that one burnt there."""
        self.fuses.burnt(point).unlink(missing_ok=True)
        self.fuses.lay(point, fuse)

    async def reaches(self, point: str) -> None:
        """Wait until the fuse at a failpoint has burnt."""
        await eventually(anyio.Path(self.fuses.burnt(point)).exists)

    def wake(self, point: str) -> None:
        """Let whoever is held at a failpoint go on."""
        self.fuses.burnt(point).unlink()

    async def dies(self) -> None:
        """Wait until the fuse has ended it.

        Raises:
            DidNotDie: Nobody came by.
        """
        try:
            code = await self.ended(PATIENCE_S)
        except TimeoutError:
            raise DidNotDie(self.words()) from None
        self.serving = anyio.Event()
        assert code == -signal.SIGKILL, self.words()


@asynccontextmanager
async def faulty_daemon(
    server: EmbeddedPostgres,
    *,
    environ: Mapping[str, str] = MappingProxyType({}),
    mutant: str | None = None,
) -> AsyncIterator[FaultyDaemon]:
    """One that serves, on a database of its own."""
    with enterable_directory(in_memory=True) as place:
        async with fresh_database(server) as name:
            dsn = {"ENGARDE_POSTGRES__DSN": server.dsn(database=name)}
            faulty = FaultyDaemon(place, environ={**dsn, **environ}, mutant=mutant)
            async with cleared_away_after(faulty):
                await faulty.start()
                yield faulty
