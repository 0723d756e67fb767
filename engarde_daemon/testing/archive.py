"""An archive in memory, and the faults a real one can have.

Owns the same answers as every other archive (one conformance suite runs against all), and counts
what its streams hold as BigQuery's do, so that a test can see a gap or a repeat.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

import anyio.lowlevel
import msgspec

from engarde_daemon.domain.analytics import Answer, Performance, Question, added
from engarde_daemon.domain.archive_tables import refusal_of
from engarde_daemon.domain.errors import StreamLost, Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey
from engarde_daemon.ports.archive import Appended, ArchiveTable, Frozen, Span, StreamState

_PAGE = 100
_IN_ORDER = attrgetter("tenant_id", "content_id", "version")


class MemoryArchive:
    """An archive that forgets everything with the process, and fails on demand."""

    def __init__(self) -> None:
        self.appends: list[Frozen] = []
        self.failures = 0
        self.knows_stream_ends = True
        self._streams: dict[str, list[ContentSnapshot]] = {}
        self._others: dict[str, list[Mapping[str, Any]]] = {}
        self._closed: set[str] = set()
        self._failures_left = 0
        self._answers_to_lose = 0
        self._cut_at: int | None = None
        self._refused: dict[str, str] = {}

    @property
    def rows(self) -> list[ContentSnapshot]:
        """Every row as it came in, a repeated one as often as it did."""
        return [row for rows in self._streams.values() for row in rows]

    def others(self, table: ArchiveTable) -> list[Mapping[str, Any]]:
        """Every row of another table than that of snapshots."""
        streams = [rows for name, rows in self._others.items() if name.startswith(f"{table}/")]
        return [row for rows in streams for row in rows]

    def fail_next(self, calls: int) -> None:
        """Let the next calls find the archive unreachable."""
        self._failures_left = calls

    def lose_next_answer(self) -> None:
        """Let the next batch be stored, and its answer never arrive."""
        self._answers_to_lose += 1

    def cut_next(self, rows: int) -> None:
        """Let the stream be lost once so many rows of the next batch are stored."""
        self._cut_at = rows

    def refuse(self, content_id: str, reason: str) -> None:
        """Take no row of this content."""
        self._refused[content_id] = reason

    def accept_all(self) -> None:
        """Take every row again."""
        self._refused.clear()

    def lose_streams(self) -> None:
        """Let no present stream take anything more."""
        self._closed.update(self._streams)

    async def prepare(self) -> None:
        """See `ArchiveWriter.prepare`."""
        await self._turn_up()

    async def open_stream(self, table: ArchiveTable) -> str:
        """See `ArchiveWriter.open_stream`."""
        await self._turn_up()
        stream = f"{table}/{len(self._streams)}"
        self._streams[stream] = []
        self._others[stream] = []
        return stream

    async def append(self, batch: Frozen) -> Appended:
        """See `ArchiveWriter.append`."""
        await self._turn_up()
        self.appends.append(batch)
        refused = self._refusals(batch)
        if refused:
            return Appended(refused)
        held = len(self._streams.get(batch.stream, ())) + len(self._others.get(batch.stream, ()))
        if batch.offset + len(batch.rows) <= held:
            return Appended()
        if batch.stream not in self._streams or batch.stream in self._closed or batch.offset > held:
            raise StreamLost("The stream takes nothing more, or misses an earlier batch.")
        if self._cut_at is not None:
            self._store(msgspec.structs.replace(batch, rows=batch.rows[: self._cut_at]))
            self._cut_at = None
            self._closed.add(batch.stream)
            raise StreamLost("The stream took only the beginning of the batch.")
        self._store(batch)
        if self._answers_to_lose:
            self._answers_to_lose -= 1
            raise Unavailable("The answer was lost.")
        return Appended()

    async def close_stream(self, stream: str) -> StreamState:
        """See `ArchiveWriter.close_stream`."""
        await self._turn_up()
        self._closed.add(stream)
        held = len(self._streams[stream]) + len(self._others[stream])
        return StreamState(held if self.knows_stream_ends else None)

    async def held(self, table: ArchiveTable, row_ids: Sequence[str], span: Span) -> frozenset[str]:
        """See `ArchiveWriter.held`."""
        await self._turn_up()
        if table is ArchiveTable.SNAPSHOTS:
            return frozenset(row.snapshot_id for row in self._within(span)) & frozenset(row_ids)
        return frozenset(_row_id(row) for row in self.others(table)) & frozenset(row_ids)

    async def erase(self, tenant_id: str, content_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.erase`."""
        await self._turn_up()
        before = self._count()
        for stream, rows in self._streams.items():
            self._streams[stream] = [
                row
                for row in rows
                if row.tenant_id != tenant_id or row.content_id not in content_ids
            ]
        for stream, others in self._others.items():
            self._others[stream] = [
                row
                for row in others
                if row["tenant_id"] != tenant_id or row.get("content_id") not in content_ids
            ]
        return before - self._count()

    async def forget_versions(self, tenant_id: str, snapshot_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.forget_versions`."""
        await self._turn_up()
        before = self._count()
        for stream, rows in self._streams.items():
            self._streams[stream] = [
                row
                for row in rows
                if row.tenant_id != tenant_id or row.snapshot_id not in snapshot_ids
            ]
        return before - self._count()

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """See `ArchiveReader.get_many`."""
        await self._turn_up()
        found = {row.key: row for row in self._within(span) if row.is_intact()}
        return {key: found[key] for key in keys if key in found}

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """See `ArchiveReader.newest`."""
        await self._turn_up()
        rows = [row for row in self._within(span) if row.tenant_id == tenant_id]
        ordered = sorted(rows, key=_IN_ORDER)
        return {row.content_id: row for row in ordered if row.content_id in content_ids}

    async def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """See `ArchiveReader.scan`."""
        await self._turn_up()
        rows = {
            row.key: row
            for row in sorted(self._within(span), key=_IN_ORDER)
            if tenant_id in {None, row.tenant_id} and brand_id in {None, row.brand_id}
        }
        ordered = list(rows.values())
        for start in range(0, len(ordered), _PAGE):
            yield ordered[start : start + _PAGE]

    async def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """See `ArchiveReader.keys`."""
        async for page in self.scan(span, tenant_id=tenant_id, brand_id=brand_id):
            yield [
                SnapshotKey(
                    row.tenant_id, row.content_id, row.version, row.sha256, row.snapshot_timestamp
                )
                for row in page
            ]

    async def sums(self, question: Question, *, besides: Sequence[str], most: int) -> Answer:
        """See `FigureReader.sums`."""
        await self._turn_up()
        rows = sorted(self.others(ArchiveTable.ANALYTICS), key=itemgetter("revision"))
        newest = {row["metric_id"]: Performance.from_row(row) for row in rows}
        figures = [figure for key, figure in newest.items() if key not in besides]
        return dict(islice(added(figures, question).items(), most))

    def _count(self) -> int:
        others = sum(map(len, self._others.values()))
        return len(self.rows) + others

    def _store(self, batch: Frozen) -> None:
        if batch.table is ArchiveTable.SNAPSHOTS:
            rows = [msgspec.convert(row, ContentSnapshot) for row in batch.rows]
            self._streams[batch.stream].extend(rows)
        else:
            self._others[batch.stream].extend(batch.rows)

    def _refusals(self, batch: Frozen) -> dict[int, str]:
        reasons = {
            place: self._refused.get(row.get("content_id", "")) or refusal_of(batch.table, row)
            for place, row in enumerate(batch.rows)
        }
        return {place: reason for place, reason in reasons.items() if reason}

    def _within(self, span: Span) -> list[ContentSnapshot]:
        return [row for row in self.rows if span.since <= row.snapshot_timestamp < span.until]

    async def _turn_up(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self._failures_left:
            self._failures_left -= 1
            self.failures += 1
            raise Unavailable("The archive was told to fail.")


def _row_id(row: Mapping[str, Any]) -> str:
    if "metric_id" in row:
        return f"{row['metric_id']}/{row['revision']}"
    return str(row["snapshot_id"])
