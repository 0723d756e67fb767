"""What operators see costs the same however much content there is.

10,000 tenants, one in a hundred of them near its limit, with 60,000 versions and as many events,
40,000 jobs of both large kinds that are done and a few that are not.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.overview import (
    JOBS_SHOWN,
    PostgresDaemonRegister,
    PostgresOverview,
)
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.adapters.postgres.tenants import PostgresTenantOffice
from engarde_daemon.domain.plans import Level
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.overview import Identity, JobSort
from engarde_daemon.ports.tenants import TenantFilters, TenantSort
from tests.integration.postgres.test_query_plans import rolled_back, steps_of
from tests.support.database import PLANS, migrated_database, migrated_template, postgres_server
from tests.support.patience import PATIENCE_S
from tests.support.plans import Node, show_plans

__all__ = ["migrated_template", "postgres_server"]

TENANTS, VERSIONS, JOBS, LIVE, NEAR = 10_000, 60_000, 40_000, 40, 100
FILLED = """
insert into tenants (id, name, plan_tier) select 'tenant-' || n, 'Tenant ' || n % 977, 'free'
from generate_series(1, 10000) n;
insert into users (id, tenant_id) values ('user', 'tenant-1');
insert into content_storage_usage (tenant_id, total_storage_bytes, warning_level)
select 'tenant-' || n, n * 1000, case when n % 100 = 0 then 'warning' else 'normal' end
from generate_series(1, 10000) n;
insert into engarde.content_versions (tenant_id, content_id, version, body_version, zerodb_id, brand_id,
    user_id, title, content_type, status, details, preview, size_bytes, body_sha256, change_type, changed_by,
    changes_summary, content_created_at, created_at)
select 'tenant-' || n % 10000, 'item-' || n, 1, 1, 'row-' || n, '', '', '', 'post', 'draft', '{}', '', 4,
    repeat('0', 64), 'create', '', '', now(), now() from generate_series(1, 60000) n;
insert into engarde.events (tenant_id, position, type, occurred_at)
select 'tenant-' || n % 10000, n, 'content.created', now() - make_interval(secs => 60000 - n)
from generate_series(1, 60000) n;
insert into content_generation_jobs (id, tenant_id, user_id, job_type, target_count, content_type, status, spec,
    created_at)
select 'job-' || n, 'tenant-1', 'user', 'batch', 10, 'post', case when n % 1000 = 0 then 'running' else 'completed' end,
    '{}', timestamp '2027-01-01' + make_interval(secs => n) from generate_series(1, 40000) n;
insert into engarde.import_jobs (id, tenant_id, brand_id, user_id, campaign_space_id, platform,
    external_campaign_id, spec, fingerprint, status, created_at, completed_at)
select 'import-' || n, 'tenant-1', '', '', '', 'meta', '', '{}', '', case when n % 1000 = 0 then 'running' else 'completed' end,
    timestamptz '2026-12-01' + make_interval(secs => n), case when n % 1000 = 0 then null else now() end
from generate_series(1, 40000) n;
insert into engarde.recovery_jobs (id, kind, wish, ordered_by, created_at)
values ('verify', 'verify', '{"scope": {"tenant_id": "tenant-7"}}', '', '2027-02-01');
"""
ME = Identity(id="me", name="host", address="127.0.0.1:8700", version="1", pid=1)
LARGE = {"content_versions", "events", "content_generation_jobs", "import_jobs", "outbox"}


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


class Link:
    """A connection as a pool of itself, so that its plans can be seen."""

    def __init__(self, link: asyncpg.Connection) -> None:
        self._link = link
        self.fetch, self.fetchval, self.fetchrow = link.fetch, link.fetchval, link.fetchrow
        self.execute = link.execute

    def acquire(self) -> "Link":
        """Lend it."""
        return self

    async def __aenter__(self) -> asyncpg.Connection:
        return self._link

    async def __aexit__(self, *_: object) -> None:
        """Keep it."""


def overview(link: asyncpg.Connection) -> PostgresOverview:
    """The adapter on one connection."""
    return PostgresOverview(Link(link), PLANS)


def scanned(nodes: list[Node]) -> set[str | None]:
    """The large tables that were read from end to end."""
    return {node.table for node in nodes if node.kind == "Seq Scan"} & LARGE


def rows_read(nodes: list[Node], table: str) -> int:
    """How many rows of a table were read at most by one call."""
    return max((node.rows for node in nodes if node.table == table), default=0)


async def test_a_look_counts_nothing_that_grows_with_content(daemons: Sessions):
    """Versions are tallied, and of jobs and tenants only those are read that are shown."""
    nodes = await steps_of(daemons.writers, lambda link: overview(link).look("me"))

    assert scanned(nodes) == set()
    assert rows_read(nodes, "content_versions") == 0
    assert rows_read(nodes, "content_generation_jobs") <= LIVE
    assert rows_read(nodes, "import_jobs") <= LIVE
    assert rows_read(nodes, "content_storage_usage") <= NEAR


async def test_a_look_finds_what_there_is(daemons: Sessions):
    """Else the plans above would be those of an empty answer."""
    async with rolled_back(daemons.writers) as link:
        known = await overview(link).look("me")

    assert known.versions == VERSIONS
    assert known.tenants.levels == {"normal": TENANTS - NEAR, "warning": NEAR}
    assert known.tenants.total == TENANTS
    assert (known.tenants.fullest[0].tenant_id, len(known.tenants.fullest)) == ("tenant-10000", 20)
    assert len(known.jobs) == JOBS_SHOWN
    assert {job.kind for job in known.jobs} == {"verify", "generation", "import"}
    assert (known.jobs[0].kind, known.jobs[0].tenant_id) == ("verify", "tenant-7")


async def test_the_newest_events_are_read_from_the_end_of_the_log(daemons: Sessions):
    """By the pages they lie in, not by reading all."""
    since = datetime.now(UTC) - timedelta(seconds=60)
    async with rolled_back(daemons.writers) as link:
        found = await overview(link).happenings(since, most=500)
    nodes = await steps_of(daemons.writers, lambda link: overview(link).happenings(since, most=500))

    assert [one.occurred_at for one in found] == sorted(one.occurred_at for one in found)
    assert len(found) <= 60
    assert scanned(nodes) == set()
    assert rows_read(nodes, "events") < VERSIONS / 2


@pytest.mark.parametrize("sort", list(JobSort))
async def test_a_page_of_jobs_deep_in_the_list_begins_at_its_place(
    daemons: Sessions, sort: JobSort
):
    """Whether all are wanted or the live ones."""
    place = Place(datetime(2027, 1, 1, 3, tzinfo=UTC), "job-10800")

    async def ask(link: asyncpg.Connection) -> object:
        return await overview(link).jobs(sort, tenant_id=None, after=place, size=5)

    nodes = await steps_of(daemons.writers, ask)

    assert scanned(nodes) == set()
    assert rows_read(nodes, "content_generation_jobs") <= LIVE
    assert rows_read(nodes, "import_jobs") <= LIVE


@pytest.mark.parametrize("kind", ["job", "import"])
async def test_a_job_is_found_by_its_id_whatever_its_kind(daemons: Sessions, kind: str):
    """And by nothing else."""
    nodes = await steps_of(daemons.writers, lambda link: overview(link).find_job(f"{kind}-7"))
    async with rolled_back(daemons.writers) as link:
        found = await overview(link).find_job(f"{kind}-7")

    assert found is not None
    assert (found.id, found.tenant_id, found.state) == (f"{kind}-7", "tenant-1", "completed")
    assert scanned(nodes) == set()


async def test_pages_of_jobs_show_each_once_the_newest_first(daemons: Sessions):
    """Across all kinds."""
    shown: list[str] = []
    after = None
    async with rolled_back(daemons.writers) as link:
        while page := await overview(link).jobs(JobSort.LIVE, tenant_id=None, after=after, size=7):
            shown += [job.id for job in page]
            after = Place(page[-1].created_at, page[-1].id)

    live = range(JOBS, 0, -1000)
    assert shown == ["verify", *(f"job-{n}" for n in live), *(f"import-{n}" for n in live)]


async def test_a_beat_touches_its_own_row(daemons: Sessions):
    """And sums up a tally that is short by not touching it."""
    nodes = await steps_of(
        daemons.writers, lambda link: PostgresDaemonRegister(Link(link)).beat(ME, [])
    )

    assert rows_read(nodes, "version_tally") <= 64
    assert scanned(nodes) == set()


async def steps_to_tenants(
    daemons: Sessions, filters: TenantFilters, sort: TenantSort
) -> list[Node]:
    """How the third page of tenants comes about."""

    async def ask(link: asyncpg.Connection) -> object:
        office = PostgresTenantOffice(Link(link), PLANS)
        return await office.page(filters, sort=sort, size=50, skip=100)

    return await steps_of(daemons.writers, ask)


@pytest.mark.parametrize("sort", [TenantSort.ID, TenantSort.NAME])
async def test_tenants_in_the_order_of_an_index_are_not_sorted(daemons: Sessions, sort: TenantSort):
    """Only those up to the page are joined with their usage."""
    nodes = await steps_to_tenants(daemons, TenantFilters(), sort)

    assert "Sort" not in {node.kind for node in nodes}
    assert rows_read(nodes, "content_storage_usage") <= 150


@pytest.mark.parametrize("sort", [TenantSort.LARGEST, TenantSort.FULLEST])
async def test_tenants_in_another_order_are_each_read_once(daemons: Sessions, sort: TenantSort):
    """And no more than the page is kept while they are sorted."""
    nodes = await steps_to_tenants(daemons, TenantFilters(), sort)

    assert rows_read(nodes, "content_storage_usage") <= TENANTS
    assert {node.rows for node in nodes if node.kind == "Sort"} == {150}


async def test_tenants_near_their_limits_are_found_by_an_index(daemons: Sessions):
    """Those that are far from them are not looked at."""
    filters = TenantFilters(level=Level.WARNING)
    nodes = await steps_to_tenants(daemons, filters, TenantSort.FULLEST)

    assert rows_read(nodes, "content_storage_usage") <= NEAR


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        (TenantFilters(), TENANTS),
        (TenantFilters(level=Level.WARNING), NEAR),
        (TenantFilters(plan="free", level=Level.NORMAL), TENANTS - NEAR),
        (TenantFilters(plan="starter"), 0),
        (TenantFilters(search="tenant-17"), 1),
        (TenantFilters(search="tenant 976"), 10),
    ],
)
async def test_tenants_are_counted_as_they_are_filtered(
    daemons: Sessions, filters: TenantFilters, total: int
):
    """Also beyond the last page."""
    async with rolled_back(daemons.writers) as link:
        office = PostgresTenantOffice(Link(link), PLANS)
        page, counted = await office.page(filters, sort=TenantSort.ID, size=5, skip=10_000)
        first, _ = await office.page(filters, sort=TenantSort.NAME, size=5, skip=0)

    assert (page, counted, len(first)) == ([], total, min(5, total))
