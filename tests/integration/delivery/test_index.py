"""Search finds what was written, from the moment it was written."""

import anyio
import asyncpg
import pytest

from actors.indexer.actor import Indexer
from actors.indexer.messages import Wake
from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Idempotency, Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import Filters
from tests.support.acting import acting
from tests.support.carrying import settle_archive
from tests.support.content import creation
from tests.support.database import LARGE, PLANS, Tenant, add_tenant
from tests.support.oracle import eventually

_INDEXED = "select content_id, version from engarde.content_search"
when_indexed = pytest.mark.parametrize("indexed", [False, True], ids=["before", "after"])


class Shelf:
    """What one tenant writes, and what it finds."""

    def __init__(self, sessions: Sessions, tenant: Tenant) -> None:
        self.tenant = tenant
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.outbox = PostgresOutbox(sessions.writers)
        self.library = PostgresLibrary(sessions.readers)

    async def write(self, body: str, *, title: str = "Plain", tags: tuple[str, ...] = ()) -> Item:
        """Commit a new item."""
        (item,) = await self.log.commit([creation(self.tenant, body, title=title, tags=tags)])
        assert isinstance(item, Item), item
        return item

    async def change(self, item: Item, patch: Patch) -> Item:
        """Commit a change."""
        write = changes.update(item, patch, by="user", at=item.created_at)
        (changed,) = await self.log.commit([write])
        assert isinstance(changed, Item), changed
        return changed

    async def delete(self, item: Item) -> None:
        """Commit a deletion."""
        write = changes.delete(item, by="user", at=item.created_at)
        (gone,) = await self.log.commit([write])
        assert isinstance(gone, Item), gone

    async def index(self) -> None:
        """Take everything into the index, and its bodies out of PostgreSQL."""
        while await self.outbox.index_pending(10):
            continue
        parcels = await self.outbox.claim("zerodb", limit=1000, lease_s=0.0)
        await self.outbox.settle(parcels)
        await settle_archive(self.outbox)

    async def found(self, words: str | None = None, *, tags: list[str] | None = None) -> set[str]:
        """The ids that a search finds in the tenant's brand."""
        page = await self.library.list_items(
            self.tenant.id,
            self.tenant.brand_id,
            filters=Filters(words=words, tags=tags),
            after=None,
            size=50,
            skip=0,
        )
        assert page.total == len(page.items)
        return {item.id for item in page.items}


@pytest.fixture
async def shelf(sessions: Sessions, tenant: Tenant) -> Shelf:
    """An empty shelf."""
    return Shelf(sessions, tenant)


class TestReadYourWrites:
    """The index is behind, and nobody notices."""

    @when_indexed
    async def test_title_tags_and_body_are_searched(self, shelf: Shelf, *, indexed: bool):
        """Each finds the one item that has the word, in whatever form of it."""
        title = await shelf.write("nothing", title="Spring launches")
        tag = await shelf.write("nothing", tags=("Seasonal offers",))
        body = await shelf.write("The garden is blooming 🌱 in größe")
        if indexed:
            await shelf.index()

        assert await shelf.found("launch") == {title.id}
        assert await shelf.found("offer") == {tag.id}
        assert await shelf.found(tags=["seasonal OFFERS"]) == {tag.id}
        assert await shelf.found("bloom garden") == {body.id}
        assert await shelf.found("größe") == {body.id}
        assert await shelf.found("bloom launch") == set()

    @when_indexed
    async def test_a_new_body_is_found_and_the_old_one_is_not(self, shelf: Shelf, *, indexed: bool):
        """Whether or not the old one had reached the index."""
        item = await shelf.write("zebra")
        await shelf.index()
        await shelf.change(item, Patch(body="giraffe"))
        if indexed:
            await shelf.index()

        assert await shelf.found("giraffe") == {item.id}
        assert await shelf.found("zebra") == set()

    @when_indexed
    async def test_a_new_title_keeps_the_words_of_the_body(self, shelf: Shelf, *, indexed: bool):
        """Although PostgreSQL has no body any more from which to take them."""
        item = await shelf.write("zebra", title="Autumn")
        await shelf.index()
        await shelf.change(item, Patch(title="Winter"))
        if indexed:
            await shelf.index()

        assert await shelf.found("zebra") == {item.id}
        assert await shelf.found("winter") == {item.id}
        assert await shelf.found("autumn zebra") == set()

    @when_indexed
    async def test_what_is_deleted_is_not_found(self, shelf: Shelf, *, indexed: bool):
        """Nor counted among the hits."""
        item = await shelf.write("zebra")
        await shelf.index()
        await shelf.delete(item)
        if indexed:
            await shelf.index()

        assert await shelf.found("zebra") == set()

    async def test_the_newest_is_found_behind_a_long_backlog(self, shelf: Shelf):
        """A flood of writes does not hide what was just written."""
        await shelf.log.commit([creation(shelf.tenant, "flood") for _ in range(250)])
        item = await shelf.write("zebra")

        assert await shelf.found("zebra") == {item.id}

    @when_indexed
    async def test_another_tenant_finds_nothing_of_it(
        self, shelf: Shelf, sessions: Sessions, superuser: asyncpg.Connection, *, indexed: bool
    ):
        """Neither in the index nor in what waits for it."""
        await shelf.write("zebra")
        if indexed:
            await shelf.index()

        other = Shelf(sessions, await add_tenant(superuser, LARGE))
        assert await other.found("zebra") == set()


class TestIndexing:
    """The index comes to hold the newest version of everything."""

    async def test_several_indexers_leave_nothing_out(
        self, shelf: Shelf, dsn_as: DsnAs, superuser: asyncpg.Connection
    ):
        """Two daemons share the work; an older version never replaces a newer one."""
        expected = set()
        for number in range(20):
            item = await shelf.write(f"first {number}")
            item = await shelf.change(item, Patch(title=f"second {number}"))
            expected.add((item.id, (await shelf.change(item, Patch(body="third"))).version))

        async with Sessions(dsn_as, SessionLimits(readers=1, writers=3)) as rival:
            async with anyio.create_task_group() as tasks:
                for outbox in (shelf.outbox, PostgresOutbox(rival.writers)):
                    tasks.start_soon(_index_all, outbox)

        indexed = {(row["content_id"], row["version"]) for row in await superuser.fetch(_INDEXED)}
        assert indexed == expected
        assert await shelf.found("third") == {content_id for content_id, _ in expected}

    async def test_the_actor_works_until_nothing_is_left(self, shelf: Shelf):
        """One reminder is enough, however much waits."""
        for number in range(60):
            await shelf.write(f"body {number}")

        indexer = Indexer(shelf.outbox, poll_s=60.0, rest_s=lambda: 0.0)
        await indexer.receive(Wake())

        assert "search" not in await shelf.outbox.backlog()

    async def test_the_actor_looks_for_itself(self, shelf: Shelf):
        """What another daemon wrote is indexed without a hint."""
        async with acting(lambda: Indexer(shelf.outbox, poll_s=0.05, rest_s=lambda: 0.0)):
            await shelf.write("unannounced")

            async def indexed() -> bool:
                return "search" not in await shelf.outbox.backlog()

            await eventually(indexed)


async def test_of_versions_that_wait_together_only_the_newest_is_taken_in(
    shelf: Shelf, superuser: asyncpg.Connection
):
    """The others are settled with it; a body that an older one brought is in it all the same."""
    item = await shelf.write("first")
    other = await shelf.write("elsewhere")
    for patch in (Patch(body="second"), Patch(title="Third")):
        item = await shelf.change(item, patch)

    assert await shelf.outbox.index_pending(1) == 3  # the other, and two that are passed over
    assert await superuser.fetch(_INDEXED) == [(other.id, 1)]
    while await shelf.outbox.index_pending(1):
        continue

    assert set(await superuser.fetch(_INDEXED)) == {(other.id, 1), (item.id, 3)}
    assert await shelf.found("second") == await shelf.found("third") == {item.id}
    assert await shelf.found("first") == set()


class TestHousekeeping:
    """What grows with time is cut back."""

    async def test_idempotency_keys_are_kept_long_enough_and_no_longer(
        self, shelf: Shelf, superuser: asyncpg.Connection
    ):
        """Four days; three are promised."""
        for age in ("95 hours", "97 hours"):
            key = Idempotency("caller", age, "fingerprint")
            await shelf.log.commit([creation(shelf.tenant, "body", idempotency=key)])
        await superuser.execute(
            "update engarde.idempotency_keys set created_at = clock_timestamp() - key::interval"
        )

        assert await shelf.outbox.forget_keys(10) == 1
        assert await superuser.fetchval("select key from engarde.idempotency_keys") == "95 hours"


async def _index_all(outbox: PostgresOutbox) -> None:
    while await outbox.index_pending(3):
        continue
