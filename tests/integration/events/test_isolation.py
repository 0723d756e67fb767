"""Row level security guards events and webhooks too, and secrets from everyone who only reads."""

import uuid

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.webhooks import PostgresWebhookBook
from engarde_daemon.domain.events import EventDraft, EventType
from engarde_daemon.ports.webhooks import WebhookKey, Wish
from tests.support.database import LARGE, Tenant, add_tenant

COUNTS = {
    "engarde.events": "select count(*) from engarde.events",
    "engarde.webhooks": "select count(id) from engarde.webhooks",
    "engarde.webhook_deliveries": "select count(*) from engarde.webhook_deliveries",
}


@pytest.fixture
async def ours(superuser: asyncpg.Connection, sessions: Sessions) -> Tenant:
    """One of two tenants who have the same of everything."""
    tenants = [await add_tenant(superuser, LARGE) for _ in range(2)]
    book, log = PostgresWebhookBook(sessions.writers), PostgresEventLog(sessions.writers)
    for tenant in tenants:
        wish = Wish(url="https://example.com/", types=["*"])
        key = WebhookKey(tenant.id, str(uuid.uuid4()))
        await book.add(key, wish, secret=b"s", fingerprint=None, most=1)
    await log.append([EventDraft(tenant_id=t.id, type=EventType.IMPORT_FAILED) for t in tenants])
    await book.match(None, most=10)
    return tenants[0]


@pytest.mark.parametrize("table", COUNTS)
async def test_a_reader_sees_one_tenant(sessions: Sessions, ours: Tenant, table: str):
    """Whatever the statement says; and nothing before it says for whom it asks."""
    async with sessions.readers.acquire() as link, link.transaction():
        before = await link.fetchval(COUNTS[table])
        await link.execute("select set_config('app.tenant_id', $1, true)", ours.id)
        after = await link.fetchval(COUNTS[table])

    assert (before, after) == (0, 1)


@pytest.mark.parametrize("column", ["secret", "old_secret", "fingerprint"])
async def test_a_reader_sees_no_secret(sessions: Sessions, ours: Tenant, column: str):
    """Not even a sealed one."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sessions.readers.fetch(f"select {column} from engarde.webhooks")  # noqa: S608 - our own names


@pytest.mark.parametrize(
    "call",
    [
        "engarde.append_events_v1('{}')",
        "engarde.match_webhooks_v1(null, 1)",
        "engarde.claim_webhook_v1(1, 1, false, '{}', null)",
        "engarde.note_levels_v1('{}', '{}')",
        "engarde.forget_events_v1(1, 1)",
    ],
)
async def test_a_reader_may_not_do_what_actors_do(sessions: Sessions, call: str):
    """The functions of actors are not theirs."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sessions.readers.fetch(f"select * from {call}")  # noqa: S608 - our own names
