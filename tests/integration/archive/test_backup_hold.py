"""While a backup is made, nothing is removed for good."""

import uuid

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.backup import hold, require_copyable, unknown_media
from engarde_daemon.adapters.postgres.media import PostgresMediaBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.errors import Rejected
from tests.support.database import PLANS, Tenant
from tests.support.patience import PATIENCE_S

_REMOVE = """
    insert into engarde.removals (destination, tenant_id, record_id, due_at)
    values ($1, $2, 'row', now())
"""
_ABANDON = """
    insert into engarde.media_uploads (id, tenant_id, media_id, storage_path, state, leased_until)
    values ($1, $2, $1, 'path', 'abandoned', now())
"""


@pytest.mark.parametrize("destination", ["zerodb", "bigquery"])
async def test_rows_wait_for_the_end_of_a_backup(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant, destination: str
):
    """And are due when its connection is gone."""
    await superuser.execute(_REMOVE, destination, tenant.id)
    retention = PostgresRetention(sessions.writers, PLANS)

    await hold(superuser)
    assert await retention.claim_removals(destination, 10) == []

    await superuser.execute("select pg_advisory_unlock_all()")
    assert [one.record_id for one in await retention.claim_removals(destination, 10)] == ["row"]


async def test_media_files_wait_too(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant
):
    """Their bytes may have to be copied yet."""
    await superuser.execute(_ABANDON, str(uuid.uuid4()), tenant.id)
    book = PostgresMediaBook(sessions.writers, PLANS)

    await hold(superuser)
    assert await book.claim_leftovers(10, lease_s=60) == []

    await superuser.execute("select pg_advisory_unlock_all()")
    assert len(await book.claim_leftovers(10, lease_s=60)) == 1


async def test_an_upload_under_way_is_known(superuser: asyncpg.Connection, tenant: Tenant):
    """Its bytes are somebody's."""
    await superuser.execute(_ABANDON, str(uuid.uuid4()), tenant.id)

    assert await unknown_media(superuser, ["path", "other"]) == ["other"]


async def test_one_backup_at_a_time(superuser: asyncpg.Connection, dsn_as):
    """The other connection is refused."""
    other = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S)
    try:
        await hold(superuser)
        with pytest.raises(Rejected, match="Another backup"):
            await hold(other)
    finally:
        other.terminate()


async def test_a_server_that_cannot_be_copied_is_told_apart(superuser: asyncpg.Connection):
    """One that keeps nothing is not made to be copied, as none of before this release was."""
    with pytest.raises(Rejected, match="restart the daemon"):
        await require_copyable(superuser)
