"""What keys that nobody has cost those who come with them."""

from typing import Any

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.keys import BATCH_MOST, PostgresKeyDirectory
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.access import KnownKey
from tests.support.database import (
    Tenant,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
    tenant,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser", "tenant"]

FLOOD = 200
_ADD = """
    insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, secret_sha256)
    values ($1, $2, $3, $4, 'editor', sha256(''))
"""


class Counted:
    """The readers' pool, and how often it was asked."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.asked = 0

    async def fetch(self, *question: Any) -> Any:
        """Ask."""
        self.asked += 1
        return await self._pool.fetch(*question)


@pytest.fixture
def readers(sessions: Sessions) -> Any:
    """The readers of a database, counted."""
    return Counted(sessions.readers)


async def test_a_flood_of_keys_that_nobody_has_is_a_few_questions(
    readers: Any, superuser: asyncpg.Connection, tenant: Tenant
):
    """And a true key in the midst of them is found by one of these."""
    await superuser.execute(_ADD, "true-key", tenant.id, tenant.brand_id, tenant.user_id)
    directory = PostgresKeyDirectory(readers)
    found: dict[str, KnownKey | None] = {}

    async def look_for(key_id: str) -> None:
        found[key_id] = await directory.find(key_id)

    async with anyio.create_task_group() as tasks:
        for number in range(FLOOD):
            tasks.start_soon(look_for, f"forged-{number}")
        tasks.start_soon(look_for, "true-key")

    assert readers.asked <= 2 + -(-FLOOD // BATCH_MOST)
    assert [key_id for key_id, known in found.items() if known] == ["true-key"]
    true = found["true-key"]
    assert true is not None
    assert (true.principal.tenant_id, true.principal.key_id) == (tenant.id, "true-key")
