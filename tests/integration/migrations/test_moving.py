"""The platform's own content moves in: everything once, nothing lost, and nothing that is not safe."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import anyio
import asyncpg
import pytest

from actors.delivery.messages import Wake
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.migrations import migrate
from engarde_daemon.adapters.postgres.moving import (
    Assets,
    Items,
    Migration,
    clear,
    count_texts,
    move,
)
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.testing.bodies import MemoryBodies
from tests.integration.migrations.platform import ACME, BOND, BRAND, USER, platform_database
from tests.support.carrying import delivery_to

TINY = {"free": Plan(name="free", storage_bytes=1, retention_days=1, monthly_items=1)}
THEIRS = "7e3c9f0a-1d52-4a0b-8f63-5b1c7d2e9a44"
_SPACE = """
    insert into campaign_spaces (id, tenant_id, brand_id, user_id, campaign_name, platform, import_source)
    values ($1, $2, $3, $4, 'Summer', 'meta', 'platform_api')
"""
_ASSETS = """
    insert into campaign_assets (id, campaign_space_id, tenant_id, user_id, asset_name, asset_type,
        headline_text, ad_copy_text, deleted_at)
    select 'asset-' || n, $1, $2, $3, 'Asset ' || n, 'ad_copy', 'Headline ' || n, 'Copy',
        case when n = 0 then now() end
    from generate_series(0, $4::int) n
"""


class House:
    """The platform's database with the daemon's schema, and what a migration works with."""

    def __init__(self, sessions: Sessions, sql: asyncpg.Connection) -> None:
        self.sql = sql
        self.writers = sessions.writers
        self.library = PostgresLibrary(sessions.readers)
        self.store = MemoryBodies()
        self.bodies = LayeredBodies(BodyCache(1000), self.library, self.store)
        self.book = PostgresLedgerBook(sessions.writers, TINY)
        self._sessions = sessions

    async def move_items(self, *, dry_run: bool = False) -> Migration:
        """What `engarde migrate content-items` does."""
        return await self._move(Items, dry_run=dry_run)

    async def move_assets(
        self, *, dry_run: bool = False, advance: Callable[[int], None] = lambda _: None
    ) -> Migration:
        """What `engarde migrate campaign-assets` does."""
        return await self._move(Assets, dry_run=dry_run, advance=advance)

    async def clear(self) -> tuple[int, int]:
        """What `--clear-source` adds: how many texts went, and how many stayed."""
        told = Migration()
        await clear(self.writers, told, lambda _: None)
        assert told.cleared + told.kept_texts <= await count_texts(self.writers) + told.cleared
        return told.cleared, told.kept_texts

    async def body(self, content_id: str, tenant: str = ACME) -> str:
        """The body of an item, wherever it is."""
        found = await self.library.find(ContentKey(tenant, content_id))
        assert found is not None
        return found.body if found.body is not None else (await self.bodies.of(found.item))[0]

    async def deliver(self) -> None:
        """Carry everything to the body store."""
        await delivery_to(self.store, self._sessions).receive(Wake())

    async def add_assets(self, count: int, *, brand: str | None = BRAND) -> None:
        """A campaign with assets; the first of them is deleted."""
        await self.sql.execute(_SPACE, "space", ACME, brand, USER)
        await self.sql.execute(_ASSETS, "space", ACME, USER, count)

    async def _move(
        self,
        source: type[Items | Assets],
        *,
        dry_run: bool,
        advance: Callable[[int], None] = lambda _: None,
    ) -> Migration:
        log = PostgresContentLog(self.writers, {})
        return await move(source(self.writers), log, dry_run=dry_run, advance=advance)


@pytest.fixture
async def house(postgres_server: EmbeddedPostgres) -> AsyncIterator[House]:
    """A platform's database after the daemon's first start, whose books are right in the end."""
    async with platform_database(postgres_server) as platform, platform.session() as sql:
        await migrate(platform.dsn)
        dsn_as = partial(_dsn, postgres_server, platform.database)
        async with Sessions(dsn_as, SessionLimits(readers=2, writers=4)) as sessions:
            house = House(sessions, sql)
            yield house
            assert await house.book.drift([ACME, BOND, "tenant-idle"]) == []


def _dsn(server: EmbeddedPostgres, database: str, role: str) -> str:
    return server.dsn(user=role, database=database)


async def rows(house: House) -> list[asyncpg.Record]:
    """All that the platform knows of its content."""
    return list(
        await house.sql.fetch(
            "select id, title, status, created_at, updated_at, deleted_at, approved_by "
            "from content_items order by id"
        )
    )


async def test_bodies_move_in_and_are_counted(house: House):
    """Of every tenant and of trashed items too; who is of no brand is told."""
    before = await rows(house)
    told = await house.move_items()

    assert (told.found, told.migrated, told.skipped, told.failed) == (6, 5, 0, 1)
    assert [reason.id for reason in told.reasons] == ["cnt_brandless"]
    assert await rows(house) == before
    assert [await house.body(i) for i in ("cnt_plain", "cnt_counted", "cnt_odd")] == [
        "größe", "hello", ""
    ]  # fmt: skip
    assert await house.body(THEIRS, BOND) == "secret"
    usage = await house.library.usage(ACME)
    assert (usage.items, usage.content_bytes) == (3, len("größe".encode()) + 5)


async def test_what_the_platform_wrote_past_the_daemon_is_counted(house: House):
    """It goes on writing until it is told not to; the ledger is mended and says so."""
    await house.sql.execute(
        "insert into content_items (id, tenant_id, brand_id, title, content_body, content_type) "
        "values ('late', $1, $2, 'Late', 'late text', 'post')",
        ACME,
        BRAND,
    )
    assert await house.book.drift([ACME]) != []

    told = await house.move_items()

    assert (told.recounted, told.migrated) == (1, 6)
    usage = await house.library.usage(ACME)
    assert (usage.items, usage.content_bytes) == (4, len("größe".encode()) + 5 + 9)


async def test_a_second_run_changes_nothing(house: House):
    """What was refused is refused again."""
    await house.move_items()
    versions = await house.sql.fetch("select * from engarde.content_versions order by 1, 2, 3")

    again = await house.move_items()

    assert (again.found, again.recounted, again.migrated, again.failed) == (1, 0, 0, 1)
    assert versions == await house.sql.fetch(
        "select * from engarde.content_versions order by 1, 2, 3"
    )


async def test_a_dry_run_counts_and_changes_nothing(house: House):
    """It names what would be refused."""
    await house.add_assets(3)
    for told in (
        await house.move_items(dry_run=True),
        await house.move_assets(dry_run=True),
    ):
        assert told.dry_run
        assert (told.migrated, told.found > told.failed, told.bytes > 0) == (0, True, True)

    assert await house.sql.fetchval("select count(*) from engarde.content_versions") == 0
    assert await house.sql.fetchval("select count(*) from content_items") == 6


async def test_old_texts_go_only_when_the_new_ones_are_safe(house: House):
    """Not before ZeroDB has proved that it holds them, and not where they differ."""
    await house.move_items()
    assert await house.clear() == (0, 4)
    assert await house.sql.fetchval("select content_body from content_items where id = 'cnt_plain'")

    await house.deliver()
    await house.sql.execute("update content_items set content_body = 'x' where id = 'cnt_counted'")

    assert await house.clear() == (3, 1)
    assert await house.body("cnt_plain") == "größe"
    left = await house.sql.fetch("select id from content_items where content_body is not null")
    assert {row["id"] for row in left} == {"cnt_counted", "cnt_brandless"}


async def test_assets_become_content_with_their_ids(house: House):
    """In the brand of their campaign; deleted ones stay where they are."""
    await house.add_assets(3)
    told = await house.move_assets()

    assert (told.found, told.migrated, told.failed) == (3, 3, 0)
    assert await house.body("asset-2") == "# Headline 2\n\nCopy"
    found = await house.library.find(ContentKey(ACME, "asset-2"))
    assert found is not None
    assert (found.item.brand_id, found.item.campaign_space_id) == (BRAND, "space")
    assert await house.library.find(ContentKey(ACME, "asset-0")) is None
    assert (await house.move_assets()).found == 0


async def test_assets_of_no_brand_are_told(house: House):
    """Each with its reason."""
    await house.add_assets(2, brand=None)
    told = await house.move_assets()

    assert (told.migrated, told.failed) == (0, 2)
    assert {reason.id for reason in told.reasons} == {"asset-1", "asset-2"}


async def test_what_was_erased_does_not_come_back(house: House):
    """However often the migration runs."""
    await house.add_assets(2)
    await house.move_assets()
    retention = PostgresRetention(house.writers, TINY)
    key = ContentKey(ACME, "asset-1")
    assert await retention.erase(key, erasure_id="e", by=USER, reason="request") == 1

    assert (await house.move_assets()).found == 0
    assert await house.library.find(key) is None


async def test_a_row_that_is_refused_holds_up_no_other(house: House):
    """Whatever rule of the platform's it breaks."""
    await house.add_assets(9)
    await house.sql.execute(
        "alter table content_items add constraint no_seven check (title <> 'Asset 7')"
    )

    told = await house.move_assets()

    assert (told.migrated, told.failed) == (8, 1)
    assert [reason.id for reason in told.reasons] == ["asset-7"]


async def test_rivals_move_each_row_once(house: House):
    """Two migrations at the same time, or one beside a daemon that is written to."""
    await house.add_assets(700)
    told: list[Migration] = []

    async def migrate_all() -> None:
        told.append(await house.move_assets())
        told.append(await house.move_items())

    async with anyio.create_task_group() as rivals:
        for _ in range(3):
            rivals.start_soon(migrate_all)

    assert sum(one.migrated for one in told) == 700 + 5
    assert await house.sql.fetchval("select count(*) from engarde.content_versions") == 705


async def test_a_migration_that_was_cut_off_goes_on(house: House):
    """Where it was."""
    await house.add_assets(700)

    class CutOff(Exception):
        """A person lost patience."""

    def cut_off(_: int) -> None:
        raise CutOff

    with pytest.raises(CutOff):
        await house.move_assets(advance=cut_off)
    told = await house.move_assets()

    assert (told.found, told.migrated) == (200, 200)


async def test_no_plan_refuses_what_is_there_already(house: House):
    """A plan that is too small for it is exceeded, and says so to whoever looks."""
    await house.sql.execute("update tenants set plan_tier = 'free'")
    await house.add_assets(3)
    await house.move_assets()
    await house.move_items()

    assert (await house.library.usage(ACME)).content_bytes > 1
    await house.book.restate_usage([ACME])
    level = "select warning_level from content_storage_usage where tenant_id = $1"
    assert await house.sql.fetchval(level, ACME) == "exceeded"
