"""What operators do to tenants and keys, while the daemon runs and while it does not.

Owns the ways in which access comes into being: a tenant is made whole (with brand, user,
membership and usage row) or not at all, and the secret of a key leaves this module once and is
stored nowhere. Nothing here is reachable from a tenant's request.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.reaching import using
from engarde_daemon.domain.access import ApiKey, Randomness, Role, draw_key
from engarde_daemon.domain.errors import NotFound, Rejected
from sql import statements

_SQL = statements("administration")


class NewTenant(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a tenant that was just made."""

    tenant_id: str
    brand_id: str
    user_id: str


class TenantUsage(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant, its plan, and how much it keeps."""

    tenant_id: str
    name: str
    plan: str
    items: int
    bytes: int


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a key is for."""

    tenant_id: str
    brand_id: str
    user_id: str


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a key but its secret."""

    key_id: str
    tenant_id: str
    brand_id: str
    user_id: str
    role: Role
    read_only: bool
    name: str
    created_at: datetime
    revoked_at: datetime | None


class RevokedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that opens nothing any more."""

    key_id: str
    tenant_id: str
    revoked_at: datetime


class Administration:
    """Tenants and keys over one connection of the user that migrates."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        *,
        new_id: Callable[[], str],
        randomness: Randomness,
    ) -> None:
        self._connection = connection
        self._new_id = new_id
        self._randomness = randomness

    async def create_tenant(self, name: str, plan: str) -> NewTenant:
        """Make a tenant with its first brand and user.

        Raises:
            Rejected: The platform's tables want more than the daemon knows.
            Unavailable: PostgreSQL does not answer.
        """
        made = NewTenant(tenant_id=self._new_id(), brand_id=self._new_id(), user_id=self._new_id())
        run = self._connection.execute
        with _explained():
            async with self._connection.transaction():
                await run(_SQL["add_tenant"], made.tenant_id, name, plan)
                await run(_SQL["add_user"], made.user_id, made.tenant_id)
                await run(_SQL["add_brand"], made.brand_id, made.tenant_id, name, plan)
                await run(_SQL["add_brand_member"], made.brand_id, made.user_id, made.tenant_id)
                await run(_SQL["become_actor"])
                await run(_SQL["add_usage"], made.tenant_id)
                await run(_SQL["become_self"])
        return made

    async def list_tenants(self) -> list[TenantUsage]:
        """Every tenant, the oldest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            rows = await self._connection.fetch(_SQL["list_tenants"])
        return [TenantUsage(**row) for row in rows]

    async def has_tenants(self) -> bool:
        """Whether there is any tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            return bool(await self._connection.fetchval(_SQL["has_tenants"]))

    async def set_plan(self, tenant_id: str, plan: str) -> None:
        """Put a tenant on another plan; what it stores already stays, even above the new limit.

        Raises:
            NotFound: There is no such tenant.
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            changed = await self._connection.fetchval(_SQL["set_plan"], tenant_id, plan)
        if changed is None:
            raise NotFound(f"There is no tenant {_shown(tenant_id)}.")

    async def find_holder(
        self, tenant_id: str, *, brand_id: str | None = None, user_id: str | None = None
    ) -> Holder:
        """The tenant with the brand and user named, else with its first ones.

        Raises:
            NotFound: There is no such tenant, or the brand or user is not the tenant's.
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            row = await self._connection.fetchrow(_SQL["find_holder"], tenant_id, brand_id, user_id)
        if row is None:
            raise NotFound(f"There is no tenant {_shown(tenant_id)}.")
        for part, wanted in (("brand", brand_id), ("user", user_id)):
            if row[f"{part}_id"] is None:
                raise NotFound(f"The tenant has no {part}{f' {_shown(wanted)}' if wanted else ''}.")
        return Holder(**row)

    async def create_key(
        self, holder: Holder, role: Role, name: str = "", *, read_only: bool = False
    ) -> ApiKey:
        """Make a key; its secret is in the answer and nowhere else.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        key = draw_key(self._randomness)
        owner = (holder.tenant_id, holder.brand_id, holder.user_id)
        async with self._as_actor():
            await self._connection.execute(
                _SQL["add_key"], key.id, *owner, role.value, name, key.digest, read_only
            )
        return key

    async def list_keys(self, tenant_id: str | None = None) -> list[KeyRecord]:
        """The keys of a tenant or of all, the oldest first, revoked ones too.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            rows = await self._connection.fetch(_SQL["list_keys"], tenant_id)
        return [msgspec.convert(dict(row), KeyRecord) for row in rows]

    async def revoke_key(self, key_id: str) -> RevokedKey:
        """Let a key open nothing any more; doing it again changes nothing.

        Raises:
            NotFound: There is no such key.
            Unavailable: PostgreSQL does not answer.
        """
        async with self._as_actor():
            row = await self._connection.fetchrow(_SQL["revoke_key"], key_id)
        if row is None:
            raise NotFound(f"There is no key {_shown(key_id)}.")
        return RevokedKey(**row)

    @asynccontextmanager
    async def _as_actor(self) -> AsyncIterator[None]:
        """A transaction with the rights of the background work, which row level security lets in."""
        with _explained():
            async with self._connection.transaction():
                await self._connection.execute(_SQL["become_actor"])
                yield
                # A role outlives a savepoint, and the caller may be inside a transaction.
                await self._connection.execute(_SQL["become_self"])


@contextmanager
def _explained() -> Iterator[None]:
    try:
        with using():
            yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Rejected(_refusal_of(error)) from error


def _refusal_of(error: Any) -> str:
    return (
        f"The platform's table {error.table_name} refuses the row "
        f"({error.column_name or error.constraint_name}): let the platform create it."
    )


def _shown(text: str) -> str:
    return repr(text[:60])
