"""Jobs and credentials for readers, under row level security."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.generation import findings_of
from engarde_daemon.domain.generation import ItemState, JobStatus, Mode
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.generation import (
    CredentialRecord,
    ItemRecord,
    Job,
    JobKey,
    Pieces,
    Written,
)
from sql import statements

_SQL = statements("generation")
_COUNTS = msgspec.json.Decoder(dict[ItemState, int])
_NOT_PLAIN = {"status", "items", "mode"}


_WRITTEN = msgspec.json.Decoder(Written)


class PostgresJobLibrary:
    """The `JobLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def job(self, key: JobKey) -> Job | None:
        """See `JobLibrary.job`."""
        rows = await self._fetch("jobs", key.tenant_id, key.job_id, None, None, None, None, 1)
        return _job_of(rows[0]) if rows else None

    async def jobs(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        statuses: Sequence[str] | None,
        after: Place | None,
        size: int,
    ) -> list[Job]:
        """See `JobLibrary.jobs`."""
        before = (after.created_at, after.content_id) if after else (None, None)
        rows = await self._fetch("jobs", tenant_id, None, brand_ids, statuses, *before, size)
        return [_job_of(row) for row in rows]

    async def contents(self, key: JobKey) -> list[str]:
        """See `JobLibrary.contents`."""
        rows = await self._fetch("contents", key.tenant_id, key.job_id)
        return [row["content_id"] for row in rows]

    async def items(
        self, key: JobKey, *, states: Sequence[str] | None, after: int, size: int
    ) -> list[ItemRecord]:
        """See `JobLibrary.items`."""
        rows = await self._fetch("items", key.tenant_id, key.job_id, states, after, None, size)
        return [_item_of(row) for row in rows]

    async def ended_items(self, key: JobKey, *, after: int, size: int) -> list[ItemRecord]:
        """See `JobLibrary.ended_items`."""
        rows = await self._fetch("items", key.tenant_id, key.job_id, None, None, after, size)
        return [_item_of(row) for row in rows]

    async def credentials(self, tenant_id: str) -> list[CredentialRecord]:
        """See `JobLibrary.credentials`."""
        rows = await self._fetch("credentials", tenant_id)
        return [CredentialRecord(**row) for row in rows]

    async def pieces(self, tenant_id: str, period: date) -> Pieces:
        """See `JobLibrary.pieces`."""
        (row,) = await self._fetch("pieces", tenant_id, period)
        return Pieces(**row)

    async def _fetch(self, name: str, *given: object) -> list[Any]:
        with translated():
            rows: list[Any] = await self._readers.fetch(_SQL[name], *given)
        return rows


def _job_of(row: Mapping[str, Any]) -> Job:
    plain = {n: row[n] for n in Job.__struct_fields__ if n not in _NOT_PLAIN}
    return Job(
        **plain,
        status=JobStatus(row["status"]),
        items=_COUNTS.decode(row["items"]),
        mode=Mode(row["mode"]),
    )


def _item_of(row: Mapping[str, Any]) -> ItemRecord:
    apart = {"state", "findings", "draft"}
    plain = {n: row[n] for n in ItemRecord.__struct_fields__ if n not in apart}
    return ItemRecord(
        **plain,
        state=ItemState(row["state"]),
        findings=findings_of(row["findings"]),
        draft=_draft_of(row),
    )


def _draft_of(row: Mapping[str, Any]) -> str | None:
    """What the model wrote, where it has not become content."""
    if row["answer"] is None or row["content_id"] is not None:
        return None
    return _WRITTEN.decode(row["answer"]).text
