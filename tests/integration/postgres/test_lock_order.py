"""Statements that lock several rows take them in one order, so that two never wait in a circle.

PostgreSQL would end one of the two after a second, and that may be the one that people wait for.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.register import PostgresRegister
from engarde_daemon.adapters.postgres.sessions import Sessions
from sql import statements
from tests.support.database import (
    PLANS,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
)
from tests.support.patience import PATIENCE_S

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser"]

FIRST, LAST = "a", "b"
MADE = """
insert into tenants (id, plan_tier) values ('b', 'open'), ('a', 'open');
insert into content_storage_usage (tenant_id, last_calculated_at) values ('b', 'epoch'), ('a', 'epoch');
insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, secret_sha256)
values ('b', 'b', '', '', 'admin', sha256('b')), ('a', 'a', '', '', 'admin', sha256('a'));
"""
CALLED = """
insert into users (id, tenant_id) values ('user', 'a');
insert into content_generation_jobs (id, tenant_id, user_id, job_type, target_count, content_type, status, spec)
values ('job', 'a', 'user', 'batch', 2, 'post', 'running', '{}');
insert into engarde.generation_items (tenant_id, job_id, number, state, epoch, leased_until)
values ('a', 'job', 2, 'calling', 1, 'infinity'), ('a', 'job', 1, 'calling', 1, 'infinity');
"""
EXTEND = statements("generation")["extend"]
CLAIMS = msgspec.json.encode(
    [{"tenant_id": "a", "job_id": "job", "number": number, "epoch": 1} for number in (2, 1)]
).decode()
WAITS = """
select exists (select from pg_stat_activity
               where datname = current_database() and wait_event_type = 'Lock')
"""

Work = Callable[[asyncpg.Pool], Coroutine[Any, Any, None]]


async def restate(writers: asyncpg.Pool) -> None:
    """Tell two tenants' usage anew."""
    await PostgresLedgerBook(writers, PLANS).restate_usage([LAST, FIRST])


async def note_keys(writers: asyncpg.Pool) -> None:
    """Note that two keys were used."""
    await PostgresRegister(writers).note_key_uses([(LAST, LAST), (FIRST, FIRST)])


@pytest.mark.parametrize(
    ("work", "table", "column"),
    [
        (restate, "public.content_storage_usage", "tenant_id"),
        (note_keys, "engarde.api_keys", "id"),
    ],
)
async def test_who_waits_for_the_first_row_holds_none_behind_it(
    superuser: asyncpg.Connection,
    dsn_as: DsnAs,
    sessions: Sessions,
    work: Work,
    table: str,
    column: str,
):
    """Whatever order the rows lie in, and in whatever order they are named."""
    await superuser.execute(MADE)
    lock = f"select from {table} where {column} = $1 for update nowait"
    rival = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S, command_timeout=20)
    async with anyio.create_task_group() as tasks:
        async with rival.transaction():
            await rival.execute(lock, FIRST)
            tasks.start_soon(work, sessions.writers)
            with anyio.fail_after(PATIENCE_S):
                while not await superuser.fetchval(WAITS):
                    await anyio.sleep(0.01)

            await rival.execute(lock, LAST)
    rival.terminate()


async def test_a_lease_is_not_extended_while_steps_of_its_job_are_written_down(
    superuser: asyncpg.Connection, dsn_as: DsnAs, sessions: Sessions
):
    """The job is locked before its items, by whoever touches more than one of them."""
    await superuser.execute(MADE)
    await superuser.execute(CALLED)
    item = "select from engarde.generation_items where number = $1 for update nowait"
    rival = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S, command_timeout=20)
    async with anyio.create_task_group() as tasks:
        async with rival.transaction():
            await rival.execute("select from content_generation_jobs where id = 'job' for update")
            await rival.execute(item, 1)
            tasks.start_soon(sessions.writers.fetch, EXTEND, CLAIMS, 30.0)
            with anyio.fail_after(PATIENCE_S):
                while not await superuser.fetchval(WAITS):
                    await anyio.sleep(0.01)

            await rival.execute(item, 2)
    rival.terminate()
    kept = await sessions.writers.fetch(EXTEND, CLAIMS, 30.0)
    assert sorted(row[0] for row in kept) == [1, 2]
