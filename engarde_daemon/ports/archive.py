"""The archive: BigQuery, or Parquet files where there is none.

Rows are appended in batches whose composition is frozen before the first attempt, so that a batch
sent twice is one batch. Every read names its span of time, because the tables are partitioned by it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from engarde_daemon.domain.analytics import Answer, Question
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey

__all__ = [
    "Appended",
    "Archive",
    "ArchiveReader",
    "ArchiveRow",
    "ArchiveTable",
    "ArchiveWriter",
    "FigureReader",
    "Frozen",
    "Span",
    "StreamState",
]


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that will never be cut otherwise: the same rows, at the same place of the same stream.

    `first_id` and `last_id` number its rows within the table: later batches have larger numbers, and
    no two batches share one. `rows` are as `domain/archive_tables.py` has them.
    """

    table: ArchiveTable
    stream: str
    offset: int
    first_id: int
    last_id: int
    rows: Sequence[Mapping[str, Any]]


class ArchiveRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row, the id by which `held` knows it, and the moment by which it is filed."""

    row_id: str
    at: datetime
    row: Mapping[str, Any]


class Appended(msgspec.Struct, frozen=True):
    """What became of a batch: stored as a whole, unless it says otherwise.

    `refused` are rows by their index, for whose sake it is not; `stored` is how many rows of its
    beginning are there all the same.
    """

    refused: Mapping[int, str] = {}
    stored: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every row is stored."""
        return not self.refused and not self.stored


class StreamState(msgspec.Struct, frozen=True):
    """How a stream ended; `rows` is None where nobody knows how much it holds."""

    rows: int | None


class Span(msgspec.Struct, frozen=True):
    """A half-open span of time, in UTC."""

    since: datetime
    until: datetime


class ArchiveWriter(Protocol):
    """What replication asks."""

    async def prepare(self) -> None:
        """Create tables and view where they are missing, and add columns that they lack.

        Raises:
            Unavailable: The archive cannot be reached.
            Denied: A permission is missing; the error names it and the role that has it.
        """

    async def open_stream(self, table: ArchiveTable) -> str:
        """Begin a new stream and give its name; its first row has offset 0.

        Raises:
            Unavailable: The archive cannot be reached.
        """

    async def append(self, batch: Frozen) -> Appended:
        """Store the batch; one that is there already counts as stored.

        Raises:
            StreamLost: The stream takes nothing more, or misses an earlier batch.
            Unavailable: The archive does not answer; nothing is known of the batch.
        """

    async def close_stream(self, stream: str) -> StreamState:
        """Let a stream take nothing more, and say how many rows it holds.

        Raises:
            Unavailable: The archive does not answer.
        """

    async def held(self, table: ArchiveTable, row_ids: Sequence[str], span: Span) -> frozenset[str]:
        """Which of these rows are there: asked when a stream's end is unknown.

        Rows go by their `snapshot_id`, those of analytics by `metric_id` and `revision` with a slash
        between.

        Raises:
            Unavailable: The archive does not answer.
        """

    async def erase(self, tenant_id: str, content_ids: Sequence[str]) -> int:
        """Remove every row of these contents, and count them.

        Raises:
            Unavailable: The archive does not answer; some may be gone already.
        """

    async def forget_versions(self, tenant_id: str, snapshot_ids: Sequence[str]) -> int:
        """Remove these rows of versions, and count them; other rows of their contents stay.

        Raises:
            Unavailable: The archive does not answer; some may be gone already.
        """


class ArchiveReader(Protocol):
    """What reads and recovery ask. A repeated row is told once."""

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """These versions, as far as they are there and intact.

        Raises:
            Unavailable: The archive does not answer.
        """

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """The newest version of each of these contents, as far as they are there.

        Raises:
            Unavailable: The archive does not answer.
        """

    def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """Every version of the span in pages of bounded memory, those of one content in order.

        Raises:
            Unavailable: The archive does not answer.
        """

    def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """What `scan` gives, without the bodies, ordered by tenant, content and version.

        Raises:
            Unavailable: The archive does not answer.
        """


class FigureReader(Protocol):
    """What is asked about how content performs."""

    async def sums(self, question: Question, *, besides: Sequence[str], most: int) -> Answer:
        """What figures add up to, as far as they are there, in at most so many groups.

        Those whose keys stand in `besides` are told by somebody else.

        Raises:
            Unavailable: The archive does not answer.
        """


class Archive(ArchiveWriter, ArchiveReader, FigureReader, Protocol):
    """All sides of an archive."""
