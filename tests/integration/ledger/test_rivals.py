"""Several writers at the same books: one lock order, no deadlock, no byte given out twice."""

import random
import uuid
from collections.abc import Sequence

import anyio
import asyncpg

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import QuotaExceeded
from engarde_daemon.ports.ledger import Entry, Verdict
from tests.integration.ledger.machine import JANUARY
from tests.support.content import creation
from tests.support.database import OPEN, PLANS, SMALL, Tenant, add_tenant

LIMIT = 100
TENANTS = 8
ROUNDS = 20
LANES = 3


def reserve(tenant: Tenant, promise_id: str, amount: int, *, ttl_s: float = 60.0) -> Entry:
    """A promise of storage."""
    return Entry(
        verb="reserve",
        id=promise_id,
        tenant_id=tenant.id,
        resource="storage",
        amount=amount,
        ttl_s=ttl_s,
    )


async def test_batches_in_opposite_orders_do_not_deadlock(
    sessions: Sessions, dsn_as: DsnAs, superuser: asyncpg.Connection
):
    """PostgreSQL would end one of them with an error, which nobody here may see."""
    tenants = [await add_tenant(superuser, OPEN) for _ in range(TENANTS)]
    chance = random.Random(1)

    async def write(book: PostgresLedgerBook) -> None:
        held: list[Entry] = []
        for _ in range(ROUNDS):
            if held:
                await book.apply([_ended(entry, chance) for entry in held])
            held = _both_accounts(chance.sample(tenants, TENANTS), chance)
            await book.apply(held)
            await book.expire(20)

    async with Sessions(dsn_as, SessionLimits(readers=1, writers=LANES)) as rival:
        async with anyio.create_task_group() as tasks:
            for pool in (sessions.writers, rival.writers):
                for _ in range(LANES):
                    tasks.start_soon(write, PostgresLedgerBook(pool, PLANS))

    book = PostgresLedgerBook(sessions.writers, PLANS)
    assert await book.drift([tenant.id for tenant in tenants]) == []


def _both_accounts(tenants: Sequence[Tenant], chance: random.Random) -> list[Entry]:
    ttls_s = (0.0, 60.0, 60.0)
    bytes_ = [
        reserve(tenant, str(uuid.uuid4()), 7, ttl_s=chance.choice(ttls_s)) for tenant in tenants
    ]
    pieces = [
        Entry(
            verb="reserve",
            id=str(uuid.uuid4()),
            tenant_id=tenant.id,
            resource="generation",
            period=JANUARY,
            amount=1,
            ttl_s=chance.choice(ttls_s),
        )
        for tenant in reversed(tenants)
    ]
    return [entry for pair in zip(bytes_, pieces, strict=True) for entry in pair]


def _ended(entry: Entry, chance: random.Random) -> Entry:
    return Entry(
        verb=chance.choice(("settle", "release")),
        id=entry.id,
        tenant_id=entry.tenant_id,
        resource=entry.resource,
        period=entry.period,
        amount=1,
    )


async def test_promises_and_writes_share_one_limit(
    sessions: Sessions, dsn_as: DsnAs, superuser: asyncpg.Connection
):
    """Two daemons give room to reservations and to content at the same time: 100 bytes, no more."""
    tenant = await add_tenant(superuser, SMALL)
    given: list[int] = []

    async def promise(book: PostgresLedgerBook) -> None:
        (verdict,) = await book.apply([reserve(tenant, str(uuid.uuid4()), 7)])
        given.append(7 if verdict is Verdict.OK else 0)

    async def write(log: PostgresContentLog) -> None:
        (outcome,) = await log.commit([creation(tenant, "x" * 7)])
        assert isinstance(outcome, Item | QuotaExceeded)
        given.append(7 if isinstance(outcome, Item) else 0)

    async with Sessions(dsn_as, SessionLimits(readers=1, writers=LANES)) as rival:
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                pool = (sessions, rival)[number % 2].writers
                tasks.start_soon(promise, PostgresLedgerBook(pool, PLANS))
                tasks.start_soon(write, PostgresContentLog(pool, PLANS))

    assert sum(given) == LIMIT - LIMIT % 7
    book = PostgresLedgerBook(sessions.writers, PLANS)
    assert await book.drift([tenant.id]) == []
