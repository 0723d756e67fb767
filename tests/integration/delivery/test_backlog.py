"""What waits is told by destination."""

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from tests.support.carrying import settle_archive
from tests.support.content import creation
from tests.support.database import PLANS, Tenant


@pytest.fixture
async def outbox(sessions: Sessions, tenant: Tenant) -> PostgresOutbox:
    """Three versions for everybody."""
    log = PostgresContentLog(sessions.writers, PLANS)
    await log.commit([creation(tenant, body) for body in ("one", "two", "three")])
    return PostgresOutbox(sessions.writers)


async def test_each_destination_has_its_own_count(outbox: PostgresOutbox):
    """One that is settled for one waits for the others still."""
    (parcel,) = await outbox.claim("zerodb", limit=1, lease_s=30.0)
    await outbox.settle([parcel])

    backlog = await outbox.backlog()

    assert {name: each.rows for name, each in backlog.items()} == {
        "zerodb": 2,
        "search": 3,
        "bigquery": 3,
    }


async def test_where_nothing_waits_nothing_is_told(outbox: PostgresOutbox):
    """So that nobody takes an age for one."""
    await settle_archive(outbox)

    assert set(await outbox.backlog()) == {"zerodb", "search"}


async def test_the_age_is_that_of_the_oldest(outbox: PostgresOutbox, superuser: asyncpg.Connection):
    """Also where that was put off, and newer ones were not."""
    await superuser.execute(
        "update engarde.outbox set created_at = created_at - interval '1 hour' "
        "where id = (select min(id) from engarde.outbox where destination = 'zerodb')"
    )

    backlog = await outbox.backlog()

    assert 3600 <= backlog["zerodb"].oldest_age_s < 7200
    assert 0 <= backlog["search"].oldest_age_s < 3600
