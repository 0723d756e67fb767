"""Batches of providers on PostgreSQL: written as `engarde_actor`, held by lease and epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.generation import claim_of
from engarde_daemon.adapters.postgres.steps import Held, noted
from engarde_daemon.domain.generation import JobSpec
from engarde_daemon.ports.batches import Batch, BatchState, Move
from engarde_daemon.ports.generation import Claim, Step
from sql import statements

_SQL = statements("batches")
_SPEC = msgspec.json.Decoder(JobSpec)
_PLAIN = ("tenant_id", "id", "job_id", "provider", "epoch", "name", "items", "attempts")
_LIVE = frozenset({"pending", "running"})


class PostgresBatchBench:
    """The `BatchBench` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def gather(self, batch_id: str, *, most: int, providers: Sequence[str]) -> bool:
        """See `BatchBench.gather`."""
        found: bool = await self._value("gather", batch_id, most, list(providers), None)
        return found

    async def lease(self, *, most: int, lease_s: float) -> list[Batch]:
        """See `BatchBench.lease`."""
        return [_batch_of(row) for row in await self._rows("lease", most, lease_s, None)]

    async def hold(self, batches: Sequence[Batch], *, lease_s: float) -> set[str]:
        """See `BatchBench.hold`."""
        tenants = [batch.tenant_id for batch in batches]
        names, epochs = [batch.id for batch in batches], [batch.epoch for batch in batches]
        return {row[0] for row in await self._rows("hold", tenants, names, epochs, lease_s)}

    async def move(self, move: Move) -> bool:
        """See `BatchBench.move`."""
        moved: bool = await self._value("move", msgspec.json.encode(move).decode())
        return moved

    async def claims(self, batch: Batch) -> list[Claim]:
        """See `BatchBench.claims`."""
        rows = await self._rows("claims", batch.tenant_id, batch.id)
        return [claim_of(row, batch.spec) for row in rows]

    async def note(self, steps: Sequence[Step]) -> None:
        """See `BatchBench.note`."""
        await noted(steps, self._note)

    async def names(self, batch: Batch) -> set[str]:
        """See `BatchBench.names`."""
        rows = await self._rows("named", batch.tenant_id, batch.provider, batch.id)
        return {row[0] for row in rows}

    async def _note(self, steps: Sequence[Step]) -> Held:
        await self._value("note", msgspec.json.encode(steps).decode())
        return {}

    async def _rows(self, name: str, *given: object) -> list[Any]:
        with translated():
            rows: list[Any] = await self._writers.fetch(_SQL[name], *given)
        return rows

    async def _value(self, name: str, *given: object) -> Any:
        with translated():
            return await self._writers.fetchval(_SQL[name], *given)


def _batch_of(row: Mapping[str, Any]) -> Batch:
    return Batch(
        **{name: row[name] for name in _PLAIN},
        state=BatchState(row["state"]),
        strangers=frozenset(row["strangers"]),
        created_at=row["created_at"],
        is_cancelled=row["cancelled_at"] is not None,
        is_wanted=row["job_status"] in _LIVE,
        spec=_SPEC.decode(row["spec"]),
    )
