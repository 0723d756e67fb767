"""A staged body is proved by its hash, like a row of the body store: a wrong one is not there."""

import asyncpg
import pytest
import structlog

from actors.delivery.messages import Wake
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import PostgresReplicationBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.testing.bodies import MemoryBodies
from tests.support.carrying import delivery_to
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

_SWAP = "update engarde.staged_bodies set body = 'another''s' where content_id = $1"
_MAKE_DUE = "update engarde.outbox set leased_until = '-infinity' where destination = 'zerodb'"


class Shelf:
    """An item whose staged body is not the one that was acknowledged."""

    def __init__(self, sessions: Sessions, sql: asyncpg.Connection, item: Item) -> None:
        self.sessions = sessions
        self.sql = sql
        self.item = item
        self.key = ContentKey(item.tenant_id, item.id)
        self.library = PostgresLibrary(sessions.readers)
        self.store = MemoryBodies()
        self.bodies = LayeredBodies(BodyCache(10_000), self.library, self.store)

    async def deliver(self) -> None:
        """Let the delivery work off what is due."""
        await delivery_to(self.store, self.sessions).receive(Wake())

    async def swap(self) -> None:
        """Put another body where the item's is staged."""
        assert await self.sql.execute(_SWAP, self.item.id) == "UPDATE 1"


@pytest.fixture
async def shelf(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Shelf:
    """An item whose body is staged and not delivered yet."""
    (item,) = await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "mine")])
    assert isinstance(item, Item)
    return Shelf(sessions, superuser, item)


async def test_a_wrong_body_is_not_handed_out(shelf: Shelf):
    """Nowhere else is the right one: an outage, and never another's text."""
    await shelf.swap()

    with pytest.raises(Unavailable, match="1 of 1 items"):
        await shelf.bodies.of(shelf.item)
    found = await shelf.library.find(shelf.key)
    assert found is not None
    assert found.body is None


async def test_the_next_place_is_asked(shelf: Shelf):
    """The body store has it, although PostgreSQL still holds something."""
    await shelf.deliver()
    await shelf.swap()

    assert await shelf.bodies.of(shelf.item) == ("mine", "zerodb")


async def test_it_is_told_to_the_log_once(shelf: Shelf):
    """However often it is read; the text itself is told to nobody."""
    await shelf.swap()
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            await shelf.library.find(shelf.key)
            await shelf.library.staged(shelf.item.tenant_id, [shelf.item])

    assert [line["content_id"] for line in told] == [shelf.item.id]
    assert "another" not in str(told)


async def test_it_is_never_delivered(shelf: Shelf):
    """It waits with a reason, and goes once the right one is there again."""
    await shelf.swap()
    await shelf.deliver()
    assert [row async for row in shelf.store.scan()] == []
    reason = await shelf.sql.fetchval(
        "select last_error from engarde.outbox where destination = 'zerodb'"
    )
    assert "cannot be read from any store" in reason

    await shelf.sql.execute("update engarde.staged_bodies set body = 'mine'")
    await shelf.sql.execute(_MAKE_DUE)
    await shelf.deliver()
    assert [row.content_body async for row in shelf.store.scan()] == ["mine"]


async def test_the_archive_does_not_get_it_either(shelf: Shelf):
    """Neither when it is due nor when its batch is loaded again."""
    await shelf.swap()
    book = PostgresReplicationBook(shelf.sessions.writers)
    (due,) = await book.due(items=10, size_bytes=1_000)
    (loaded,) = await book.load([due.id])

    assert (due.body, loaded.body) == (None, None)


async def test_a_sound_body_comes_from_where_it_is_staged(shelf: Shelf):
    """To readers, to the delivery and to the archive."""
    (parcel,) = await PostgresOutbox(shelf.sessions.writers).claim("zerodb", limit=1, lease_s=0.0)
    (due,) = await PostgresReplicationBook(shelf.sessions.writers).due(items=1, size_bytes=1_000)

    assert (parcel.body, due.body) == ("mine", "mine")
    assert await shelf.bodies.of(shelf.item) == ("mine", "staged")
