"""The books of resumable uploads on PostgreSQL: reads as `engarde_api`, else as `engarde_actor`."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.media import Promise
from engarde_daemon.ports.resuming import Part, ResumableUpload, UploadKey, Waits
from sql import statements

_SQL = statements("resuming")
_PROMISES = msgspec.json.Decoder(list[Promise])


class PostgresResumableBook:
    """The `ResumableBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def open(self, upload: ResumableUpload, *, lasts_s: float, most: int) -> bool:
        """See `ResumableBook.open`."""
        row = msgspec.json.encode(upload).decode()
        return bool(await self._value("open", row, lasts_s, most))

    async def hold(self, key: UploadKey, *, from_byte: int, lasts_s: float) -> int | None:
        """See `ResumableBook.hold`."""
        token: int | None = await self._value(
            "hold", key.tenant_id, key.upload_id, from_byte, lasts_s
        )
        return token

    async def promises(self, key: UploadKey) -> list[Promise]:
        """See `ResumableBook.promises`."""
        return _PROMISES.decode(await self._value("promises", key.tenant_id, key.upload_id))

    async def advance(
        self, key: UploadKey, token: int, sizes: Sequence[int], *, waits: Waits
    ) -> bool:
        """See `ResumableBook.advance`."""
        return bool(
            await self._value(
                "advance",
                key.tenant_id,
                key.upload_id,
                token,
                list(sizes),
                waits.waits_s,
                waits.promised_s,
                waits.joined_s,
            )
        )

    async def parts(self, key: UploadKey) -> list[Part]:
        """See `ResumableBook.parts`."""
        return [Part(**row) for row in await self._rows("parts", key.tenant_id, key.upload_id)]

    async def end(self, key: UploadKey, *, outcome: str | None, failure: str | None) -> bool:
        """See `ResumableBook.end`."""
        return bool(
            await self._value(
                "end", key.tenant_id, key.upload_id, outcome, failure, self._limits.storage
            )
        )

    async def claim_whole(self, most: int, *, lease_s: float) -> list[UploadKey]:
        """See `ResumableBook.claim_whole`."""
        rows = await self._rows("claim_whole", most, lease_s)
        return [UploadKey(row["tenant_id"], row["upload_id"]) for row in rows]

    async def _value(self, name: str, *values: object) -> Any:
        with translated():
            return await self._writers.fetchval(_SQL[name], *values)

    async def _rows(self, name: str, *values: object) -> list[Mapping[str, Any]]:
        with translated():
            return list(await self._writers.fetch(_SQL[name], *values))


class PostgresResumableLibrary:
    """The `ResumableLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def find(self, key: UploadKey) -> ResumableUpload | None:
        """See `ResumableLibrary.find`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["find"], key.tenant_id, key.upload_id)
        return ResumableUpload(**row) if row else None
