"""Rows of the archive that lie ready in PostgreSQL until it has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.replication import StreamBook


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One row, and what the archive files it by; it never changes."""

    id: int
    row_id: str
    at: datetime
    row: Mapping[str, Any]


class DuesBook(StreamBook, Protocol):
    """What replication remembers of such rows."""

    async def due(
        self, table: ArchiveTable, *, items: int, under_way: Sequence[int] = ()
    ) -> list[Due]:
        """The oldest rows that a table lacks, without those under these numbers.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def load(self, table: ArchiveTable, ids: Sequence[int]) -> list[Due]:
        """The rows of a frozen batch; those that were erased since are missing.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
