"""API keys, asked for before the tenant is known, through a function that answers for one id."""

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.ports.access import KnownKey
from sql import statements

_SQL = statements("library")


class PostgresKeyDirectory:
    """The `KeyDirectory` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def find(self, key_id: str) -> KnownKey | None:
        """See `KeyDirectory.find`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["find_api_key"], key_id)
        if row is None:
            return None
        principal = Principal(
            key_id=key_id,
            tenant_id=row["tenant_id"],
            brand_id=row["brand_id"],
            user_id=row["user_id"],
            role=Role(row["role"]),
        )
        return KnownKey(principal, row["secret_sha256"])
