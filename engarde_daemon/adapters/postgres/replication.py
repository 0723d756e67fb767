"""The books of replication on PostgreSQL: of versions, and of rows that lie ready."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.proving import Prover
from engarde_daemon.adapters.postgres.rows import version_of
from engarde_daemon.domain.archive_tables import row_of
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.dues import Due
from engarde_daemon.ports.replication import (
    Batch,
    Outcome,
    Owed,
    Parked,
    Standing,
    Turn,
    TurnOver,
)
from sql import statements

_SQL = statements("archive")


class PostgresStreams:
    """What the books of all tables have in common: turns, and batches that are frozen."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def take_turn(self, table: ArchiveTable, *, lease_s: float) -> Turn | None:
        """See `StreamBook.take_turn`."""
        with translated():
            row = await self._writers.fetchrow(_SQL["take_turn"], table, lease_s)
        if row is None:
            return None
        under_way = row["batch"]["table_name"] is not None
        return Turn(
            table=table,
            token=row["token"],
            stream=row["stream"],
            batch=_batch_of(row["batch"]) if under_way else None,
        )

    async def give_back(self, turn: Turn) -> None:
        """See `StreamBook.give_back`."""
        with translated():
            await self._writers.execute(_SQL["give_turn_back"], turn.table, turn.token)

    async def freeze(
        self, turn: Turn, outbox_ids: Sequence[int], *, began: str | None, lease_s: float
    ) -> Batch:
        """See `StreamBook.freeze`."""
        with translated():
            row = await self._writers.fetchrow(
                _SQL["freeze"], turn.table, turn.token, lease_s, began, outbox_ids
            )
        if row is None:
            raise TurnOver
        return _batch_of(row)

    async def number_after(self, table: ArchiveTable, number: int) -> None:
        """Give no later batch of a table a number up to this one.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        with translated():
            await self._writers.execute(_SQL["number_after"], table, number)

    async def standing(self, table: ArchiveTable) -> Standing:
        """See `StreamBook.standing`."""
        with translated():
            row = await self._writers.fetchrow(_SQL["standing"], table)
        return Standing(row["parked"], row["backfill"])

    async def _finish(
        self, statement: str, turn: Turn, outcome: Outcome, *, lease_s: float
    ) -> None:
        done = await self._writers.fetchval(
            _SQL[statement],
            turn.table,
            turn.token,
            lease_s,
            outcome.stored,
            list(outcome.refused),
            list(outcome.refused.values()),
            outcome.advance,
            outcome.stream_ends,
        )
        if not done:
            raise TurnOver


class PostgresReplicationBook(PostgresStreams):
    """The `ReplicationBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        super().__init__(writers)
        self._prover = Prover()

    async def due(
        self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
    ) -> list[Owed]:
        """See `ReplicationBook.due`."""
        with translated():
            rows = await self._writers.fetch(_SQL["due"], items, size_bytes, under_way)
        return [self._owed_of(row) for row in rows]

    async def load(self, outbox_ids: Sequence[int]) -> list[Owed]:
        """See `ReplicationBook.load`."""
        with translated():
            rows = await self._writers.fetch(_SQL["load"], outbox_ids)
        return [self._owed_of(row) for row in rows]

    def _owed_of(self, row: Mapping[str, Any]) -> Owed:
        version = version_of(row["version"])
        body = self._prover.proved(version.item, row["body"])
        return Owed(id=row["id"], item=version.item, change=version.change, body=body)

    async def defer(self, outbox_ids: Sequence[int], *, reason: str) -> None:
        """See `ReplicationBook.defer`."""
        with translated():
            await self._writers.execute(_SQL["defer"], outbox_ids, reason)

    async def finish(self, turn: Turn, outcome: Outcome, *, lease_s: float) -> None:
        """See `StreamBook.finish`."""
        with translated():
            await self._finish("finish", turn, outcome, lease_s=lease_s)

    async def settle(self) -> None:
        """See `ReplicationBook.settle`."""
        with translated():
            for row in await self._writers.fetch(_SQL["stored"], ArchiveTable.SNAPSHOTS):
                await self._mark(row["outbox_ids"])
                await self._writers.execute(_SQL["settle"], ArchiveTable.SNAPSHOTS, row["first_id"])

    async def feed(self, items: int) -> int:
        """See `ReplicationBook.feed`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["feed"], items))

    async def backfill(self) -> int:
        """See `ReplicationBook.backfill`."""
        with translated():
            await self._writers.execute(_SQL["backfill_rows"])
            done = await self._writers.execute(_SQL["backfill"])
        return int(done.rpartition(" ")[2])

    async def parked(self, most: int) -> list[Parked]:
        """See `ReplicationBook.parked`."""
        with translated():
            rows = await self._writers.fetch(_SQL["parked"], most)
        return [Parked(**row) for row in rows]

    async def retry_parked(self) -> int:
        """See `ReplicationBook.retry_parked`."""
        with translated():
            return int(await self._writers.fetchval(_SQL["retry_parked"]))

    async def _mark(self, outbox_ids: Sequence[int]) -> None:
        """Say in the items that they are archived; each held by others is waited for by itself."""
        for (held_by_others,) in await self._writers.fetch(_SQL["mark"], outbox_ids):
            await self._writers.execute(_SQL["mark_one"], held_by_others)


class PostgresDuesBook(PostgresStreams):
    """The `DuesBook` port on PostgreSQL."""

    async def due(
        self, table: ArchiveTable, *, items: int, under_way: Sequence[int] = ()
    ) -> list[Due]:
        """See `DuesBook.due`."""
        with translated():
            rows = await self._writers.fetch(_SQL["due_rows"], table, items, under_way)
        return [_due_of(table, row) for row in rows]

    async def load(self, table: ArchiveTable, ids: Sequence[int]) -> list[Due]:
        """See `DuesBook.load`."""
        with translated():
            rows = await self._writers.fetch(_SQL["load_rows"], ids)
        return [_due_of(table, row) for row in rows]

    async def finish(self, turn: Turn, outcome: Outcome, *, lease_s: float) -> None:
        """See `StreamBook.finish`."""
        with translated():
            await self._finish("finish_rows", turn, outcome, lease_s=lease_s)


def _due_of(table: ArchiveTable, row: Mapping[str, Any]) -> Due:
    document = msgspec.json.decode(row["archive_row"])
    return Due(id=row["id"], row_id=row["row_id"], at=row["at"], row=row_of(table, document))


def _batch_of(row: Mapping[str, Any]) -> Batch:
    return Batch(
        stream=row["stream"],
        offset=row["first_offset"],
        first_id=row["first_id"],
        last_id=row["last_id"],
        outbox_ids=row["outbox_ids"],
        frozen_at=row["frozen_at"],
    )
