"""Crossing a level of the plan is told once, in the transaction that crosses it."""

import asyncpg
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.events import PostgresEventReader
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.plans import level
from engarde_daemon.ports.ledger import Entry
from tests.integration.events.test_log import events_of, now
from tests.support.content import creation
from tests.support.database import LARGE, PLANS, SMALL, Tenant, add_tenant

LIMIT = 100


async def told(reader: PostgresEventReader, tenant: Tenant) -> list[str]:
    """The quota events of a tenant."""
    events = [placed.event for placed in await events_of(reader, tenant)]
    return [event.type for event in events if event.type.startswith("quota.")]


async def test_each_level_is_told_when_it_is_crossed(
    sessions: Sessions, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """Not again while it lasts, and anew after it was left downwards."""
    tenant = await add_tenant(superuser, SMALL)
    log = PostgresContentLog(sessions.writers, PLANS)
    write = creation(tenant, "x" * 69)
    await log.commit([write])
    item = write.item
    seen = []
    for size in (70, 84, 85, 100, 60, 90):
        change = changes.update(item, Patch(body="x" * size), by="u", at=now())
        await log.commit([change])
        item = change.item
        seen.append(await told(reader, tenant))

    warning, critical = "quota.warning", "quota.critical"
    assert seen == [
        [warning],
        [warning],
        [warning, critical],
        [warning, critical],
        [warning, critical],
        [warning, critical, critical],
    ]


async def test_a_promise_of_room_crosses_levels_too(
    sessions: Sessions, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """For what is promised cannot be used by others."""
    tenant = await add_tenant(superuser, SMALL)
    book = PostgresLedgerBook(sessions.writers, PLANS)
    entry = Entry(
        verb="reserve", id="r", tenant_id=tenant.id, resource="storage", amount=75, ttl_s=60
    )

    await book.apply([entry])

    assert await told(reader, tenant) == ["quota.warning"]


async def test_a_smaller_plan_is_noticed(
    sessions: Sessions, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """Though nothing is written, by whoever looks at the books."""
    tenant = await add_tenant(superuser, LARGE)
    await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "x" * 500)])
    await superuser.execute("update tenants set plan_tier = $2 where id = $1", tenant.id, SMALL)
    book = PostgresLedgerBook(sessions.writers, PLANS)

    await book.restate_usage([tenant.id])
    await book.restate_usage([tenant.id])

    (event,) = [p.event for p in await events_of(reader, tenant) if p.event.type[:5] == "quota"]
    assert event.type == "quota.exceeded"
    assert msgspec.json.decode(event.data) == {
        "plan_tier": SMALL,
        "warning_level": "exceeded",
        "used_bytes": 500,
        "limit_bytes": LIMIT,
        "usage_percent": 500.0,
    }


async def test_the_database_counts_levels_as_the_domain_does(superuser: asyncpg.Connection):
    """At every boundary, and with no limit at all."""
    cases: list[tuple[int, int | None]] = []

    @given(st.integers(0, 2**40), st.none() | st.integers(1, 2**40))
    def collect(used: int, limit: int | None) -> None:
        cases.append((used, limit))

    collect()
    cases += [(used, 1000) for used in (0, 699, 700, 849, 850, 1000, 1001)]
    rows = await superuser.fetch(
        "select engarde.level_of_v1(u, l) as level from unnest($1::bigint[], $2::bigint[]) x (u, l)",
        [used for used, _ in cases],
        [limit for _, limit in cases],
    )

    assert [row["level"] for row in rows] == [level(used, limit) for used, limit in cases]
