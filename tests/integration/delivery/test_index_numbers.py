"""Documents are numbered as they are indexed, so that a search can begin with the newest."""

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import ContentKey
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

_NUMBERED = """
select content_id, ordinal, array(select l from unnest(tsvector_to_array(document)) l where l like '@e%')
from engarde.content_search order by ordinal
"""
_FORGOTTEN = """
update engarde.content_search set ordinal = null,
    document = ts_delete(document, array(select l from unnest(tsvector_to_array(document)) l where l like '@e%'));
delete from engarde.search_heads
"""
LEVELS = 5


class Shelf:
    """What one tenant writes and has indexed."""

    def __init__(self, sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> None:
        self.tenant = tenant
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.outbox = PostgresOutbox(sessions.writers)
        self.superuser = superuser

    async def write(self, count: int) -> list[str]:
        """Commit new items at once; their ids, in order."""
        made = await self.log.commit([creation(self.tenant, f"body {n}") for n in range(count)])
        return sorted(item.id for item in made if isinstance(item, Item))

    async def change(self, content_id: str) -> None:
        """Commit another title of an item."""
        (head,) = (await self.log.heads([ContentKey(self.tenant.id, content_id)])).values()
        write = changes.update(head.item, Patch(title="x"), by="user", at=head.item.created_at)
        await self.log.commit([write])

    async def index(self, most: int = 10) -> None:
        """Take everything into the index."""
        while await self.outbox.index_pending(most):
            continue

    async def numbered(self) -> dict[str, int]:
        """The numbers of the documents, all of which carry their eras."""
        rows = await self.superuser.fetch(_NUMBERED)
        assert all(len(row[2]) == LEVELS for row in rows), rows
        return {row[0]: row[1] for row in rows}


@pytest.fixture
async def shelf(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Shelf:
    """An empty shelf."""
    return Shelf(sessions, tenant, superuser)


async def test_numbers_follow_each_other(shelf: Shelf):
    """From batch to batch, in the order of the writes."""
    first = await shelf.write(3)
    await shelf.index()
    second = await shelf.write(2)
    await shelf.index()

    assert await shelf.numbered() == dict(zip(first + second, range(1, 6), strict=True))


async def test_a_change_keeps_the_number(shelf: Shelf):
    """An item does not become new by being edited."""
    ids = await shelf.write(3)
    await shelf.index()
    await shelf.change(ids[0])
    await shelf.index()

    assert await shelf.numbered() == dict(zip(ids, (1, 2, 3), strict=True))


async def test_daemons_that_index_one_brand_give_each_number_once(shelf: Shelf):
    """They wait for each other at the row of the brand."""
    ids = await shelf.write(40)
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(shelf.index, 3)

    numbered = await shelf.numbered()
    assert sorted(numbered.values()) == list(range(1, 41))
    assert set(numbered) == set(ids)


async def test_documents_of_before_are_numbered_downwards(shelf: Shelf):
    """When nothing waits, the newest first, below all that came since."""
    old = await shelf.write(9)
    await shelf.index()
    await shelf.superuser.execute(_FORGOTTEN)
    (new,) = await shelf.write(1)
    await shelf.index(1)

    assert await shelf.numbered() == {**{one: n - 8 for n, one in enumerate(old)}, new: 1}


async def test_a_document_of_before_that_is_changed_is_numbered_with_them(shelf: Shelf):
    """It is as old as it was."""
    ids = await shelf.write(3)
    await shelf.index()
    await shelf.superuser.execute(_FORGOTTEN)
    await shelf.change(ids[1])
    await shelf.index()

    assert await shelf.numbered() == dict(zip(ids, (-2, -1, 0), strict=True))
