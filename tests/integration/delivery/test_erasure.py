"""An erasure and whoever carries the same content meanwhile never wait for each other in a circle."""

import anyio
import asyncpg

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.retention import PostgresReceipts, PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import ContentKey
from tests.support.content import creation
from tests.support.database import PLANS, Tenant
from tests.support.oracle import eventually

_HOLD = "select from engarde.outbox where content_id = $1 for update"
_LET_GO = "delete from engarde.staged_bodies where content_id = $1"
_WAITING = "select exists (select from pg_locks where not granted)"
RECEIPT = "00000000-0000-7000-8000-000000000001"


async def written(sessions: Sessions, tenant: Tenant) -> Item:
    """An item that is on its way to the stores."""
    (item,) = await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "body")])
    assert isinstance(item, Item)
    return item


async def test_an_erasure_waits_for_whoever_holds_the_outbox(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant
):
    """And has locked nothing by then that the other one still needs."""
    item = await written(sessions, tenant)
    erased: list[int | None] = []
    retention = PostgresRetention(sessions.writers, PLANS)

    async def erase() -> None:
        key = ContentKey(tenant.id, item.id)
        erased.append(await retention.erase(key, erasure_id=RECEIPT, by="me", reason="request"))

    async with anyio.create_task_group() as tasks:
        carrying = superuser.transaction()
        await carrying.start()
        await superuser.fetch(_HOLD, item.id)
        tasks.start_soon(erase)
        async with sessions.writers.acquire() as other:
            await eventually(lambda: other.fetchval(_WAITING))
        await superuser.execute(_LET_GO, item.id)
        await carrying.commit()

    assert erased == [1]


async def test_a_receipt_names_the_brand(sessions: Sessions, tenant: Tenant):
    """So that it is shown to those alone who answer for it."""
    item = await written(sessions, tenant)
    retention = PostgresRetention(sessions.writers, PLANS)
    key = ContentKey(tenant.id, item.id)
    await retention.erase(key, erasure_id=RECEIPT, by="me", reason="request")

    receipt = await PostgresReceipts(sessions.readers).find_erasure(tenant.id, RECEIPT)
    assert receipt is not None
    assert (receipt.brand_id, receipt.versions) == (tenant.brand_id, 1)
