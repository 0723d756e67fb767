"""A frozen batch together with the rows it is made of, on its way into a stream."""

from collections.abc import Mapping
from typing import Self

import msgspec

from actors.replicator.cargo import Lot
from engarde_daemon.ports.archive import ArchiveRow, Frozen
from engarde_daemon.ports.replication import Batch, Outcome, Turn


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is sent, its rows by the numbers under which they are owed."""

    turn: Turn
    batch: Batch
    rows: Mapping[int, ArchiveRow]

    @classmethod
    def of(cls, turn: Turn, batch: Batch, lot: Lot) -> Self:
        """A batch with those of its rows that the lot still has."""
        return cls(turn=turn, batch=batch, rows=lot.rows(batch.frozen_at))

    @property
    def is_whole(self) -> bool:
        """Whether every row it was frozen with is there."""
        return list(self.rows) == list(self.batch.outbox_ids)

    @property
    def frozen(self) -> Frozen:
        """What the archive is given."""
        return Frozen(
            table=self.turn.table,
            stream=self.batch.stream,
            offset=self.batch.offset,
            first_id=self.batch.first_id,
            last_id=self.batch.last_id,
            rows=[row.row for row in self.rows.values()],
        )

    def turn_after(self, outcome: Outcome) -> Turn:
        """The turn as it goes on once that became of the batch."""
        stream = None if outcome.stream_ends else self.batch.stream
        return msgspec.structs.replace(self.turn, stream=stream, batch=None)
