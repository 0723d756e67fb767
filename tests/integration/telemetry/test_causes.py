"""Versions on their way know the traced requests that made them."""

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.tracing import PostgresTraceBook
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

ONE, OTHER = (f"00-{digit * 32}-{digit * 16}-01" for digit in "ab")
_KEPT = "select count(*) from engarde.write_traces"


class Road:
    """What one tenant writes, and what is known of its way."""

    def __init__(self, sessions: Sessions, tenant: Tenant) -> None:
        self.tenant = tenant
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.outbox = PostgresOutbox(sessions.writers)
        self.book = PostgresTraceBook(sessions.writers)

    def write(self, trace: str | None) -> Write:
        """A new item that a request made, traced or not."""
        return msgspec.structs.replace(creation(self.tenant, "body"), trace=trace)

    async def causes(self) -> dict[str, list[str]]:
        """Which requests made the items that wait for ZeroDB."""
        parcels = await self.outbox.claim("zerodb", limit=100, lease_s=0.0)
        return {parcel.item.id: await self.book.causes([parcel.id]) for parcel in parcels}


@pytest.fixture
async def road(sessions: Sessions, tenant: Tenant) -> Road:
    """Nothing is under way."""
    return Road(sessions, tenant)


async def test_each_version_names_its_own_request(road: Road):
    """Also where a batch has some that nobody traces."""
    writes = [road.write(ONE), road.write(None), road.write(OTHER)]
    first, quiet, last = await road.log.commit(writes)
    assert isinstance(first, Item)
    assert isinstance(quiet, Item)
    assert isinstance(last, Item)

    assert await road.causes() == {first.id: [ONE], quiet.id: [], last.id: [OTHER]}


async def test_without_tracing_nothing_is_kept(road: Road, superuser: asyncpg.Connection):
    """The write is the same statement as ever."""
    await road.log.commit([road.write(None)])

    assert await superuser.fetchval(_KEPT) == 0


async def test_a_write_that_is_undone_leaves_no_trace(road: Road, superuser: asyncpg.Connection):
    """It is one transaction."""
    twice = road.write(ONE)
    with pytest.raises(asyncpg.PostgresError):
        await road.log.commit([twice, twice])

    assert await superuser.fetchval(_KEPT) == 0


async def test_traces_are_forgotten_after_a_day(road: Road, superuser: asyncpg.Connection):
    """By the next traced write."""
    await road.log.commit([road.write(ONE)])
    await superuser.execute(
        "update engarde.write_traces set created_at = clock_timestamp() - interval '25 hours'"
    )

    await road.log.commit([road.write(OTHER)])

    assert [traces for traces in (await road.causes()).values() if traces] == [[OTHER]]
