"""What replication carries: versions with their bodies, or rows that lie ready.

Owns the promise that a lot makes the same rows whenever it is made of the same batch. They are made
when they are read, so that they go at once when their turn comes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from actors.replicator.binding import Binder
from engarde_daemon.domain.archive_tables import LAYOUTS
from engarde_daemon.ports.archive import ArchiveRow, ArchiveTable
from engarde_daemon.ports.dues import Due, DuesBook
from engarde_daemon.ports.replication import ReplicationBook

_INGESTED = "ingested_at"
_NOWHERE = "the body of this version cannot be read from any store now"


class Lot(msgspec.Struct, frozen=True):
    """Some of what is owed; `tells_ingestion` where the table has a column for when it came."""

    dues: Sequence[Due]
    tells_ingestion: bool

    @property
    def ids(self) -> list[int]:
        """The numbers under which it is owed."""
        return [due.id for due in self.dues]

    def rows(self, ingested_at: datetime) -> dict[int, ArchiveRow]:
        """The rows of the archive, by those numbers."""
        told = {_INGESTED: ingested_at} if self.tells_ingestion else {}
        return {
            due.id: ArchiveRow(row_id=due.row_id, at=due.at, row={**due.row, **told})
            for due in self.dues
        }


class Cargo(Protocol):
    """Everything that is owed to one table of the archive."""

    @property
    def table(self) -> ArchiveTable:
        """Where it goes."""

    async def due(
        self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
    ) -> Lot | None:
        """The oldest of what is owed, perhaps nothing of it for now; None where nothing is owed.

        What is owed under these numbers is left out.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def load(self, ids: Sequence[int]) -> Lot:
        """What a frozen batch is made of, without what was erased since.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Versions:
    """The versions of content, whose bodies may lie anywhere."""

    table = ArchiveTable.SNAPSHOTS

    def __init__(self, book: ReplicationBook, binder: Binder) -> None:
        self._book = book
        self._binder = binder

    async def due(
        self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
    ) -> Lot | None:
        """See `Cargo.due`; those whose bodies are out of reach are put off.

        What the archive holds is settled first, else it would be chosen again.
        """
        await self._book.settle()
        owed = await self._book.due(items=items, size_bytes=size_bytes, under_way=under_way)
        if not owed and await self._book.feed(items) == 0:
            return None
        bound = await self._binder.bind(owed)
        if bound.missing:
            await self._book.defer(bound.missing, reason=_NOWHERE)
        return Lot(bound.dues, tells_ingestion=True)

    async def load(self, ids: Sequence[int]) -> Lot:
        """See `Cargo.load`."""
        bound = await self._binder.bind(await self._book.load(ids))
        return Lot(bound.dues, tells_ingestion=True)


class ReadyRows:
    """The rows of a table that were made where they come from."""

    def __init__(self, book: DuesBook, table: ArchiveTable) -> None:
        self.table = table
        self._book = book
        self._tells_ingestion = any(c.name == _INGESTED for c in LAYOUTS[table].columns)

    async def due(
        self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
    ) -> Lot | None:
        """See `Cargo.due`; such rows are small."""
        del size_bytes
        dues = await self._book.due(self.table, items=items, under_way=under_way)
        return Lot(dues, self._tells_ingestion) if dues else None

    async def load(self, ids: Sequence[int]) -> Lot:
        """See `Cargo.load`."""
        return Lot(await self._book.load(self.table, ids), self._tells_ingestion)
