"""Two daemons that are one service, visited by one test after the other."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.archived import archived_rows
from tests.support.hosting import HostDaemon
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.running import cleared_away_after


class Pair(NamedTuple):
    """Two daemons that serve the same content, and the address of their database."""

    one: HostDaemon
    other: HostDaemon
    dsn: str

    def archived(self) -> Counter[str]:
        """How often each version of the guest lies in the archive, by content and number."""
        rows = archived_rows(self.one.data_dir)
        guest = self.one.credentials.tenant_id
        return Counter({f"{c} {v}": n for (owner, c, v, _), n in rows.items() if owner == guest})


@pytest.fixture(scope="module")
async def only_pair(postgres_server: EmbeddedPostgres) -> AsyncIterator[Pair]:
    """Two daemons on one DSN; the embedded ZeroDB makes them share a data directory, too."""
    with enterable_directory(in_memory=True) as place:
        async with fresh_database(postgres_server) as name:
            dsn = postgres_server.dsn(database=name)
            settings = {
                "ENGARDE_POSTGRES__DSN": dsn,
                "ENGARDE_DELIVERY__LEASE_S": "2",
                "ENGARDE_REPLICATION__LEASE_S": "2",
            }
            one = HostDaemon(place / "data", environ=settings)
            other = HostDaemon(place / "data", environ=settings, log="2.log")
            async with cleared_away_after(one), cleared_away_after(other):
                yield Pair(one, other, dsn)


@pytest.fixture
async def pair(only_pair: Pair) -> Pair:
    """Both alive, and visited by a tenant of one's own."""
    only_pair.other.guest = await only_pair.one.receive_guest()
    if not only_pair.other.alive:
        await only_pair.other.start()
    return only_pair
