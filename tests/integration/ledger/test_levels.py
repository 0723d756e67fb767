"""Plans that change show in the levels of all tenants soon, and each crossing is told once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from actors.ledger.actor import LEVELS_PER_LOOK, Ledger
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.plans import Plan
from tests.support.acting import acting
from tests.support.database import PLANS
from tests.support.oracle import eventually

TENANTS = LEVELS_PER_LOOK + 3
USED = 500_000
NORMAL, EXCEEDED = {"normal": TENANTS}, {"exceeded": TENANTS}

_SETTLED = """
    with made as (
        insert into tenants (id, plan_tier) select 'tenant-' || n, 'large' from generate_series(1, $1) n
        returning id)
    insert into content_storage_usage (tenant_id, total_storage_bytes) select id, $2 from made
"""
_LEVELS = "select warning_level, count(*) from content_storage_usage group by 1"
_TOLD = """
    select e.type, count(*), count(distinct e.tenant_id) from engarde.events e
    where e.type like 'quota.%' group by 1
"""


@pytest.fixture
def plans() -> dict[str, Plan]:
    """The catalogue, as a reload of the settings changes it under the daemon."""
    return dict(PLANS)


def halved(plans: dict[str, Plan], storage_bytes: int) -> None:
    """Give the plan of all these tenants this much room."""
    plans["large"] = msgspec.structs.replace(PLANS["large"], storage_bytes=storage_bytes)


@asynccontextmanager
async def keeping(sessions: Sessions, plans: Mapping[str, Plan]) -> AsyncIterator[None]:
    """A ledger that never looks at the books on its round."""
    book = PostgresLedgerBook(sessions.writers, plans)
    async with acting(
        lambda: Ledger(
            book,
            plans=plans,
            expire_s=0.01,
            check_s=3600.0,
            clock=lambda: 0.0,
            drifted=lambda _: None,
            counted=lambda _: None,
        )
    ):
        yield


async def until_levels(superuser: asyncpg.Connection, wanted: dict[str, int]) -> None:
    """Wait until so many tenants are written down as so full."""

    async def are_so() -> bool:
        return dict(await superuser.fetch(_LEVELS)) == wanted

    await eventually(are_so)


async def test_a_smaller_plan_is_told_to_all_its_tenants_once(
    sessions: Sessions, superuser: asyncpg.Connection, plans: dict[str, Plan]
):
    """Without a write of theirs, however many they are; and a larger one is told to nobody."""
    await superuser.execute(_SETTLED, TENANTS, USED)
    async with keeping(sessions, plans):
        halved(plans, USED - 1)
        await until_levels(superuser, EXCEEDED)
        halved(plans, 2 * USED)
        await until_levels(superuser, NORMAL)

    assert [tuple(row) for row in await superuser.fetch(_TOLD)] == [
        ("quota.exceeded", TENANTS, TENANTS)
    ]


async def test_plans_that_changed_while_no_daemon_ran_are_noticed(
    sessions: Sessions, superuser: asyncpg.Connection, plans: dict[str, Plan]
):
    """A restart takes other settings as a reload does."""
    await superuser.execute(_SETTLED, TENANTS, USED)
    halved(plans, USED - 1)
    async with keeping(sessions, plans):
        await until_levels(superuser, EXCEEDED)


async def test_tenants_whose_level_is_right_are_not_touched(
    sessions: Sessions, superuser: asyncpg.Connection
):
    """Their rows are what every write of theirs waits for."""
    await superuser.execute(_SETTLED, 3, USED)
    book = PostgresLedgerBook(sessions.writers, PLANS)
    before = await superuser.fetch("select xmin, xmax from content_storage_usage")

    assert await book.note_levels(10) == 0
    assert await superuser.fetch("select xmin, xmax from content_storage_usage") == before
