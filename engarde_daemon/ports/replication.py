"""How far the archive is, kept in PostgreSQL so that it survives whoever replicates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import Change, Item
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.ports.archive import ArchiveTable


class TurnOver(EngardeError):
    """Somebody else writes to the archive now; what this daemon wanted to note did not happen."""

    type_ = "turn_over"
    title = "Another daemon writes to the archive"
    status = 409

    def __init__(self) -> None:
        super().__init__("The lease ran out, and another daemon took the archive's stream over.")


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """One version that the archive lacks; `body` is None when PostgreSQL does not hold it any more."""

    id: int
    item: Item
    change: Change
    body: str | None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen batch: under which numbers its rows are owed, and where it goes.

    They are numbers of the outbox, or of the rows that lie ready.
    """

    stream: str
    offset: int
    first_id: int
    last_id: int
    outbox_ids: Sequence[int]
    frozen_at: datetime


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The right to write to a table's stream, and the batch that is under way, if one is.

    `token` fences: when the lease ran out and someone else took the turn, it no longer fits.
    """

    table: ArchiveTable
    token: int
    stream: str | None
    batch: Batch | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch, by what was owed; what it does not name is sent anew."""

    stored: Sequence[int] = ()
    refused: Mapping[int, str] = {}
    advance: int = 0
    stream_ends: bool = False


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A row that the archive refused; `version` is None for what is no version."""

    table_name: str
    tenant_id: str
    content_id: str | None
    version: int | None
    reason: str
    parked_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """How many rows were refused, and how many old versions are still to be sent."""

    parked: int
    backfill: int


class StreamBook(Protocol):
    """What is remembered of the streams of tables; every note is fenced by the turn."""

    async def take_turn(self, table: ArchiveTable, *, lease_s: float) -> Turn | None:
        """Take the right to write, or None while somebody else has it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def give_back(self, turn: Turn) -> None:
        """Let others write.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease will run out.
        """

    async def freeze(
        self, turn: Turn, outbox_ids: Sequence[int], *, began: str | None, lease_s: float
    ) -> Batch:
        """Make a batch of what is owed under these numbers; `began` is a stream that was opened for it.

        Raises:
            TurnOver: Somebody else writes now.
            Unavailable: PostgreSQL does not answer.
        """

    async def finish(self, turn: Turn, outcome: Outcome, *, lease_s: float) -> None:
        """End the batch under way; what is in the archive now is not chosen again.

        Raises:
            TurnOver: Somebody else writes now.
            Unavailable: PostgreSQL does not answer; the batch will be sent again.
        """

    async def standing(self, table: ArchiveTable) -> Standing:
        """How things stand with a table.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class ReplicationBook(StreamBook, Protocol):
    """What replication remembers of versions.

    Finishing a batch only notes what the archive holds of it; that is owed until it is settled.
    """

    async def due(
        self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
    ) -> list[Owed]:
        """The oldest versions that the archive lacks, bounded in number and bytes.

        Those under these numbers are left out.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle(self) -> None:
        """Owe no longer what the archive holds, and mark the items whose newest version that is.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def load(self, outbox_ids: Sequence[int]) -> list[Owed]:
        """The versions of a frozen batch; those that were erased since are missing.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def defer(self, outbox_ids: Sequence[int], *, reason: str) -> None:
        """Look at these versions again later, ever later.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def feed(self, items: int) -> int:
        """Let some old versions into the outbox and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def backfill(self) -> int:
        """Have every version sent again, and count those that were not waiting already.

        Media files are told again, too; figures are as soon as somebody brings them again.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def parked(self, most: int) -> list[Parked]:
        """What was refused last.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def retry_parked(self) -> int:
        """Have everything tried again that was refused, and count it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
