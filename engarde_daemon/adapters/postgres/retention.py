"""Erasure, retention and schedules on PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import ContentKey, VersionKey
from engarde_daemon.ports.retention import (
    Erasure,
    Expired,
    MediaLook,
    Reason,
    Removal,
    VersionsLook,
)
from sql import statements

_SQL = statements("retention")


class PostgresRetention:
    """The `Retention` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def erase(
        self, key: ContentKey, *, erasure_id: str, by: str, reason: Reason
    ) -> int | None:
        """See `Retention.erase`."""
        with translated():
            erased: int | None = await self._writers.fetchval(
                _SQL["erase"], erasure_id, key.tenant_id, key.content_id, by, reason
            )
        return erased

    async def due_items(self, most: int) -> list[VersionKey]:
        """See `Retention.due_items`."""
        with translated():
            rows = await self._writers.fetch(_SQL["due_items"], most)
        return [VersionKey(*row.values()) for row in rows]

    async def expired_trash(self, most: int) -> list[ContentKey]:
        """See `Retention.expired_trash`."""
        with translated():
            rows = await self._writers.fetch(_SQL["expired_trash"], self._limits.retention, most)
        return [ContentKey(*row.values()) for row in rows]

    async def trim_versions(self, pages: int) -> VersionsLook:
        """See `Retention.trim_versions`."""
        with translated():
            look = await self._writers.fetchrow(
                _SQL["trim_versions"], self._limits.retention, self._limits.forgetting, pages
            )
        return VersionsLook(*look.values())

    async def expire_media(self, most: int, *, unseen_since: datetime) -> MediaLook:
        """See `Retention.expire_media`."""
        with translated():
            looked = await self._writers.fetch(
                _SQL["check_media"], self._limits.retention, unseen_since, most
            )
            expired = [
                await self._writers.fetchval(
                    _SQL["expire_media"], row["tenant_id"], row["id"], self._limits.retention
                )
                for row in looked
                if row["spent"]
            ]
        return MediaLook(len(looked), sum(expired))

    async def report(self) -> list[Expired]:
        """See `Retention.report`."""
        with translated():
            rows = await self._writers.fetch(
                _SQL["report"], self._limits.retention, self._limits.forgetting
            )
        return [Expired(**row) for row in rows]

    async def claim_removals(self, destination: str, most: int) -> list[Removal]:
        """See `Retention.claim_removals`."""
        with translated():
            rows = await self._writers.fetch(_SQL["claim_removals"], most, destination)
        return [Removal(**{name: row[name] for name in Removal.__struct_fields__}) for row in rows]

    async def settle_removals(self, removals: Sequence[Removal]) -> None:
        """See `Retention.settle_removals`."""
        with translated():
            await self._writers.execute(_SQL["settle_removals"], [r.id for r in removals])
            await self._writers.execute(_SQL["close_erasures"])


class PostgresReceipts:
    """The `Receipts` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def find_erasure(self, tenant_id: str, erasure_id: str) -> Erasure | None:
        """See `Receipts.find_erasure`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["read_erasure"], tenant_id, erasure_id)
        if row is None:
            return None
        return Erasure(**{name: row[name] for name in Erasure.__struct_fields__})
