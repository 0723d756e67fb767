"""The log of events on PostgreSQL: written as `engarde_actor`, read under row level security."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.events import Event, EventDraft
from engarde_daemon.ports.events import Bounds, Placed
from sql import statements

_SQL = statements("events")


class PostgresEventLog:
    """The `EventLog` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def append(self, drafts: Sequence[EventDraft]) -> int:
        """See `EventLog.append`."""
        payload = msgspec.json.encode(drafts).decode()
        with translated():
            return int(await self._writers.fetchval(_SQL["append"], payload))

    async def forget(self, *, older_than_days: float, most: int) -> int:
        """See `EventLog.forget`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["forget"], older_than_days, most))


class PostgresEventReader:
    """The `EventReader` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def after(self, places: Mapping[str, int], *, most: int) -> dict[str, list[Placed]]:
        """See `EventReader.after`."""
        tenants, positions = list(places), list(places.values())
        with translated():
            rows = await self._readers.fetch(_SQL["read"], tenants, positions, most)
        found: dict[str, list[Placed]] = {}
        for row in rows:
            placed = Placed(row["position"], event_of(row))
            found.setdefault(row["tenant_id"], []).append(placed)
        return found

    async def bounds(self, tenant_id: str) -> Bounds:
        """See `EventReader.bounds`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["bounds"], tenant_id)
        return Bounds(row["first"], row["last"])


def event_of(row: Mapping[str, Any]) -> Event:
    """An event from a row that `engarde.read_events_v1` gave."""
    return Event(
        id=str(row["id"]),
        tenant_id=row["tenant_id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        brand_id=row["brand_id"],
        actor_id=row["actor_id"],
        data=msgspec.Raw(row["data"].encode()),
    )
