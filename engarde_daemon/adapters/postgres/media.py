"""The books of media files on PostgreSQL: reads as `engarde_api`, all else as `engarde_actor`."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.domain.media import MediaFile, MediaProperties
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.media import (
    Attempt,
    Beginning,
    Case,
    Finding,
    Keeping,
    Leftover,
    NewMedia,
    Promise,
)
from sql import statements

_SQL = statements("media")
_PROPERTIES = msgspec.json.Decoder(MediaProperties)


class PostgresMediaBook:
    """The `MediaBook` and `MediaRounds` ports on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def begin(self, attempt: Attempt, *, lease_s: float) -> Beginning:
        """See `MediaBook.begin`."""
        return Beginning(
            await self._value(
                "begin",
                attempt.tenant_id,
                attempt.upload_id,
                attempt.media_id,
                attempt.storage_path,
                lease_s,
                self._limits.storage,
            )
        )

    async def extend(self, attempt: Attempt, reservation_id: str | None, *, lease_s: float) -> bool:
        """See `MediaBook.extend`."""
        return bool(
            await self._value(
                "extend", attempt.tenant_id, attempt.upload_id, reservation_id, lease_s
            )
        )

    async def keep(self, attempt: Attempt, file: NewMedia, promises: Sequence[Promise]) -> Keeping:
        """See `MediaBook.keep`."""
        row = msgspec.json.encode(file).decode()
        settled = msgspec.json.encode(_settled(file, promises)).decode()
        return Keeping(
            await self._value("keep", attempt.upload_id, row, settled, self._limits.storage)
        )

    async def give_up(self, attempt: Attempt) -> None:
        """See `MediaBook.give_up`."""
        await self._value("give_up", attempt.tenant_id, attempt.upload_id, self._limits.storage)

    async def delete(self, tenant_id: str, media_id: str) -> bool:
        """See `MediaBook.delete`."""
        return bool(await self._value("delete", tenant_id, media_id))

    async def claim_cases(self, most: int, *, lease_s: float) -> list[Case]:
        """See `MediaRounds.claim_cases`."""
        rows = await self._rows("claim_cases", most, lease_s)
        return [Case(**{name: row[name] for name in Case.__struct_fields__}) for row in rows]

    async def settle_case(self, case: Case, finding: Finding) -> bool:
        """See `MediaRounds.settle_case`."""
        properties = msgspec.json.encode(finding.properties).decode()
        return bool(
            await self._value(
                "settle_case",
                case.tenant_id,
                case.id,
                case.lease_token,
                properties,
                finding.failure,
            )
        )

    async def defer_case(self, case: Case, *, after_s: float) -> None:
        """See `MediaRounds.defer_case`."""
        await self._rows("defer_case", case.tenant_id, case.id, case.lease_token, after_s)

    async def give_up_overdue(self, most: int) -> int:
        """See `MediaRounds.give_up_overdue`."""
        given_up = 0
        for row in await self._rows("overdue", most):
            given_up += await self._value(
                "give_up_overdue", row["tenant_id"], row["id"], self._limits.storage
            )
        return given_up

    async def claim_leftovers(self, most: int, *, lease_s: float) -> list[Leftover]:
        """See `MediaRounds.claim_leftovers`."""
        return [Leftover(**row) for row in await self._rows("claim_leftovers", most, lease_s)]

    async def settle_leftovers(self, leftovers: Sequence[Leftover]) -> None:
        """See `MediaRounds.settle_leftovers`."""
        upload_ids = [leftover.upload_id for leftover in leftovers]
        await self._rows("forget_leftovers", upload_ids)
        await self._rows("settle_leftovers", upload_ids)

    async def _value(self, name: str, *values: object) -> Any:
        with translated():
            return await self._writers.fetchval(_SQL[name], *values)

    async def _rows(self, name: str, *values: object) -> list[Mapping[str, Any]]:
        with translated():
            return list(await self._writers.fetch(_SQL[name], *values))


class PostgresMediaLibrary:
    """The `MediaLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def find(self, tenant_id: str, media_ids: Sequence[str]) -> dict[str, MediaFile]:
        """See `MediaLibrary.find`."""
        with translated():
            rows = await self._readers.fetch(_SQL["find"], tenant_id, list(media_ids))
        return {row["id"]: _file_of(row) for row in rows}

    async def page(
        self, tenant_id: str, brand_ids: Sequence[str] | None, *, after: Place | None, size: int
    ) -> list[MediaFile]:
        """See `MediaLibrary.page`."""
        place = (after.created_at, after.content_id) if after else (None, None)
        with translated():
            rows = await self._readers.fetch(_SQL["page"], tenant_id, brand_ids, *place, size)
        return [_file_of(row) for row in rows]


def _settled(file: NewMedia, promises: Sequence[Promise]) -> list[dict[str, object]]:
    """The promises as the ledger settles them; together they come to the size of the file."""
    left, settled = file.file_size_bytes, []
    for promise in promises:
        used = min(left, promise.amount_bytes)
        left -= used
        settled.append(
            {
                "verb": "settle",
                "id": promise.reservation_id,
                "tenant_id": file.tenant_id,
                "resource": "storage",
                "amount": used,
            }
        )
    return settled


def _file_of(row: Mapping[str, Any]) -> MediaFile:
    fields = {name: row[name] for name in MediaFile.__struct_fields__ if name != "media_metadata"}
    return MediaFile(**fields, media_metadata=_PROPERTIES.decode(row["media_metadata"]))
