"""The proof of isolation at the start: each hole is named, and nothing else is.

Every hole is made inside a transaction that is rolled back: roles belong to the whole server.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from engarde_daemon.adapters.postgres import isolation
from engarde_daemon.adapters.postgres.isolation import GUARDED_TABLES, IsolationBroken
from engarde_daemon.adapters.postgres.sessions import Sessions
from tests.support.database import dsn_as, migrated_template, postgres_server, sessions, superuser

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser"]

OURS = [table for table in GUARDED_TABLES if table.startswith("engarde.")]
GUARD = "tenant_id = current_setting('app.tenant_id', true)"
AS_READER = "set local role engarde_api; set local transaction_read_only = on"

Holed = Callable[[str], AbstractAsyncContextManager[asyncpg.Connection]]


def guard_anew(words: str, *, on: str) -> str:
    """Replace a table's guard by another of the same name."""
    return f"drop policy tenant_guard on {on}; create policy tenant_guard on {on} {words}"


def holes() -> Iterator[tuple[str, str]]:
    """What someone could do to the database, and the words by which it is named."""
    for table in GUARDED_TABLES:
        yield f"drop policy tenant_guard on {table}", f"{table} has lost its policy tenant_guard"
        yield (
            f"alter table {table} disable row level security",
            f"{table} has row level security switched off",
        )
        yield (
            f"alter policy tenant_guard on {table} using (true)",
            f"{table} has a changed tenant_guard",
        )
    for table in OURS:
        yield f"alter table {table} no force row level security", f"{table} does not force"
    items = "public.content_items"
    changed = f"{items} has a changed tenant_guard"
    yield f"alter policy tenant_guard on {items} with check (true)", changed
    yield f"alter policy tenant_guard on {items} using ({GUARD} or true)", changed
    yield f"alter policy tenant_guard on {items} using ({GUARD} or tenant_id = 'x')", changed
    yield f"alter policy tenant_guard on {items} using (tenant_id = 'x')", changed
    reads = f"as restrictive for select to engarde_api using ({GUARD})"
    yield guard_anew(reads, on=items), changed
    yield guard_anew(f"to engarde_api using ({GUARD}) with check ({GUARD})", on=items), "can widen"
    yield (
        f"alter policy tenant_guard on {items} to engarde_actor",
        f"{items} does not guard engarde_api",
    )
    yield f"alter table {items} owner to engarde_api", f"{items} is owned by"
    yield "drop table engarde.reservations cascade", "engarde.reservations does not exist"
    for role in ("engarde_api", "engarde_actor", "engarde_owner"):
        yield f"alter role {role} superuser", f"{role} is a superuser"
        yield f"alter role {role} bypassrls", f"{role} may bypass row level security"
    yield "grant engarde_owner to engarde_api", "engarde_api may act as engarde_owner"
    yield "grant engarde_actor to engarde_api", "engarde_api may act as engarde_actor"
    yield (
        "create role between; grant between to engarde_api; grant engarde_owner to between",
        "engarde_api may act as engarde_owner",
    )
    yield "grant postgres to engarde_api", "engarde_api may act as postgres"
    yield (
        "create role seer bypassrls; grant seer to engarde_api",
        "engarde_api may act as seer",
    )
    yield (
        "alter function engarde.brand_belongs_v1 owner to postgres",
        "engarde.brand_belongs_v1(text,text) runs with the rights of postgres",
    )


@pytest.fixture
async def holed(superuser: asyncpg.Connection) -> Holed:
    """A reader's view of the database in which a hole was made, for as long as the block."""

    @asynccontextmanager
    async def with_hole(statement: str) -> AsyncIterator[asyncpg.Connection]:
        change = superuser.transaction()
        await change.start()
        try:
            await superuser.execute(statement)
            await superuser.execute(AS_READER)
            yield superuser
        finally:
            await change.rollback()

    return with_hole


async def test_a_database_as_it_was_made_is_safe(sessions: Sessions):
    """Through the very pool that the daemon reads with."""
    await isolation.ensure(sessions.readers)


@pytest.mark.parametrize(("statement", "words"), list(holes()))
async def test_a_hole_is_named(holed: Holed, statement: str, words: str):
    """By the table or role it is in, and by what is wrong there."""
    async with holed(statement) as readers:
        with pytest.raises(IsolationBroken) as broken:
            await isolation.ensure(readers)

    assert any(words in fault for fault in broken.value.faults), broken.value.faults


async def test_all_holes_are_named_at_once(holed: Holed):
    """Whoever mends them does so in one go."""
    statement = "alter role engarde_api bypassrls; drop policy tenant_guard on engarde.outbox"
    async with holed(statement) as readers:
        with pytest.raises(IsolationBroken) as broken:
            await isolation.ensure(readers)

    assert broken.value.faults == [
        "engarde_api may bypass row level security",
        "engarde.outbox has lost its policy tenant_guard",
    ]


async def test_a_policy_of_the_platform_is_no_hole(holed: Holed):
    """The guard is restrictive: no other policy can widen it."""
    statement = "create policy everything on public.content_items to engarde_api using (true)"
    async with holed(statement) as readers:
        assert await isolation.faults(readers) == []


@pytest.mark.parametrize("role", ["engarde_actor", "engarde_owner", "postgres"])
async def test_readers_in_another_role_are_refused(superuser: asyncpg.Connection, role: str):
    """A DSN may log in as someone who cannot become `engarde_api`."""
    async with superuser.transaction():
        await superuser.execute(f"set local role {role}")
        with pytest.raises(IsolationBroken) as broken:
            await isolation.ensure(superuser)

    assert f"readers run as {role}" in str(broken.value)


async def test_every_table_that_readers_see_is_guarded(superuser: asyncpg.Connection):
    """One that a migration adds and the list forgets is found here."""
    tables = await superuser.fetch(
        """
        select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p', 'v', 'm') and a.attname = 'tenant_id' and not a.attisdropped
          and c.relnamespace in ('engarde'::regnamespace, 'public'::regnamespace)
          and (c.relnamespace = 'engarde'::regnamespace
               or has_table_privilege('engarde_api', c.oid, 'select'))
        """
    )
    names = {row["name"] if "." in row["name"] else f"public.{row['name']}" for row in tables}

    assert names - set(GUARDED_TABLES) == set()


async def test_readers_can_change_nothing(superuser: asyncpg.Connection):
    """No table grants them more than to look, in the schema or beside it."""
    writable = await superuser.fetch(
        """
        select c.oid::regclass::text, p.act from pg_class c
        cross join unnest(array['insert', 'update', 'delete', 'truncate']) p (act)
        where c.relnamespace in ('engarde'::regnamespace, 'public'::regnamespace)
          and c.relkind = 'r' and has_table_privilege('engarde_api', c.oid, p.act)
        """
    )

    assert writable == []
