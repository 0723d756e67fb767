"""The audit log is read as far as it is shown, whatever is asked for, in a log where it matters."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.register import PostgresRegisterReader
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.register import AuditFilters
from tests.integration.postgres.test_query_plans import CALLS, rolled_back, steps_of
from tests.support.database import migrated_database, migrated_template, postgres_server
from tests.support.patience import PATIENCE_S
from tests.support.plans import show_plans

__all__ = ["migrated_template", "postgres_server"]

TENANT = "tenant"
SIZE = 21
RARE = 40
MIDDLE = Place(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=15_000), "id-15000")

# 30,000 entries of one tenant; one in 750, of the older half, is of another user, key, operation and
# end than all others.
FILLED = """
insert into engarde.audit_log (tenant_id, id, at, principal_id, user_id, role, operation, subject_id,
    status, request_id, address)
select 'tenant', 'id-' || n, timestamptz '2026-01-01 00:00:00+00' + make_interval(secs => n),
    case when rare then 'rare' else 'key-' || n % 3 end, case when rare then 'rare' else 'user-' || n % 5 end,
    'editor', case when rare then 'rare' else 'createContent' end, case when rare then 'rare' else 'item-' || n end,
    case when rare then 503 else 201 end, 'request-' || n, ''
from generate_series(1, 30000) n cross join lateral (select n <= 15000 and n % 375 = 0 as rare) r
"""

RARELY = [
    AuditFilters(user_id="rare"),
    AuditFilters(principal_id="rare"),
    AuditFilters(operation="rare"),
    AuditFilters(subject_id="rare"),
    AuditFilters(status_from=400),
    AuditFilters(status_from=500),
    AuditFilters(operation="rare", status_from=400),
    AuditFilters(user_id="rare", operation="rare"),
]
OFTEN = [
    AuditFilters(),
    AuditFilters(user_id="user-1"),
    AuditFilters(principal_id="key-1"),
    AuditFilters(operation="createContent"),
    AuditFilters(status_from=200),
]


def names_in(given: object) -> str | None:
    """What is asked for, as the report of a test calls it."""
    if not isinstance(given, AuditFilters):
        return None
    wanted = msgspec.structs.asdict(given).items()
    return "+".join(name for name, value in wanted if value is not None) or "all"


@pytest.fixture(scope="module")
async def readers(
    postgres_server: EmbeddedPostgres, migrated_template: str
) -> AsyncIterator[asyncpg.Pool]:
    """Sessions of a filled database, which send their plans."""
    async with migrated_database(postgres_server, migrated_template) as dsn_as:
        await _fill(dsn_as)
        async with Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions:
            yield sessions.readers


async def _fill(dsn_as: DsnAs) -> None:
    link = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S, command_timeout=60)
    await link.execute(FILLED)
    await link.execute("vacuum analyze engarde.audit_log")
    await show_plans(link, await link.fetchval("select current_database()"))
    await link.close(timeout=PATIENCE_S)


async def page(link: asyncpg.Connection, filters: AuditFilters, after: Place | None = None) -> int:
    """How many entries a page holds."""
    found = await PostgresRegisterReader(link).audit(
        TENANT, filters=filters, after=after, size=SIZE
    )
    return len(found)


async def read(readers: asyncpg.Pool, filters: AuditFilters, after: Place | None = None) -> float:
    """How many entries are looked at for one page, which must be a full one."""
    async with rolled_back(readers) as link:
        assert await page(link, filters, after) == SIZE
    nodes = await steps_of(readers, lambda link: page(link, filters, after))
    assert "Seq Scan" not in {node.kind for node in nodes if node.table == "audit_log"}
    return sum(node.rows for node in nodes if node.table == "audit_log") / CALLS


@pytest.mark.parametrize("filters", RARELY, ids=names_in)
async def test_what_is_rare_is_found_by_its_index(readers: asyncpg.Pool, filters: AuditFilters):
    """And not by looking at everything that came after it."""
    assert await read(readers, filters) <= 2 * RARE


@pytest.mark.parametrize("filters", OFTEN, ids=names_in)
@pytest.mark.parametrize("after", [None, MIDDLE], ids=["newest", "middle"])
async def test_what_is_common_is_met_soon(
    readers: asyncpg.Pool, filters: AuditFilters, after: Place | None
):
    """From the start, and from where another page ended."""
    assert await read(readers, filters, after) <= 10 * SIZE


async def test_one_request_is_one_entry(readers: asyncpg.Pool):
    """Whoever reports a problem has nothing but its id."""
    wanted = AuditFilters(request_id="request-7")
    async with rolled_back(readers) as link:
        assert await page(link, wanted) == 1
    nodes = await steps_of(readers, lambda link: page(link, wanted))

    assert sum(node.rows for node in nodes if node.table == "audit_log") <= 2 * CALLS
