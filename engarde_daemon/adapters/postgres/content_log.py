"""Writes of content: one statement, one transaction, one round trip a batch.

Owns promise 1: when `commit` answers for a write with its item, version, quota, outbox and body
are committed in PostgreSQL together, or none of them is.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import structlog

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.adapters.postgres.rows import item_of, version_of
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Details, Item
from engarde_daemon.domain.errors import Conflict, KeyReused, NotFound, QuotaExceeded
from engarde_daemon.domain.plans import Plan, plan_named, upgrade_suggestion
from engarde_daemon.ports.content import (
    ContentKey,
    Head,
    Moved,
    Outcome,
    Replayed,
    VersionKey,
)
from sql import statements

_SQL = statements("content_log")
_JSON = msgspec.json.Encoder()
_LOG = structlog.get_logger("engarde.content")


class _Row(msgspec.Struct):
    """One write in the shape of the SQL type `engarde.content_write`."""

    content_id: str
    tenant_id: str
    brand_id: str
    user_id: str
    campaign_space_id: str | None
    version: int
    body_version: int
    zerodb_id: str
    title: str
    content_type: str
    status: str
    details: Details
    preview: str
    size_bytes: int
    sha256: str
    scheduled_at: datetime | None
    published_at: datetime | None
    change_type: str
    changed_by: str
    changes_summary: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    old_content_type: str | None
    old_status: str | None
    old_size_bytes: int | None
    growth_bytes: int
    principal_id: str | None
    idempotency_key: str | None
    fingerprint: str | None


class _Undone(Exception):
    """Ends a transaction of which nothing shall stay."""


class PostgresContentLog:
    """The `ContentLog` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._plans = plans
        self._limits = PlanLimits(plans)

    async def heads(self, keys: Sequence[ContentKey]) -> dict[ContentKey, Head]:
        """See `ContentLog.heads`."""
        tenants = [key.tenant_id for key in keys]
        ids = [key.content_id for key in keys]
        with translated():
            rows = await self._writers.fetch(_SQL["heads"], tenants, ids)
        return {_key_of(row): _head_of(row) for row in rows}

    async def versions(self, keys: Sequence[VersionKey]) -> dict[VersionKey, Item]:
        """See `ContentLog.versions`."""
        tenants, ids, wanted = zip(*map(msgspec.structs.astuple, keys), strict=True)
        with translated():
            rows = await self._writers.fetch(_SQL["versions"], tenants, ids, wanted)
        items = [version_of(row).item for row in rows]
        return {VersionKey(item.tenant_id, item.id, item.version): item for item in items}

    async def commit(self, writes: Sequence[Write], *, whole: bool = False) -> list[Outcome]:
        """See `ContentLog.commit`."""
        payload = _JSON.encode([_row_of(write) for write in writes]).decode()
        bodies = [write.body for write in writes]
        call = self._commit_whole if whole else self._writers.fetch
        traces = _traces_of(writes)
        statement = _SQL["commit_traced" if traces else "commit"]
        try:
            with translated():
                refused = await call(statement, payload, bodies, self._limits.storage, *traces)
        except asyncpg.UniqueViolationError as error:
            names_twice = len({write.item.id for write in writes}) < len(writes)
            if names_twice or error.constraint_name != "content_items_pkey":
                raise
            # Another daemon took in the same item between our look and our write.
            return [Moved(1)] * len(writes)
        except asyncpg.IntegrityConstraintViolationError as error:
            if len(writes) > 1:
                raise  # alone, the one at fault is told, and it is nothing to its neighbours
            return [_contradiction(error)]
        outcomes: list[Outcome] = [write.item for write in writes]
        for row in refused:
            place = row["ordinal"] - 1
            outcomes[place] = self._outcome_of(row, writes[place])
        return outcomes

    async def _commit_whole(self, statement: str, *arguments: Any) -> list[Mapping[str, Any]]:
        """Commit unless something is refused; what was made before is no refusal."""
        rows: list[Mapping[str, Any]] = []
        with suppress(_Undone):
            async with self._writers.acquire() as connection, connection.transaction():
                rows = await connection.fetch(statement, *arguments)
                if any(row["outcome"] != "replayed" for row in rows):
                    raise _Undone
        return rows

    def _outcome_of(self, row: Mapping[str, Any], write: Write) -> Outcome:
        match row["outcome"]:
            case "replayed":
                return Replayed(row["content_id"], row["version"])
            case "reused":
                return KeyReused()
            case "missing":
                return NotFound("There is no such content.")
            case "moved":
                return Moved(row["version"])
            case _:
                return self._over_limit(row, write)

    def _over_limit(self, row: Mapping[str, Any], write: Write) -> QuotaExceeded:
        plan = plan_named(row["plan"], self._plans)
        needed = row["used_bytes"] + write.growth_bytes
        return QuotaExceeded(
            plan,
            used_bytes=row["used_bytes"],
            wanted_bytes=write.growth_bytes,
            suggestion=upgrade_suggestion(plan, self._plans.values(), needed),
        )


def _traces_of(writes: Sequence[Write]) -> list[tuple[Any, ...]]:
    """The columns that name the requests behind versions; none where nobody traces."""
    traced = [
        (write.item.tenant_id, write.item.id, write.item.version, write.trace)
        for write in writes
        if write.trace is not None
    ]
    return list(zip(*traced, strict=True))


def _contradiction(error: Any) -> Conflict:
    """What becomes of a write that a rule of the platform's tables refuses, or one of ours."""
    rule = error.constraint_name or error.column_name
    _LOG.error("the database refuses a write", table=error.table_name, rule=rule)
    return Conflict(
        f"The database's rule {rule} refuses this content: what it belongs to may be gone."
    )


def _key_of(row: Mapping[str, Any]) -> ContentKey:
    return ContentKey(row["item"]["tenant_id"], row["item"]["id"])


def _head_of(row: Mapping[str, Any]) -> Head:
    return Head(item=item_of(row["item"]), legacy_body=row["legacy_body"])


def _row_of(write: Write) -> _Row:
    item, promise = write.item, write.idempotency
    before = write.before if write.before and not write.before.deleted_at else None
    return _Row(
        item.id,
        item.tenant_id,
        item.brand_id,
        item.user_id,
        item.campaign_space_id,
        item.version,
        item.body_version,
        item.zerodb_id,
        item.title,
        item.content_type,
        item.status,
        item.details,
        item.preview,
        item.size_bytes,
        item.sha256,
        item.scheduled_at,
        item.published_at,
        write.change.type.value,
        write.change.by,
        write.change.summary,
        item.created_at,
        item.updated_at,
        item.deleted_at,
        before.content_type if before else None,
        before.status if before else None,
        before.size_bytes if before else None,
        write.growth_bytes,
        promise.principal_id if promise else None,
        promise.key if promise else None,
        promise.fingerprint if promise else None,
    )
