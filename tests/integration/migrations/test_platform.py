"""A database in which the platform lives is only added to."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.migrations import SchemaError, migrate
from tests.integration.migrations.platform import TABLES, Platform, platform_database
from tests.support.postgres import fresh_database

_SHAPE = """
    select c.relname::text as relation, c.relkind::text as kind, c.relowner::regrole::text as owner,
        a.attname::text as part, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as needed,
        pg_get_expr(d.adbin, d.adrelid) as standard
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace
"""
_GRANTS = """
    select c.oid::regclass::text, '' as part, g.grantee::regrole::text, g.privilege_type
    from pg_class c cross join lateral aclexplode(c.relacl) g
    where c.relnamespace = 'public'::regnamespace
    union all
    select c.oid::regclass::text, a.attname, g.grantee::regrole::text, g.privilege_type
    from pg_class c join pg_attribute a on a.attrelid = c.oid cross join lateral aclexplode(a.attacl) g
    where c.relnamespace = 'public'::regnamespace
"""
_CONSTRAINTS = "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace"
# What the ledger takes over, and counts anew from the content that is there.
_TAKEN_OVER = {"total_content_items", "total_storage_bytes"}


@pytest.fixture
async def platform(postgres_server: EmbeddedPostgres) -> AsyncIterator[Platform]:
    """A database that no daemon has seen."""
    async with platform_database(postgres_server) as platform:
        yield platform


async def rows_of(platform: Platform, query: str) -> set[tuple[Any, ...]]:
    """What a query finds, as a set."""
    async with platform.session() as sql:
        return {tuple(row.values()) for row in await sql.fetch(query)}


async def content_of(platform: Platform, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Every row of the platform's tables, in these columns."""
    async with platform.session() as sql:
        return {
            table: await sql.fetch(f"select {', '.join(columns[table])} from {table} order by id")  # noqa: S608 - the platform's own names
            for table in TABLES
        }


async def columns_of(platform: Platform) -> dict[str, list[str]]:
    """The columns of the platform's tables that stay the platform's."""
    query = "select table_name::text, column_name::text from information_schema.columns where table_schema = 'public'"
    found: dict[str, list[str]] = {table: [] for table in TABLES}
    for table, column in await rows_of(platform, query):
        if table in found and column not in _TAKEN_OVER:
            found[table].append(column)
    return found


@pytest.mark.parametrize("query", [_SHAPE, _GRANTS, _CONSTRAINTS], ids=["shape", "grants", "rules"])
async def test_nothing_of_the_platforms_schema_changes(platform: Platform, query: str):
    """Columns with types and defaults, indexes, owners, constraints and grants are all still there."""
    before = await rows_of(platform, query)

    await migrate(platform.dsn)

    assert before - await rows_of(platform, query) == set()


async def test_no_row_of_the_platform_changes(platform: Platform):
    """Every row has the values it had, in every column that was there; usage rows may come along."""
    columns = await columns_of(platform)
    before = await content_of(platform, columns)

    await migrate(platform.dsn)

    after = await content_of(platform, columns)
    for table in TABLES:
        assert [row for row in before[table] if row not in after[table]] == [], table


async def test_only_what_is_missing_is_created(platform: Platform):
    """The answer tells the operator that the platform's tables were found."""
    created = set((await migrate(platform.dsn)).created)

    assert created.isdisjoint(TABLES)


@pytest.mark.parametrize("role", ["owner", "app", "reporter", "analyst"])
async def test_whoever_saw_the_rows_still_sees_them(platform: Platform, role: str):
    """By grants on the table, on columns alone, through a group, and as the owner."""
    await migrate(platform.dsn)

    async with platform.session(getattr(platform, role)) as sql:
        assert len(await sql.fetch("select id, title from content_items")) == 6


async def test_a_role_that_comes_later_sees_what_it_is_granted(platform: Platform):
    """The platform goes on giving rights as it always did."""
    await migrate(platform.dsn)
    async with platform.session(platform.owner) as sql:
        await sql.execute(f"grant select (version) on content_items to {platform.reporter}")
        await sql.execute(f"grant select on content_storage_usage to {platform.reporter}")

    async with platform.session(platform.reporter) as sql:
        assert await sql.fetchval("select sum(version) from content_items") == 9
        assert await sql.fetchval("select count(*) from content_storage_usage") == 3


async def test_the_platform_goes_on_writing(platform: Platform):
    """Its own program inserts, changes and deletes rows as before."""
    await migrate(platform.dsn)

    async with platform.session(platform.app) as sql:
        await sql.execute(
            "insert into content_items (id, tenant_id, brand_id, title, content_type)"
            " values ('cnt_new', 'tenant-acme', 'brand-acme', 'New', 'post')"
        )
        assert (
            await sql.execute("update content_items set title = 'Newer' where id = 'cnt_new'")
            == "UPDATE 1"
        )
        assert await sql.execute("delete from content_items where id = 'cnt_new'") == "DELETE 1"


@pytest.mark.parametrize(("role", "seen"), [("owner", 6), ("app", 5), ("analyst", 0)])
async def test_policies_of_the_platform_mean_what_they_meant(
    postgres_server: EmbeddedPostgres, role: str, seen: int
):
    """Whoever was bound by row level security is, whoever was not is not."""
    async with platform_database(postgres_server, secured=True) as platform:
        query = "select count(*) from content_items"
        async with platform.session(getattr(platform, role)) as sql:
            assert await sql.fetchval(query) == seen

        await migrate(platform.dsn)

        async with platform.session(getattr(platform, role)) as sql:
            assert await sql.fetchval(query) == seen


class TestAgain:
    """Migrations run once, whoever asks how often."""

    async def test_a_second_migration_changes_nothing(self, platform: Platform):
        """It says so, and the schema is the same."""
        await migrate(platform.dsn)
        before = await rows_of(platform, _SHAPE), await rows_of(platform, _GRANTS)

        again = await migrate(platform.dsn)

        assert (again.applied, again.created) == ([], [])
        assert (await rows_of(platform, _SHAPE), await rows_of(platform, _GRANTS)) == before

    async def test_a_migration_that_ran_in_another_form_is_refused(self, platform: Platform):
        """A database of another release is left as it is."""
        await migrate(platform.dsn)
        async with platform.session() as sql:
            await sql.execute(
                "update engarde.schema_migrations set checksum = 'x' where name like '0003%'"
            )

        with pytest.raises(SchemaError, match="0003_pre_isolation"):
            await migrate(platform.dsn)

    async def test_a_migration_that_fails_leaves_everything_as_it_was(self, platform: Platform):
        """The platform has taken a name of ours: nothing is half done."""
        async with platform.session() as sql:
            await sql.execute("create schema engarde; create table engarde.outbox (id int)")
        before = await rows_of(platform, _SHAPE)

        with pytest.raises(asyncpg.DuplicateTableError):
            await migrate(platform.dsn)

        assert await rows_of(platform, _SHAPE) == before

    @pytest.mark.parametrize("existing", [True, False], ids=["platform", "empty"])
    async def test_two_who_migrate_at_once_do_it_once(
        self, postgres_server: EmbeddedPostgres, platform: Platform, *, existing: bool
    ):
        """The second waits and finds nothing to do."""
        applied: list[int] = []

        async def run(dsn: str) -> None:
            applied.append(len((await migrate(dsn)).applied))

        async with fresh_database(postgres_server) as name:
            dsn = platform.dsn if existing else postgres_server.dsn(database=name)
            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(run, dsn)

        assert sorted(applied)[:3] == [0, 0, 0]
        assert max(applied) > 0
