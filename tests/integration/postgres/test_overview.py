"""What PostgreSQL knows for operators: daemons, the number of versions, rows that cannot go on."""

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.overview import (
    SILENT_AFTER_S,
    PostgresDaemonRegister,
    PostgresOverview,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.overview import Identity
from engarde_daemon.protocol import DaemonState
from tests.support.content import creation
from tests.support.database import (
    LARGE,
    PLANS,
    add_tenant,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser"]

WRITERS = 5
_AGE = "update engarde.daemons set last_seen = last_seen - make_interval(secs => $2) where id = $1"
_PUT_OFF = """
update engarde.outbox set last_error = 'ZeroDB answered 503.', attempts = 3,
    leased_until = clock_timestamp() + interval '1 hour' where destination = $1
"""
_PARK = """
with sent as (delete from engarde.outbox where destination = 'bigquery' returning *)
insert into engarde.archive_parked (tenant_id, content_id, version, reason)
select tenant_id, content_id, version, 'too large' from sent
"""
_DUE = "select count(*) from engarde.outbox where destination = $1 and leased_until < now()"


def identity(number: int, address: str = "") -> Identity:
    """A daemon."""
    return Identity(
        id=str(number), name="host", address=address or str(number), version="1", pid=number
    )


@pytest.fixture
def register(sessions: Sessions) -> PostgresDaemonRegister:
    """Where daemons say that they live."""
    return PostgresDaemonRegister(sessions.writers)


@pytest.fixture
def overview(sessions: Sessions) -> PostgresOverview:
    """What is read of it."""
    return PostgresOverview(sessions.writers, PLANS)


async def states(overview: PostgresOverview, of: str = "1") -> dict[str, DaemonState]:
    """How a daemon sees the others."""
    return {other.id: other.state for other in (await overview.look(of)).others}


async def test_a_daemon_is_seen_as_it_says_or_does_not(
    register: PostgresDaemonRegister, overview: PostgresOverview, superuser: asyncpg.Connection
):
    """Running while it beats, silent when it does not, stopped when it said so."""
    for number in (1, 2, 3, 4):
        await register.beat(identity(number), [])
    await register.stop("3")
    await superuser.execute(_AGE, "4", SILENT_AFTER_S + 1)

    assert await states(overview) == {
        "2": DaemonState.RUNNING,
        "3": DaemonState.STOPPED,
        "4": DaemonState.SILENT,
    }
    await register.beat(identity(4), [])
    assert (await states(overview))["4"] is DaemonState.RUNNING


async def test_who_comes_in_its_place_makes_a_dead_daemon_forgotten(
    register: PostgresDaemonRegister, overview: PostgresOverview, superuser: asyncpg.Connection
):
    """As does an hour of silence."""
    for number in (1, 2, 3):
        await register.beat(identity(number), [])
    await register.beat(identity(4, address="2"), [])
    await superuser.execute(_AGE, "3", 3601)
    await register.beat(identity(1), [])

    assert set(await states(overview)) == {"4"}


async def test_versions_are_tallied_through_writes_and_erasures(
    sessions: Sessions,
    overview: PostgresOverview,
    register: PostgresDaemonRegister,
    superuser: asyncpg.Connection,
):
    """While several write at once and the tally is summed up in between."""
    tenant = await add_tenant(superuser, LARGE)
    log = PostgresContentLog(sessions.writers, PLANS)

    async def write() -> None:
        for _ in range(20):
            await log.commit([creation(tenant, "one"), creation(tenant, "two")])

    async def sum_up() -> None:
        for _ in range(10):
            await register.beat(identity(1), [])

    async with anyio.create_task_group() as tasks:
        for _ in range(WRITERS):
            tasks.start_soon(write)
        for _ in range(2):
            tasks.start_soon(sum_up)
    assert (await overview.look("1")).versions == WRITERS * 40

    await superuser.execute("delete from engarde.content_versions")
    assert (await overview.look("1")).versions == 0
    await register.beat(identity(1), [])
    assert await superuser.fetchval("select count(*) from engarde.version_tally") < 64


@pytest.mark.parametrize(
    ("queue", "destination"), [("delivery", "zerodb"), ("archive", "bigquery"), ("index", "search")]
)
async def test_what_was_put_off_is_shown_and_retried(
    sessions: Sessions,
    overview: PostgresOverview,
    superuser: asyncpg.Connection,
    queue: str,
    destination: str,
):
    """With why, and only in its own queue."""
    tenant = await add_tenant(superuser, LARGE)
    await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "body")])
    assert await overview.parked(queue, most=5) == []
    await superuser.execute(_PUT_OFF, destination)
    (row,) = await overview.parked(queue, most=5)

    assert (row.tenant_id, row.reason, row.attempts) == (tenant.id, "ZeroDB answered 503.", 3)
    assert await overview.retry(queue, most=5) == 1
    assert await superuser.fetchval(_DUE, destination) == 1


async def test_what_the_archive_refused_is_shown_and_sent_again(
    sessions: Sessions, overview: PostgresOverview, superuser: asyncpg.Connection
):
    """It is in the outbox again."""
    tenant = await add_tenant(superuser, LARGE)
    await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "body")])
    await superuser.execute(_PARK)
    (row,) = await overview.parked("archive", most=5)

    assert (row.version, row.reason) == (1, "too large")
    assert await overview.retry("archive", most=5) == 1
    assert await overview.parked("archive", most=5) == []
    assert await superuser.fetchval(_DUE, "bigquery") == 1
