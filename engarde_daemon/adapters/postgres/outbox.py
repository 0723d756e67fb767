"""The outbox on PostgreSQL: claims by lease and token, acknowledged row by row."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.proving import Prover
from engarde_daemon.adapters.postgres.rows import version_of
from engarde_daemon.ports.outbox import CLAIM_BYTES, Backlog, Parcel
from sql import statements

COUNTED_MAX = 1_000_000
"""Of what waits for a destination no more is counted."""

_SQL = statements("outbox")


class PostgresOutbox:
    """The `Outbox` and `Housekeeping` ports on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers
        self._prover = Prover()

    async def claim(
        self, destination: str, *, limit: int, lease_s: float, bytes_max: int = CLAIM_BYTES
    ) -> list[Parcel]:
        """See `Outbox.claim`."""
        with translated():
            rows = await self._writers.fetch(
                _SQL["claim"], destination, limit, lease_s, bytes_max, None
            )
        return [self._parcel_of(row) for row in rows]

    def _parcel_of(self, row: Mapping[str, Any]) -> Parcel:
        version, previous = version_of(row["version"]), row["previous"]
        return Parcel(
            id=row["id"],
            token=row["lease_token"],
            attempts=row["attempts"],
            item=version.item,
            change=version.change,
            previous=version_of(previous).item if previous else None,
            body=self._prover.proved(version.item, row["body"]),
        )

    async def settle(self, parcels: Sequence[Parcel]) -> int:
        """See `Outbox.settle`."""
        with translated():
            settled = await self._writers.fetchval(_SQL["settle"], *_claims(parcels))
        return int(settled)

    async def defer(self, parcels: Sequence[Parcel], *, after_s: float, reason: str) -> None:
        """See `Outbox.defer`."""
        with translated():
            await self._writers.execute(_SQL["defer"], *_claims(parcels), after_s, reason)

    async def expedite(self, destination: str, *, most: int) -> int:
        """See `Outbox.expedite`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["expedite"], destination, most))

    async def backlog(self) -> Mapping[str, Backlog]:
        """See `Outbox.backlog`."""
        with translated():
            rows = await self._writers.fetch(_SQL["backlog"], COUNTED_MAX)
        return {row["destination"]: Backlog(row["rows"], row["oldest_age_s"]) for row in rows}

    async def staged_bytes(self) -> int:
        """See `Outbox.staged_bytes`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["staged_bytes"]))

    async def index_pending(self, most: int) -> int:
        """See `Housekeeping.index_pending`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["index_pending"], most))

    async def sweep_staged(self, most: int) -> int:
        """See `Housekeeping.sweep_staged`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["sweep_staged"], most))

    async def forget_keys(self, most: int) -> int:
        """See `Housekeeping.forget_keys`."""
        with translated():
            done = await self._writers.execute(_SQL["forget_keys"], most)
        return int(done.rpartition(" ")[2])


def _claims(parcels: Sequence[Parcel]) -> tuple[list[int], list[int]]:
    return [parcel.id for parcel in parcels], [parcel.token for parcel in parcels]
