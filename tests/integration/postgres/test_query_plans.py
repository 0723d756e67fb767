"""Hot statements reach what they need by an index, in a database where it matters.

Each is asked as the daemon asks it, in the daemon's role, more often than it takes a session to
turn to a generic plan; what it changed is rolled back.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.keys import PostgresKeyDirectory
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch
from engarde_daemon.ports.content import ContentKey, Filters
from engarde_daemon.ports.lists import SortedPlace
from tests.support.database import PLANS, migrated_database, migrated_template, postgres_server
from tests.support.patience import PATIENCE_S
from tests.support.plans import Node, recorded, show_plans

__all__ = ["migrated_template", "postgres_server"]

TENANT, BRAND = "tenant-0", "brand-0"
ITEM = "00000000-0000-7000-8000-000000025001"
MIDDLE = SortedPlace(
    content_id=ITEM, at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=25_001)
)
CALLS = 8  # PostgreSQL may turn to a generic plan after five
LARGE_TABLES = {"content_items", "content_versions", "content_search", "outbox"}

# 50,000 items, of which the first tenant has 30,000 in one brand: nine in ten are drafts of posts, a
# tenth of these with a schedule, the rest eight rarer kinds. One in 10,000 holds the word `needle`,
# every other `hay`: one in 100 `soft hay`, one in 20 also `straw`, and all but the newest 10,000 `chaff`.
# 20,000 wait to be indexed and 5,000 to be delivered, most of these leased. A thousand tenants with one
# item each have PostgreSQL believe that every brand is small.
FILLED = """
insert into tenants (id) select 'tenant-' || n from generate_series(0, 99) n;
insert into brands (id, tenant_id, name)
select 'brand-' || n, 'tenant-' || n, '' from generate_series(0, 99) n;
insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status, preview,
    content_metadata, created_at, updated_at, zerodb_id, storage_size_bytes, version, body_version,
    body_sha256, scheduled_at)
select id, 'tenant-' || t, 'brand-' || t, '', 'item ' || n,
    case when n % 10 = 1 then (array['ad', 'email'])[1 + n / 10 % 2] else 'post' end,
    case when n % 10 = 1 then (array['draft', 'scheduled', 'published', 'archived'])[1 + n / 20 % 4]
         else 'draft' end,
    'text', '{}', at, at, id, 4, 1, 1, repeat('0', 64), case when n % 10 = 2 then at end
from generate_series(1, 50000) n
cross join lateral (select case when n % 5 < 3 then 0 else n % 100 end as t,
                           '00000000-0000-7000-8000-' || lpad(n::text, 12, '0') as id,
                           timestamp '2026-01-01' + make_interval(secs => n) as at) x;
insert into engarde.content_versions (tenant_id, content_id, version, body_version, zerodb_id,
    brand_id, user_id, title, content_type, status, details, preview, size_bytes, body_sha256,
    change_type, changed_by, changes_summary, content_created_at, created_at)
select tenant_id, id, 1, 1, id, brand_id, '', title, content_type, status, '{}', preview, 4,
    body_sha256, 'create', '', '', created_at, created_at from content_items;
insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
select tenant_id, brand_id, content_type, status, count(*), 4 * count(*)
from content_items group by 1, 2, 3, 4;
insert into content_storage_usage (tenant_id, total_content_items, total_storage_bytes)
select tenant_id, count(*), 4 * count(*) from content_items group by 1;
insert into engarde.content_search (tenant_id, content_id, version, document)
select i.tenant_id, i.id, 1, engarde.search_document_v1(i.brand_id, i.title, '{}',
    to_tsvector('english', case
        when i.id like '%0000' then 'needle'
        when i.id like '%06' then 'soft hay'
        when right(i.id, 2)::int % 20 = 1 then 'hay soft straw'
        else 'hay soft' end || case when right(i.id, 5)::int <= 40000 then ' chaff' else '' end))
from content_items i;
select engarde.number_documents_v1(50000);
insert into tenants (id) select 'lone-' || n from generate_series(1, 1000) n;
insert into brands (id, tenant_id, name) select 'lone-' || n, 'lone-' || n, '' from generate_series(1, 1000) n;
insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status)
select 'lone-' || n, 'lone-' || n, 'lone-' || n, '', '', 'post', 'draft' from generate_series(1, 1000) n;
insert into engarde.outbox (destination, tenant_id, content_id, version)
select 'search', tenant_id, id, 1 from content_items limit 20000;
insert into engarde.outbox (destination, tenant_id, content_id, version, leased_until)
select 'zerodb', tenant_id, id, 1, now() + case when random() < 0.9 then interval '1 hour' else '0' end
from content_items limit 5000;
insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, secret_sha256)
select 'key-' || n, 'tenant-0', 'brand-0', '', 'editor', sha256('x') from generate_series(1, 5000) n;
insert into tenants (id) values ('long');
insert into users (id, tenant_id) values ('long', 'long');
insert into brands (id, tenant_id, name) values ('long', 'long', '');
insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status, deleted_at)
select 'long-' || n, 'long', 'long', '', '', 'post', 'draft', timestamp '2026-01-01' + make_interval(secs => n)
from generate_series(1, 3000) n;
insert into engarde.content_versions (tenant_id, content_id, version, body_version, zerodb_id, brand_id, user_id, title,
    content_type, status, details, preview, size_bytes, body_sha256, change_type, changed_by, changes_summary,
    content_created_at, created_at)
select 'long', 'long-1', n, 1, 'long-' || n, 'long', '', '', 'post', 'draft', '{}', '', 4, repeat('0', 64), 'update', '',
    '', timestamp '2026-01-01', timestamp '2026-01-01' from generate_series(1, 3000) n;
insert into engarde.webhooks (tenant_id, id, url, types, description, secret, position)
values ('long', 'long', '', '{content.created}', '', '', 0);
insert into engarde.webhook_deliveries (tenant_id, webhook_id, number, event_id, position, type, state, due_at)
select 'long', 'long', n, gen_random_uuid(), n, '', 'delivered', null from generate_series(1, 3000) n;
insert into content_generation_jobs (id, tenant_id, brand_id, user_id, job_type, target_count, content_type, status,
    spec, created_at)
select 'long-' || n, 'long', 'long', 'long', '', 1, 'post', 'completed', '{}', timestamp '2026-01-01' + make_interval(secs => n)
from generate_series(1, 3000) n;
insert into engarde.generation_items (tenant_id, job_id, number, state, content_id, failure)
select 'long', 'long-1', n, case when n < 3000 then 'stored' else 'failed' end,
    case when n < 3000 then 'content' end, case when n = 3000 then 'refused' end
from generate_series(1, 3000) n;
"""

Question = Callable[[asyncpg.Connection], Awaitable[object]]


@pytest.fixture(scope="module")
async def filled(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[DsnAs]:
    """A filled database, whose sessions send their plans."""
    async with migrated_database(postgres_server, migrated_template) as dsn_as:
        link = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S, command_timeout=60)
        await link.execute(FILLED)
        await link.execute("vacuum analyze")
        await show_plans(link, await link.fetchval("select current_database()"))
        await link.close(timeout=PATIENCE_S)
        yield dsn_as


@pytest.fixture(scope="module")
async def daemons(filled: DsnAs) -> AsyncIterator[Sessions]:
    """Sessions as the daemon opens them."""
    async with Sessions(filled, SessionLimits(readers=1, writers=1)) as sessions:
        yield sessions


@asynccontextmanager
async def rolled_back(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection of a pool, on which nothing lasts."""
    async with pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        try:
            yield connection
        finally:
            await change.rollback()


async def steps_of(pool: asyncpg.Pool, question: Question) -> list[Node]:
    """The steps by which a question is answered, asked until its plan does not change any more."""
    async with rolled_back(pool) as connection:
        await question(connection)  # asyncpg looks up types before it asks for the first time
        with recorded(connection) as nodes:
            for _ in range(CALLS):
                await question(connection)
    assert nodes, "no plan came"
    return nodes


def indexes_on(table: str, nodes: list[Node]) -> set[str]:
    """The indexes by which a table was reached; none may have been read from end to end."""
    scanned = {node.table for node in nodes if node.kind == "Seq Scan"} & LARGE_TABLES
    assert scanned == set(), f"read from end to end: {scanned}"
    near = [node for node in nodes if node.table == table and node.index]
    below = [node for node in nodes if node.kind == "Bitmap Index Scan" and node.index]
    return {str(node.index) for node in (*near, *below) if str(node.index).startswith(table)}


async def page(connection: asyncpg.Connection, after: SortedPlace | None, **wanted: object) -> int:
    """How many items a page of the large brand holds."""
    listed = await PostgresLibrary(connection).list_items(
        TENANT,
        BRAND,
        filters=msgspec.convert(wanted, Filters),
        after=after,
        size=21,
        skip=0,
    )
    return len(listed.items)


class TestPages:
    """Pages of a brand with 30,000 items."""

    async def test_the_first_page_walks_the_index(self, daemons: Sessions):
        """In the order of the list: nothing is sorted, nothing read that is not shown."""
        nodes = await steps_of(daemons.readers, lambda link: page(link, None))

        assert indexes_on("content_items", nodes) == {"content_items_page"}
        assert "Sort" not in Counter(node.kind for node in nodes)

    async def test_a_page_deep_in_the_list_begins_at_its_place(self, daemons: Sessions):
        """The cursor is a condition of the index, not something to be counted up to."""
        nodes = await steps_of(daemons.readers, lambda link: page(link, MIDDLE))

        assert indexes_on("content_items", nodes) == {"content_items_page"}
        assert "Sort" not in Counter(node.kind for node in nodes)

    async def test_the_total_comes_from_the_counters(self, daemons: Sessions):
        """30,000 items are not counted to say that they are 30,000."""
        nodes = await steps_of(daemons.readers, lambda link: page(link, None))

        assert "content_counts" in {node.table for node in nodes}
        assert "Aggregate" in {node.kind for node in nodes}

    async def test_a_search_asks_the_full_text_index(self, daemons: Sessions):
        """Although row level security keeps `@@` from every index of a reader's own."""
        nodes = await steps_of(daemons.readers, lambda link: page(link, None, words="needle"))

        assert "content_search_document" in indexes_on("content_search", nodes)
        assert "content_items_pkey" in indexes_on("content_items", nodes)

    async def test_the_search_found_something(self, daemons: Sessions):
        """Else the plans above would be those of an empty answer."""
        async with rolled_back(daemons.readers) as connection:
            assert await page(connection, None, words="needle") == 5
            assert await page(connection, MIDDLE) == 21


class TestSingleItems:
    """What one request asks of one item."""

    async def test_an_item_is_found_by_its_primary_key(self, daemons: Sessions):
        """And so is its history."""
        key = ContentKey(TENANT, ITEM)
        nodes = await steps_of(daemons.readers, lambda link: PostgresLibrary(link).find(key))

        assert indexes_on("content_items", nodes) == {"content_items_pkey"}
        assert indexes_on("content_versions", nodes) == {"content_versions_pkey"}

    async def test_a_version_is_found_by_its_primary_key(self, daemons: Sessions):
        """For an answer that is given again."""
        key = ContentKey(TENANT, ITEM)
        nodes = await steps_of(
            daemons.readers, lambda link: PostgresLibrary(link).find_version(key, 1)
        )

        assert indexes_on("content_versions", nodes) == {"content_versions_pkey"}

    async def test_a_key_is_found_by_its_primary_key(self, daemons: Sessions):
        """Once in a few seconds for every caller."""
        nodes = await steps_of(
            daemons.readers, lambda link: PostgresKeyDirectory(link).find("key-7")
        )

        assert indexes_on("api_keys", nodes) == {"api_keys_pkey"}

    async def test_a_change_touches_no_more_than_its_item(self, daemons: Sessions):
        """The heads, the refusals, the update and the counters, batch after batch."""

        async def change(connection: asyncpg.Connection) -> None:
            log, key = PostgresContentLog(connection, PLANS), ContentKey(TENANT, ITEM)
            before = (await log.heads([key]))[key].item
            moment = datetime(2026, 2, 1, tzinfo=UTC)
            await log.commit([changes.update(before, Patch(title="x"), by="me", at=moment)])

        nodes = await steps_of(daemons.writers, change)

        assert indexes_on("content_items", nodes) == {"content_items_pkey"}


class TestBackgroundWork:
    """What runs all the time."""

    async def test_a_claim_walks_the_outbox_in_order(self, daemons: Sessions):
        """The oldest rows of a destination, without a sort."""
        nodes = await steps_of(
            daemons.writers,
            lambda link: PostgresOutbox(link).claim("zerodb", limit=50, lease_s=30),
        )

        assert "outbox_claim" in indexes_on("outbox", nodes)
        assert indexes_on("content_versions", nodes) == {"content_versions_pkey"}

    async def test_a_claim_found_something(self, daemons: Sessions):
        """Else the plan above would be that of an empty answer."""
        async with rolled_back(daemons.writers) as connection:
            assert len(await PostgresOutbox(connection).claim("zerodb", limit=50, lease_s=30)) == 50
