"""All tenants at a glance: for operators alone, never reachable by a tenant's own caller."""

from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.plans import Level


class TenantSort(StrEnum):
    """In which order tenants are listed."""

    ID = "id"
    NAME = "name"
    LARGEST = "-used_bytes"
    FULLEST = "-usage"


class TenantStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant with its plan and what it keeps; a limit of None is none."""

    tenant_id: str
    name: str
    plan: str
    items: int
    media_files: int
    used_bytes: int
    pending_bytes: int
    limit_bytes: int | None
    level: Level


class TenantFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenants are wanted; `search` is an id, or part of a name."""

    level: Level | None = None
    plan: str | None = None
    search: str | None = None


class TenantOffice(Protocol):
    """What operators see and change of tenants."""

    async def page(
        self, filters: TenantFilters, *, sort: TenantSort, size: int, skip: int
    ) -> tuple[list[TenantStanding], int]:
        """Some tenants, and how many there are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def set_plan(self, tenant_id: str, plan: str) -> str:
        """Put a tenant on another plan and give the one before; what it stores stays.

        Raises:
            NotFound: There is no such tenant.
            Unavailable: PostgreSQL does not answer.
        """

    async def exists(self, tenant_id: str) -> bool:
        """Whether there is such a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
