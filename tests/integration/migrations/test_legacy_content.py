"""Content that the platform wrote before the daemon came is content like any other."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from actors.delivery.messages import Wake
from actors.ingest.actor import Ingest
from actors.ingest.messages import DeleteContent, UpdateContent, Written
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.postgres import isolation
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.migrations import migrate
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.config import Settings
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound
from engarde_daemon.ports.content import ContentKey, Filters
from engarde_daemon.testing.bodies import MemoryBodies
from tests.integration.migrations.platform import ACME, BOND, BRAND, USER, platform_database
from tests.support.carrying import delivery_to, settle_archive

PLANS = Settings().catalogue()
TENANTS = [ACME, BOND, "tenant-idle"]


class Studio:
    """What a daemon has on the platform's database, without the daemon."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.library = PostgresLibrary(sessions.readers)
        self.store = MemoryBodies()
        self.outbox = PostgresOutbox(sessions.writers)
        self.book = PostgresLedgerBook(sessions.writers, PLANS)
        self.bodies = LayeredBodies(BodyCache(1000), self.library, self.store)

    async def read(self, content_id: str, tenant: str = ACME) -> tuple[Item, str | None] | None:
        """An item as a reader gets it."""
        found = await self.library.find(ContentKey(tenant, content_id))
        return (found.item, found.body) if found else None

    async def listed(self, **filters: Any) -> dict[str, Item]:
        """The items of Acme's brand."""
        page = await self.library.list_items(
            ACME, BRAND, filters=Filters(**filters), after=None, size=50, skip=0
        )
        assert page.total == len(page.items)
        return {item.id: item for item in page.items}

    async def change(self, content_id: str, **fields: Any) -> Any:
        """What becomes of a change."""
        return await self._ingest(
            UpdateContent(
                tenant_id=ACME, content_id=content_id, user_id=USER, patch=Patch(**fields)
            )
        )

    async def delete(self, content_id: str) -> Any:
        """What becomes of a deletion."""
        return await self._ingest(
            DeleteContent(tenant_id=ACME, content_id=content_id, user_id=USER)
        )

    async def deliver(self) -> None:
        """Carry everything to the body store."""
        await delivery_to(self.store, self.sessions).receive(Wake())

    async def _ingest(self, message: Any) -> Any:
        actor = Ingest(
            PostgresContentLog(self.sessions.writers, PLANS),
            now=lambda: datetime.now(UTC),
            new_id=lambda: str(uuid.uuid4()),
            written=lambda _: None,
            admit_body=lambda _: True,
        )
        (answer,) = await actor.receive_batch([message])
        return answer


@pytest.fixture
async def studio(postgres_server: EmbeddedPostgres) -> AsyncIterator[Studio]:
    """A platform's database after the daemon's first start, whose books are right in the end."""
    async with platform_database(postgres_server) as platform:
        await migrate(platform.dsn)
        dsn_as = partial(_dsn, postgres_server, platform.database)
        async with Sessions(dsn_as, SessionLimits(readers=2, writers=2)) as sessions:
            await isolation.ensure(sessions.readers)
            studio = Studio(sessions)
            yield studio
            assert await studio.book.drift(TENANTS) == []


def _dsn(server: EmbeddedPostgres, database: str, role: str) -> str:
    return server.dsn(user=role, database=database)


async def test_it_is_counted_from_the_first_day_on(studio: Studio):
    """Live items of a brand and their bytes, without drift; tenants without content, too."""
    usage = await studio.library.usage(ACME)

    assert (usage.items, usage.content_bytes) == (3, 5)
    assert (usage.media_files, usage.media_bytes) == (2, 2000)
    assert (await studio.library.usage("tenant-idle")).items == 0


async def test_it_is_listed_with_its_preview(studio: Studio):
    """Deleted items, other tenants' and items of no brand are not in a brand's list."""
    items = await studio.listed()

    assert set(items) == {"cnt_plain", "cnt_counted", "cnt_odd"}
    assert items["cnt_plain"].preview == "größe"
    assert items["cnt_plain"].details.tags == ("spring",)


async def test_its_list_can_be_filtered(studio: Studio):
    """Also by types and statuses that only the platform knows."""
    assert set(await studio.listed(statuses=["published"])) == {"cnt_counted"}
    assert set(await studio.listed(types=["newsletter"])) == {"cnt_odd"}


@pytest.mark.parametrize(
    ("content_id", "version", "body"),
    [("cnt_plain", 1, "größe"), ("cnt_counted", 3, "hello"), ("cnt_odd", 1, "")],
)
async def test_it_is_read_from_the_platforms_row(
    studio: Studio, content_id: str, version: int, body: str
):
    """Its body lies where the platform put it."""
    found = await studio.read(content_id)

    assert found is not None
    assert (found[0].version, found[1]) == (version, body)
    assert (await studio.bodies.of_many(ACME, [found[0]])) == {content_id: body}


async def test_metadata_of_another_shape_is_kept(studio: Studio):
    """What the daemon does not understand is shown as it is, and survives a change."""
    await studio.change("cnt_odd", title="Less odd")

    found = await studio.read("cnt_odd")

    assert found is not None
    assert found[0].details.metadata == {"value": ["not", "an object"]}


@pytest.mark.parametrize("content_id", ["cnt_gone", "7e3c9f0a-1d52-4a0b-8f63-5b1c7d2e9a44"])
async def test_deleted_and_foreign_items_are_not_there(studio: Studio, content_id: str):
    """Neither to read nor to change."""
    assert await studio.read(content_id) is None
    assert isinstance(await studio.change(content_id, title="Mine"), NotFound)


async def test_an_item_of_no_brand_is_out_of_reach(studio: Studio):
    """It belongs to nobody the daemon knows; reading and changing agree about that."""
    assert await studio.read("cnt_brandless") is None
    assert isinstance(await studio.change("cnt_brandless", title="Mine"), NotFound)


@pytest.mark.parametrize(("content_id", "version"), [("cnt_plain", 2), ("cnt_counted", 4)])
async def test_its_first_change_moves_the_body_in(studio: Studio, content_id: str, version: int):
    """A change of the title alone takes the body along, to where all bodies live."""
    before = await studio.read(content_id)
    assert before is not None

    written = await studio.change(content_id, title="Moved in")
    assert isinstance(written, Written)
    assert (written.item.version, written.item.body_version) == (version, version)
    assert written.body == before[1]

    await studio.deliver()
    await studio.outbox.index_pending(100)
    await settle_archive(studio.outbox)
    after = await studio.read(content_id)
    assert after is not None
    assert (after[0].title, after[1]) == ("Moved in", None)
    assert await studio.bodies.of(after[0]) == (before[1], "zerodb")


async def test_its_bytes_count_once_they_moved_in(studio: Studio):
    """The platform had not counted them."""
    await studio.change("cnt_plain", title="Moved in")

    assert (await studio.library.usage(ACME)).content_bytes == 5 + len("größe".encode())


async def test_its_second_change_is_like_any_other(studio: Studio):
    """Once it has moved in, nothing remembers where it came from."""
    await studio.change("cnt_plain", body="new body")

    written = await studio.change("cnt_plain", title="Third")

    assert isinstance(written, Written)
    assert (written.item.version, written.item.body_version, written.body) == (3, 2, None)


async def test_it_can_be_deleted_as_it_is(studio: Studio):
    """Its tombstone carries the body to the store, so that it can be restored."""
    written = await studio.delete("cnt_plain")

    assert isinstance(written, Written)
    assert written.body == "größe"
    await studio.deliver()
    assert await studio.read("cnt_plain") is None
    assert (await studio.library.usage(ACME)).items == 2


async def test_it_is_found_by_its_words_once_it_moved_in(studio: Studio):
    """The index knows what the daemon has written."""
    await studio.change("cnt_plain", title="Moved in")

    assert set(await studio.listed(words="größe")) == {"cnt_plain"}
