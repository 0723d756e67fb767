"""A migrated database of one's own with a tenant in it, as most tests of stores need one.

A conftest takes the fixtures with `from tests.support.database import ...`.
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.migrations import migrate
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.plans import Plan
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database, postgres_server

__all__ = ["PLANS", "Tenant", "postgres_server"]

SMALL, LARGE, OPEN = "small", "large", "open"
PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        name: Plan(name=name, storage_bytes=storage, retention_days=30, monthly_items=monthly)
        for name, storage, monthly in (
            (SMALL, 100, 20),
            (LARGE, 1_000_000, 1_000),
            (OPEN, None, None),
            ("free", 10, 10),
        )
    }
)


class Tenant(msgspec.Struct, frozen=True):
    """Whom a write belongs to."""

    id: str
    brand_id: str
    user_id: str


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with the whole schema, to be copied."""
    async with fresh_database(postgres_server) as name:
        await migrate(postgres_server.dsn(database=name))
        yield name


@asynccontextmanager
async def migrated_database(server: EmbeddedPostgres, template: str) -> AsyncIterator[DsnAs]:
    """The addresses of a fresh copy, under which each role logs in."""
    async with fresh_database(server, template) as name:
        yield partial(_dsn, server, name)


def _dsn(server: EmbeddedPostgres, database: str, role: str) -> str:
    return server.dsn(user=role, database=database)


@pytest.fixture
async def dsn_as(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[DsnAs]:
    """The addresses of a database of one's own."""
    async with migrated_database(postgres_server, migrated_template) as dsn_as:
        yield dsn_as


@pytest.fixture
async def sessions(dsn_as: DsnAs) -> AsyncIterator[Sessions]:
    """The pools through which the daemon would use that database."""
    async with Sessions(dsn_as, SessionLimits(readers=2, writers=6)) as sessions:
        yield sessions


@pytest.fixture
async def superuser(dsn_as: DsnAs) -> AsyncIterator[asyncpg.Connection]:
    """A connection past every guard, to look at what there is and to arrange what there was."""
    connection = await asyncpg.connect(dsn_as("postgres"), timeout=PATIENCE_S, command_timeout=20)
    try:
        yield connection
    finally:
        connection.terminate()


@pytest.fixture
async def tenant(superuser: asyncpg.Connection) -> Tenant:
    """A tenant with a large plan."""
    return await add_tenant(superuser, LARGE)


async def add_tenant(sql: asyncpg.Connection, plan: str) -> Tenant:
    """Add a tenant as the platform does: no table of ours knows it yet."""
    tenant, brand, user = (str(uuid.uuid4()) for _ in range(3))
    await sql.execute("insert into tenants (id, plan_tier) values ($1, $2)", tenant, plan)
    await sql.execute("insert into users (id, tenant_id) values ($1, $2)", user, tenant)
    await sql.execute("insert into brands (id, tenant_id, name) values ($1, $2, '')", brand, tenant)
    return Tenant(tenant, brand, user)
