"""Recovery jobs and the inventory of all versions on PostgreSQL, as `engarde_actor`."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import naive, version_of
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.recovery import (
    Job,
    JobKind,
    JobState,
    Place,
    Progress,
    Report,
    Scope,
    Wish,
)
from engarde_daemon.ports.recovery import Claim, Entry
from sql import statements

_SQL = statements("recovery")
_wish = msgspec.json.Decoder(Wish).decode
_place = msgspec.json.Decoder(Place).decode
_report = msgspec.json.Decoder(Report).decode


class PostgresJobBook:
    """The `JobBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def order(self, job_id: str, kind: JobKind, wish: Wish, *, by: str) -> Job | None:
        """See `JobBook.order`."""
        with translated():
            row = await self._writers.fetchval(_SQL["order"], job_id, kind, _json(wish), by)
        return _job_of(row) if row else None

    async def claim(self, *, lease_s: float) -> Claim | None:
        """See `JobBook.claim`."""
        with translated():
            row = await self._writers.fetchval(_SQL["claim"], lease_s)
        if row is None or row["state"] != JobState.RUNNING:
            return None
        return Claim(_job_of(row), row["lease_token"], is_first=row["lease_token"] == 1)

    async def advance(self, claim: Claim, progress: Progress, *, lease_s: float) -> JobState | None:
        """See `JobBook.advance`."""
        with translated():
            cancel_requested = await self._writers.fetchval(
                _SQL["advance"],
                claim.job.id,
                claim.token,
                progress.phase,
                _json(progress.place),
                progress.done,
                progress.total,
                _json(progress.report),
                lease_s,
            )
        if cancel_requested is None:
            return None
        return JobState.CANCELLED if cancel_requested else JobState.RUNNING

    async def postpone(self, claim: Claim, *, after_s: float, reason: str) -> None:
        """See `JobBook.postpone`."""
        with translated():
            await self._writers.execute(
                _SQL["postpone"], claim.job.id, claim.token, after_s, reason
            )

    async def settle(self, claim: Claim, state: JobState, *, error: str | None) -> bool:
        """See `JobBook.settle`."""
        with translated():
            row = await self._writers.fetchval(
                _SQL["settle"], claim.job.id, claim.token, state, error
            )
        return row is not None

    async def cancel(self, job_id: str) -> None:
        """See `JobBook.cancel`."""
        with translated():
            await self._writers.execute(_SQL["cancel"], job_id)

    async def find(self, job_id: str) -> Job | None:
        """See `JobBook.find`."""
        with translated():
            row = await self._writers.fetchval(_SQL["find"], job_id)
        return _job_of(row) if row else None

    async def newest(self, most: int) -> Sequence[Job]:
        """See `JobBook.newest`."""
        with translated():
            rows = await self._writers.fetch(_SQL["newest"], most)
        return [_job_of(row[0]) for row in rows]


class PostgresInventory:
    """The `Inventory` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def count(self, scope: Scope) -> int:
        """See `Inventory.count`."""
        wanted = (scope.tenant_id, scope.brand_id, naive(scope.until))
        with translated():
            return int(await self._writers.fetchval(_SQL["count_versions"], *wanted))

    async def after(self, place: Place, scope: Scope, *, most: int) -> Sequence[Entry]:
        """See `Inventory.after`."""
        tenant_id: str | None = scope.tenant_id or place.tenant_id
        while tenant_id is not None:
            began = place if place.tenant_id == tenant_id else Place(tenant_id)
            page = await self._page(began, scope, most=most) if tenant_id else []
            if page or scope.tenant_id:
                return page
            with translated():
                tenant_id = await self._writers.fetchval(_SQL["tenant_after"], tenant_id)
        return []

    async def named(self, keys: Sequence[RecordKey]) -> Sequence[Entry]:
        """See `Inventory.named`."""
        with translated():
            rows = await self._writers.fetch(_SQL["versions_named"], *_columns(keys))
        return [_entry_of(row) for row in rows]

    async def unknown(
        self, rows: Sequence[tuple[str, RecordKey]]
    ) -> Sequence[tuple[RecordKey, bool]]:
        """See `Inventory.unknown`."""
        ids, keys = [row_id for row_id, _ in rows], [key for _, key in rows]
        with translated():
            found = await self._writers.fetch(_SQL["unknown"], *_columns(keys), ids)
        return [(keys[row["place"] - 1], row["has_version"]) for row in found]

    async def set_aside(self, bodies: Sequence[tuple[Item, str]], *, for_s: float) -> None:
        """See `Inventory.set_aside`."""
        items = [item for item, _ in bodies]
        columns = _columns([RecordKey.of(item) for item in items])
        carried_by = [item.body_version for item in items]
        with translated():
            await self._writers.execute(
                _SQL["set_aside"], *columns, carried_by, [body for _, body in bodies], for_s
            )

    async def owe_archive(self, keys: Sequence[RecordKey]) -> None:
        """See `Inventory.owe_archive`."""
        with translated():
            await self._writers.execute(_SQL["owe_archive"], *_columns(keys))

    async def _page(self, place: Place, scope: Scope, *, most: int) -> list[Entry]:
        wanted = (scope.brand_id, naive(scope.until), most)
        with translated():
            rows = await self._writers.fetch(
                _SQL["versions_after"], place.tenant_id, place.content_id, place.version, *wanted
            )
        return [_entry_of(row) for row in rows]


def _columns(keys: Sequence[RecordKey]) -> tuple[list[str], list[str], list[int]]:
    return [k.tenant_id for k in keys], [k.content_id for k in keys], [k.version for k in keys]


def _entry_of(row: Mapping[str, Any]) -> Entry:
    version, previous = version_of(row["version"]), row["previous"]
    return Entry(
        item=version.item,
        change=version.change,
        previous=version_of(previous).item if previous else None,
        awaited=frozenset(row["awaited"]),
    )


def _job_of(row: Mapping[str, Any]) -> Job:
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        wish=_wish(row["wish"]),
        ordered_by=row["ordered_by"],
        state=JobState(row["state"]),
        progress=Progress(
            phase=row["phase"],
            place=_place(row["place"]) if row["place"] else Place(),
            done=row["done"],
            total=row["total"],
            report=_report(row["report"]) if row["report"] else Report(),
        ),
        error=row["error"],
        cancel_requested=row["cancel_requested"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
