"""Keys and memberships, asked for before the tenant is known, through functions that tell little.

Owns the price of keys that nobody has: however many come at once, looking for them takes `LANES`
connections, and true keys that come with them are answered in the same round trips.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from engarde_daemon.adapters.coalescing import PATIENCE_S, Coalesced
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.members import Membership
from engarde_daemon.ports.access import KnownKey
from sql import statements

LANES = 2
BATCH_MOST = 64

_SQL = statements("access")


class PostgresKeyDirectory:
    """The `KeyDirectory` and `MemberDirectory` ports on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool, *, patience_s: float = PATIENCE_S) -> None:
        self._readers = readers
        self._keys = Coalesced(self._find_all, lanes=LANES, most=BATCH_MOST, patience_s=patience_s)

    async def find(self, key_id: str) -> KnownKey | None:
        """See `KeyDirectory.find`."""
        with translated():
            return await self._keys.ask(key_id)

    async def membership(self, tenant_id: str, user_id: str) -> Membership:
        """See `MemberDirectory.membership`."""
        with translated():
            rows = await self._readers.fetch(_SQL["memberships"], tenant_id, user_id)
        return Membership(
            roles={row["brand_id"]: row["role"] for row in rows},
            brands_of_tenant=rows[0]["brands_of_tenant"] if rows else 0,
        )

    async def _find_all(self, key_ids: Sequence[str]) -> list[KnownKey | None]:
        with translated():
            rows = await self._readers.fetch(_SQL["find_api_keys"], list(key_ids))
        found = {row["key_id"]: _known(row) for row in rows}
        return [found.get(key_id) for key_id in key_ids]


def _known(row: Mapping[str, Any]) -> KnownKey:
    role = Role(row["role"])
    principal = Principal(
        key_id=row["key_id"],
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        user_id=row["user_id"],
        role=role,
        read_only=row["read_only"],
        brands=None if row["brand_ids"] is None else dict.fromkeys(row["brand_ids"], role),
    )
    return KnownKey(principal, row["secret_sha256"])
