"""What stands between a daemon and its stores, where a test can reach it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.proxy import FaultyProxy
from tests.support.running import Daemon

QUICK = {
    "ENGARDE_POSTGRES__STATEMENT_TIMEOUT_S": "2",
    "ENGARDE_POSTGRES__CONNECT_TIMEOUT_S": "2",
    "ENGARDE_DELIVERY__LEASE_S": "2",
    "ENGARDE_REPLICATION__LEASE_S": "2",
}


class Wire(NamedTuple):
    """A proxy before a PostgreSQL, and the address of one database behind it."""

    proxy: FaultyProxy
    dsn: str


class GuestDaemon(Daemon):
    """A daemon on a PostgreSQL that is not its own; the oracle looks at that one directly."""

    def __init__(
        self, data_dir: Path, *, direct_dsn: str, environ: Mapping[str, str], log: str
    ) -> None:
        super().__init__(data_dir, environ=environ, log=log)
        self._direct_dsn = direct_dsn

    @property
    def dsn(self) -> str:
        """The superuser's address of its database, past every proxy."""
        return self._direct_dsn


@asynccontextmanager
async def wired(server: EmbeddedPostgres, database: str) -> AsyncIterator[Wire]:
    """Stand before a server that listens on a socket in the file system."""
    place = parse_qs(urlsplit(server.dsn()).query)
    socket = Path(place["host"][0]) / f".s.PGSQL.{place['port'][0]}"
    async with FaultyProxy.before_socket(socket) as proxy:
        dsn = f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}?sslmode=disable"
        yield Wire(proxy, dsn)
