"""Keys and memberships, asked for before the tenant is known, through functions that tell little."""

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.members import Membership
from engarde_daemon.ports.access import KnownKey
from sql import statements

_SQL = statements("access")


class PostgresKeyDirectory:
    """The `KeyDirectory` and `MemberDirectory` ports on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def find(self, key_id: str) -> KnownKey | None:
        """See `KeyDirectory.find`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["find_api_key"], key_id)
        if row is None:
            return None
        role = Role(row["role"])
        principal = Principal(
            key_id=key_id,
            tenant_id=row["tenant_id"],
            brand_id=row["brand_id"],
            user_id=row["user_id"],
            role=role,
            read_only=row["read_only"],
            brands=None if row["brand_ids"] is None else dict.fromkeys(row["brand_ids"], role),
        )
        return KnownKey(principal, row["secret_sha256"])

    async def membership(self, tenant_id: str, user_id: str) -> Membership:
        """See `MemberDirectory.membership`."""
        with translated():
            rows = await self._readers.fetch(_SQL["memberships"], tenant_id, user_id)
        return Membership(
            roles={row["brand_id"]: row["role"] for row in rows},
            brands_of_tenant=rows[0]["brands_of_tenant"] if rows else 0,
        )
