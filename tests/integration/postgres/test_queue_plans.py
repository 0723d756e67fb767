"""Work on queues costs what a batch costs, also by a plan that was made while they were empty.

Queues are empty most of the time, and a session keeps its plans: a batch must not become as dear as
all that waits behind it, which is when it matters.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import PostgresDuesBook, PostgresReplicationBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.content import ContentKey, Filters, Listed
from engarde_daemon.ports.lists import Sort
from engarde_daemon.ports.replication import Outcome
from engarde_daemon.ports.retention import VersionsLook
from tests.support.database import PLANS, migrated_database, migrated_template, postgres_server
from tests.support.plans import recorded, show_plans

__all__ = ["migrated_template", "postgres_server"]

BATCH = 10
FRESH = 200  # versions that a search looks at before they are indexed
CALLS = 8  # PostgreSQL may turn to a generic plan after five
ROWS_PER_BATCH_MAX = 50 * BATCH
ROWS_PER_PAGE_MAX = 60
LARGE_TABLES = {
    "archive_dues",
    "content_items",
    "content_search",
    "content_versions",
    "outbox",
    "staged_bodies",
}

VACUUMED = """
vacuum analyze engarde.outbox, engarde.staged_bodies, engarde.content_search, engarde.archive_dues
"""
FILLED = """
insert into tenants (id) values ('tenant');
insert into engarde.content_versions (tenant_id, content_id, version, body_version, zerodb_id,
    brand_id, user_id, title, content_type, status, details, preview, size_bytes, body_sha256,
    change_type, changed_by, changes_summary, content_created_at, created_at)
select 'tenant', 'content-' || n, 1, 1, 'record-' || n, 'brand', '', 'title', 'post', 'draft', '{}', '', 4,
    encode(sha256('body'), 'hex'), 'create', '', '', now(), now() from generate_series(1, 3000) n;
insert into engarde.outbox (destination, tenant_id, content_id, version)
select d, tenant_id, content_id, version
from engarde.content_versions cross join (values ('zerodb'), ('search')) x (d);
insert into engarde.staged_bodies (tenant_id, content_id, version, body, size_bytes)
select tenant_id, content_id, version, 'body', 4 from engarde.content_versions;
insert into engarde.content_search (tenant_id, content_id, version, document)
select 'tenant', 'indexed-' || n, 1, '' from generate_series(1, 3000) n;
insert into engarde.archive_dues (table_name, tenant_id, row_id, at, archive_row)
select 'content_analytics', 'tenant', 'row-' || n, now(), jsonb_build_object(
    'metric_id', 'row-' || n, 'content_id', 'content-1', 'tenant_id', 'tenant', 'brand_id', 'brand',
    'metric_date', '2026-01-01', 'platform', 'meta', 'created_at', now(), 'revision', 1)
from generate_series(1, 3000) n;
"""

LISTED = """
insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status, version,
    body_version, zerodb_id, storage_size_bytes, body_sha256)
select content_id, tenant_id, brand_id, user_id, title, content_type, status, 2,
    1, zerodb_id, 4, body_sha256
from engarde.content_versions
"""
OLD = """
delete from engarde.outbox;
update engarde.content_versions set created_at = '2020-01-01'
"""

MONTHS, SETTLED_A_MONTH = 3, 2
SETTLED = """
insert into tenants (id) select 'tenant-' || n from generate_series(1, 1000) n;
insert into engarde.generation_usage (tenant_id, period, used_items)
select 'tenant-' || n, date '2026-01-01' + make_interval(months => m), 2
from generate_series(1, 1000) n, generate_series(1, 3) m;
insert into engarde.reservations (id, tenant_id, resource, period, amount, actual, state, expires_at)
select gen_random_uuid(), g.tenant_id, 'generation', g.period, 1, 1, 'settled', now()
from engarde.generation_usage g, generate_series(1, 2) n;
analyze engarde.reservations, engarde.generation_usage
"""
STAGED = """
insert into engarde.staged_bodies (tenant_id, content_id, version, body, size_bytes)
select 'tenant', 'content-' || n, 1, repeat('x', 4000), 4000 from generate_series(1, 500) n
"""

Work = Callable[[asyncpg.Connection], Awaitable[object]]


async def index(link: asyncpg.Connection) -> int:
    """Take a batch into the full-text index."""
    return await PostgresOutbox(link).index_pending(BATCH)


async def deliver(link: asyncpg.Connection) -> int:
    """Claim a batch for the body store and acknowledge it."""
    outbox = PostgresOutbox(link)
    return await outbox.settle(await outbox.claim("zerodb", limit=BATCH, lease_s=30))


async def archive(link: asyncpg.Connection) -> int:
    """Note that a batch has come to the archive."""
    book = PostgresReplicationBook(link)
    owed = await book.due(items=BATCH, size_bytes=1_000_000)
    turn = await book.take_turn(ArchiveTable.SNAPSHOTS, lease_s=30)
    assert turn is not None
    ids = [one.id for one in owed]
    await book.freeze(turn, ids, began="stream", lease_s=30)
    outcome = Outcome(stored=ids, advance=len(owed))
    await book.finish(turn, outcome, lease_s=30)
    await book.settle()
    await book.give_back(turn)
    return len(owed)


async def archive_rows(link: asyncpg.Connection) -> int:
    """The same of rows that lie ready."""
    book = PostgresDuesBook(link)
    due = await book.due(ArchiveTable.ANALYTICS, items=BATCH)
    turn = await book.take_turn(ArchiveTable.ANALYTICS, lease_s=30)
    assert turn is not None
    outcome = Outcome(stored=[one.id for one in due], advance=len(due))
    await book.finish(turn, outcome, lease_s=30)
    await book.give_back(turn)
    return len(due)


async def look_for_the_archive(link: asyncpg.Connection) -> int:
    """Read what a batch for the archive is made of."""
    return len(await PostgresReplicationBook(link).due(items=BATCH, size_bytes=1_000_000))


async def search(link: asyncpg.Connection) -> Listed:
    """Look for a word that every item has."""
    return await PostgresLibrary(link).list_items(
        "tenant",
        "brand",
        filters=Filters(words="title"),
        after=None,
        size=BATCH,
        skip=0,
        sort=Sort.RELEVANCE,
    )


@pytest.fixture
async def emptied(
    postgres_server: EmbeddedPostgres, migrated_template: str
) -> AsyncIterator[tuple[asyncpg.Connection, DsnAs]]:
    """A superuser of a database whose queues are known to be empty and whose sessions send their plans."""
    async with migrated_database(postgres_server, migrated_template) as dsn_as:
        link = await asyncpg.connect(dsn_as("postgres"), timeout=10, command_timeout=60)
        await link.execute(VACUUMED)
        await show_plans(link, await link.fetchval("select current_database()"))
        yield link, dsn_as
        await link.close(timeout=10)


@pytest.mark.parametrize("work", [index, deliver, archive, archive_rows, look_for_the_archive])
async def test_a_batch_reads_no_more_than_itself(
    emptied: tuple[asyncpg.Connection, DsnAs], work: Work
):
    """Of the queues and of the index, however much of each there is."""
    superuser, dsn_as = emptied
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            for _ in range(CALLS):
                assert await work(session) == 0
            await superuser.execute(FILLED)
            with recorded(session) as nodes:
                assert await work(session) == BATCH

    read = [node for node in nodes if node.table in LARGE_TABLES]
    assert read, "no plan came"
    assert [node for node in read if node.rows > ROWS_PER_BATCH_MAX] == []


async def test_the_oldest_that_waits_is_found_without_the_others(
    emptied: tuple[asyncpg.Connection, DsnAs],
):
    """And each that waits is counted once; it happens every second."""
    superuser, dsn_as = emptied
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            outbox = PostgresOutbox(session)
            for _ in range(CALLS):
                assert await outbox.backlog() == {}
            await superuser.execute(FILLED)
            with recorded(session) as nodes:
                backlog = await outbox.backlog()

    assert [each.rows for each in backlog.values()] == [3000] * 3
    read = sorted(node.rows for node in nodes if node.table == "outbox")
    assert read == [3, 3 * 3000]


async def test_a_look_for_old_versions_reads_no_more_than_its_part(
    emptied: tuple[asyncpg.Connection, DsnAs],
):
    """However many are old enough to go: it comes twice a minute, and most are their items' present ones."""
    superuser, dsn_as = emptied
    await superuser.execute(FILLED)
    await superuser.execute(LISTED)
    await superuser.execute(OLD)
    await superuser.execute("update content_items set version = 1")
    await superuser.execute("vacuum full analyze engarde.content_versions")
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            with recorded(session) as nodes:
                looks = [await PostgresRetention(session, PLANS).trim_versions(10) for _ in "12"]

    assert looks == [VersionsLook(trimmed=0, is_through=False)] * 2
    read = [node.rows for node in nodes if node.table in ("content_versions", "content_items")]
    assert 0 < max(read) <= 10 * ROWS_PER_PAGE_MAX


async def test_old_versions_go_wherever_they_lie(emptied: tuple[asyncpg.Connection, DsnAs]):
    """One part after the other."""
    superuser, dsn_as = emptied
    await superuser.execute(FILLED)
    await superuser.execute(LISTED)
    await superuser.execute(OLD)
    looks = list[VersionsLook]()
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        retention = PostgresRetention(sessions.writers, PLANS)
        while not looks or not looks[-1].is_through:
            looks.append(await retention.trim_versions(10))

    assert sum(look.trimmed for look in looks) == 3_000
    assert max(look.trimmed for look in looks) <= 10 * ROWS_PER_PAGE_MAX


async def test_trash_too_young_to_go_is_not_read(emptied: tuple[asyncpg.Connection, DsnAs]):
    """However much there is of it; this look comes as often."""
    superuser, dsn_as = emptied
    await superuser.execute(FILLED)
    await superuser.execute(LISTED)
    await superuser.execute("update content_items set deleted_at = now()")
    await superuser.execute("vacuum analyze content_items")
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            with recorded(session) as nodes:
                assert await PostgresRetention(session, PLANS).expired_trash(BATCH) == []

    read = [node for node in nodes if node.table == "content_items"]
    assert read, "no plan came"
    assert [node for node in read if node.rows > 0] == []


async def test_a_read_of_an_item_reads_no_other(emptied: tuple[asyncpg.Connection, DsnAs]):
    """However many bodies wait for delivery, which were none when the session made its plan."""
    superuser, dsn_as = emptied
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.readers.acquire() as session:
            library = PostgresLibrary(session)
            for _ in range(CALLS):
                assert await library.find(ContentKey("tenant", "content-1")) is None
            await superuser.execute(FILLED)
            await superuser.execute(LISTED)
            with recorded(session) as nodes:
                found = await library.find(ContentKey("tenant", "content-1"))

    assert found is not None
    assert found.body == "body"
    read = [node for node in nodes if node.table in LARGE_TABLES]
    assert read, "no plan came"
    assert [node for node in read if node.rows > ROWS_PER_BATCH_MAX] == []


async def test_a_search_reads_no_more_of_what_waits_than_it_looks_at(
    emptied: tuple[asyncpg.Connection, DsnAs],
):
    """However many bodies wait for delivery, which were none when the session made its plan."""
    superuser, dsn_as = emptied
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.readers.acquire() as session:
            for _ in range(CALLS):
                assert not (await search(session)).items
            await superuser.execute(FILLED)
            await superuser.execute(LISTED)
            with recorded(session) as nodes:
                found = await search(session)

    assert len(found.items) == BATCH
    read = [node for node in nodes if node.table == "staged_bodies"]
    assert read, "no plan came"
    assert [node for node in read if node.rows > FRESH] == []


async def test_the_state_of_items_is_read_by_key(emptied: tuple[asyncpg.Connection, DsnAs]):
    """Also by a session that knew the table while it was empty: a change waits for it."""
    superuser, dsn_as = emptied
    await superuser.execute("vacuum analyze content_items")
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            log = PostgresContentLog(session, PLANS)
            keys = [ContentKey("tenant", f"content-{n}") for n in range(1, BATCH + 1)]
            for _ in range(CALLS):
                assert await log.heads(keys) == {}
            await superuser.execute(FILLED)
            await superuser.execute(LISTED)
            with recorded(session) as nodes:
                assert len(await log.heads(keys)) == BATCH

    read = [node for node in nodes if node.table == "content_items"]
    assert read, "no plan came"
    assert [node for node in read if node.rows > BATCH] == []


async def test_the_books_of_a_tenant_are_checked_by_what_it_settled(
    emptied: tuple[asyncpg.Connection, DsnAs],
):
    """And not, once for each of its months, by all that was ever reserved: callers wait meanwhile."""
    superuser, dsn_as = emptied
    await superuser.execute(SETTLED)
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            with recorded(session) as nodes:
                assert await PostgresLedgerBook(session, PLANS).drift(["tenant-1"]) == []

    read = [node for node in nodes if node.table == "reservations"]
    assert read, "no plan came"
    assert [node for node in read if node.rows > MONTHS * SETTLED_A_MONTH] == []


async def test_how_much_is_staged_is_known_without_a_look_at_bodies(
    emptied: tuple[asyncpg.Connection, DsnAs],
):
    """It is asked for every second, most of all while ZeroDB is away and they grow."""
    superuser, dsn_as = emptied
    # A vacuum knows of no page yet whose writers are not on disk for sure.
    await superuser.execute("set synchronous_commit = on")
    await superuser.execute(STAGED)
    await superuser.execute("vacuum analyze engarde.staged_bodies")
    async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
        async with sessions.writers.acquire() as session:
            with recorded(session) as nodes:
                assert await PostgresOutbox(session).staged_bytes() == 500 * 4_000

    (read,) = (node for node in nodes if node.table == "staged_bodies")
    assert read.kind == "Index Only Scan"
