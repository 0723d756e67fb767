"""Writes of several tenants that wait together share a transaction, and nothing else."""

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.errors import QuotaExceeded
from tests.support.content import creation
from tests.support.database import LARGE, PLANS, SMALL, add_tenant

TENANTS = 8
TOO_MUCH = 101  # of what the plan `small` allows
_STAGED = "select tenant_id, body from engarde.staged_bodies"


@pytest.fixture
def log(sessions: Sessions) -> PostgresContentLog:
    """The one place where content changes."""
    return PostgresContentLog(sessions.writers, PLANS)


async def test_each_tenant_keeps_its_own_bodies(
    log: PostgresContentLog, superuser: asyncpg.Connection
):
    """In whatever order they come: ids of tenants are random, so this one is mixed."""
    tenants = [await add_tenant(superuser, LARGE) for _ in range(TENANTS)]
    await log.commit([creation(tenant, f"of {tenant.id}") for tenant in tenants])

    staged = {row["tenant_id"]: row["body"] for row in await superuser.fetch(_STAGED)}
    assert staged == {tenant.id: f"of {tenant.id}" for tenant in tenants}


async def test_each_tenant_gets_its_own_refusal(
    log: PostgresContentLog, superuser: asyncpg.Connection
):
    """Whose plan is full is refused, and nobody else."""
    plans = [SMALL if place % 3 else LARGE for place in range(TENANTS)]
    tenants = [await add_tenant(superuser, plan) for plan in plans]
    outcomes = await log.commit([creation(tenant, "x" * TOO_MUCH) for tenant in tenants])

    refused = [isinstance(outcome, QuotaExceeded) for outcome in outcomes]
    assert refused == [plan == SMALL for plan in plans]
