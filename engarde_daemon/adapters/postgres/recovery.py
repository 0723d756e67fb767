"""Failover on PostgreSQL: latches that hold on every daemon, samples, and the bulletin."""

from collections.abc import Sequence

import asyncpg

from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import version_of
from engarde_daemon.domain.events import EventDraft, EventType
from engarde_daemon.domain.records import RecordKey
from sql import statements

_SQL = statements("recovery")


class PostgresLatches:
    """The `Latches` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def latched(self) -> frozenset[str]:
        """See `Latches.latched`."""
        with translated():
            rows = await self._writers.fetch(_SQL["latches"])
        return frozenset(row["store"] for row in rows)

    async def latch(self, store: str, *, by: str) -> None:
        """See `Latches.latch`."""
        with translated():
            await self._writers.execute(_SQL["latch"], store, by)

    async def unlatch(self, store: str) -> None:
        """See `Latches.unlatch`."""
        with translated():
            await self._writers.execute(_SQL["unlatch"], store)


class PostgresSignpost:
    """The `Signpost` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def in_use(self) -> str | None:
        """See `Signpost.in_use`."""
        with translated():
            address: str | None = await self._writers.fetchval(_SQL["in_use"])
        return address

    async def point_to(self, address: str) -> None:
        """See `Signpost.point_to`."""
        with translated():
            await self._writers.execute(_SQL["point_to"], address)


class PostgresSamples:
    """The `Samples` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def sample(self, most: int) -> Sequence[RecordKey]:
        """See `Samples.sample`."""
        with translated():
            rows = await self._writers.fetch(_SQL["sample"], most)
        return [RecordKey.of(version_of(row["version"]).item) for row in rows]


class PostgresBulletin:
    """The `Bulletin` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers
        self._log = PostgresEventLog(writers)

    async def post(
        self, type_: EventType, data: dict[str, object], *, tenant_id: str | None = None
    ) -> None:
        """See `Bulletin.post`."""
        with translated():
            rows = await self._writers.fetch(_SQL["operators_tenants"])
        told = {row["tenant_id"] for row in rows} | ({tenant_id} if tenant_id else set())
        await self._log.append([EventDraft(tenant_id=t, type=type_, data=data) for t in told])
