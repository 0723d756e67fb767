"""The ledger's book on PostgreSQL: one function applies a batch under one lock order."""

from collections.abc import Mapping, Sequence

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.ledger import Drift, Entry, Verdict
from sql import statements

_SQL = statements("ledger")
_EVENTS = statements("events")


class PostgresLedgerBook:
    """The `LedgerBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def apply(self, entries: Sequence[Entry]) -> list[Verdict]:
        """See `LedgerBook.apply`."""
        payload = msgspec.json.encode(entries).decode()
        with translated():
            rows = await self._writers.fetch(_SQL["apply"], payload, *self._limits)
        return [Verdict(row[0]) for row in rows]

    async def expire(self, most: int) -> int:
        """See `LedgerBook.expire`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["expire"], most))

    async def pending(self) -> int:
        """See `LedgerBook.pending`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["pending"]))

    async def tenants_after(self, tenant_id: str, most: int) -> list[str]:
        """See `LedgerBook.tenants_after`."""
        with translated():
            rows = await self._writers.fetch(_SQL["tenants_after"], tenant_id, most)
        return [row["tenant_id"] for row in rows]

    async def drift(self, tenant_ids: Sequence[str]) -> list[Drift]:
        """See `LedgerBook.drift`."""
        with translated():
            rows = await self._writers.fetch(_SQL["drift"], list(tenant_ids))
        return [Drift(*row.values()) for row in rows]

    async def reconcile(self, tenant_id: str) -> list[Drift]:
        """See `LedgerBook.reconcile`."""
        with translated():
            rows = await self._writers.fetch(_SQL["reconcile"], tenant_id)
        return [Drift(*row.values()) for row in rows]

    async def note_levels(self, most: int) -> int:
        """See `LedgerBook.note_levels`."""
        with translated():
            return int(
                await self._writers.fetchval(_SQL["note_levels"], self._limits.storage, most)
            )

    async def restate_usage(self, tenant_ids: Sequence[str]) -> None:
        """See `LedgerBook.restate_usage`."""
        with translated():
            await self._writers.execute(_SQL["restate_usage"], list(tenant_ids))
            await self._writers.execute(
                _EVENTS["note_levels"], list(tenant_ids), self._limits.storage
            )
