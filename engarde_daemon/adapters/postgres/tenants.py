"""Tenants as operators see them, with the rights of `engarde_actor`."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import NotFound
from engarde_daemon.domain.plans import Level, Plan
from engarde_daemon.ports.tenants import TenantFilters, TenantSort, TenantStanding
from sql import statements

_SQL = statements("tenants")
_EVENTS = statements("events")


class PostgresTenantOffice:
    """The `TenantOffice` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        limits = {name: plan.storage_bytes for name, plan in plans.items()}
        self._limits = msgspec.json.encode(limits).decode()

    async def page(
        self, filters: TenantFilters, *, sort: TenantSort, size: int, skip: int
    ) -> tuple[list[TenantStanding], int]:
        """See `TenantOffice.page`."""
        wanted = (filters.level, filters.plan, filters.search)
        with translated():
            rows = await self._writers.fetch(_SQL["page"], self._limits, *wanted, sort, size, skip)
            total = int(await self._writers.fetchval(_SQL["count"], *wanted))
        return [_standing_of(row) for row in rows], total

    async def set_plan(self, tenant_id: str, plan: str) -> str:
        """See `TenantOffice.set_plan`."""
        with translated():
            before = await self._writers.fetchval(_SQL["set_plan"], tenant_id, plan)
            if before is None:
                raise NotFound("There is no such tenant.")
            await self._writers.execute(_EVENTS["note_levels"], [tenant_id], self._limits)
        return str(before)

    async def exists(self, tenant_id: str) -> bool:
        """See `TenantOffice.exists`."""
        with translated():
            return bool(await self._writers.fetchval(_SQL["is_tenant"], tenant_id))


def _standing_of(row: Mapping[str, Any]) -> TenantStanding:
    return TenantStanding(**{**row, "level": Level(row["level"])})
