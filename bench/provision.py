"""What the bench does behind the daemon's back: makes tenants, and opens its database.

`engarde tenants create` and `engarde keys create` would do the first, at the price of two
processes a tenant; this does the same through the same code, in one.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench.tenants import Tenant
from engarde_daemon.adapters.postgres.administration import Administration
from engarde_daemon.adapters.postgres.attach import EMBEDDED, SUPERUSER, attached
from engarde_daemon.config.stores import Storage
from engarde_daemon.domain.access import Role

PLAN = "enterprise"
STATEMENT_LIMIT_S = 180.0


@asynccontextmanager
async def database_of(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    """Connect to the daemon's embedded PostgreSQL as the user that owns everything."""
    root = Storage(data_dir=str(data_dir)).postgres_root
    async with attached(EMBEDDED, root) as dsn_as:
        dsn = dsn_as(SUPERUSER)
        connection = await asyncpg.connect(dsn, timeout=10, command_timeout=STATEMENT_LIMIT_S)
        try:
            yield connection
        finally:
            await connection.close(timeout=10)


async def make_tenants(data_dir: Path, count: int, role: Role = Role.EDITOR) -> list[Tenant]:
    """Make tenants without a storage limit, each with one brand, one user and one key."""
    async with database_of(data_dir) as connection:
        operator = Administration(
            connection, new_id=lambda: str(uuid4()), randomness=secrets.token_bytes
        )
        return [await _make_tenant(operator, f"Bench {index}", role) for index in range(count)]


async def _make_tenant(operator: Administration, name: str, role: Role) -> Tenant:
    made = await operator.create_tenant(name, PLAN)
    holder = await operator.find_holder(made.tenant_id)
    key = await operator.create_key(holder, role)
    return Tenant(
        tenant_id=made.tenant_id,
        brand_id=made.brand_id,
        user_id=made.user_id,
        api_key=key.text,
    )
