"""Writing to the archive in BigQuery.

Owns the way that rows take. Normally it is a committed stream of the Storage Write API. While that
has not answered for some minutes, new streams stand for load jobs: they have names and offsets like
any other, and each batch of theirs is one job. A batch that begins with more than a request may have
is a job too, whatever its stream; the stream then misses its rows, says so, and is replaced.
"""

from collections.abc import Callable, Mapping, Sequence

import anyio
import anyio.lowlevel
import msgspec

from engarde_daemon.adapters.bigquery.denials import WRITE_ROWS
from engarde_daemon.adapters.bigquery.loading import LoadJobs
from engarde_daemon.adapters.bigquery.parts import Failure, parts_of, together
from engarde_daemon.adapters.bigquery.queries import Queries
from engarde_daemon.adapters.bigquery.schema import Schema
from engarde_daemon.adapters.bigquery.streams import TooLargeError, WriteStreams
from engarde_daemon.adapters.bigquery.wire import Row, RowMisfitError, WireRows
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, refusal_of
from engarde_daemon.domain.errors import StreamLost, Unavailable
from engarde_daemon.ports.archive import Appended, Frozen, Span, StreamState

JOB_STREAM = "jobs/"
_ERASED_IN_ORDER = (ArchiveTable.ANALYTICS, ArchiveTable.MEDIA, ArchiveTable.SNAPSHOTS)


class WritePace(msgspec.Struct, frozen=True, kw_only=True):
    """When rows take the way round by load jobs, for how long, and from which size on.

    A request may have 10 MB: https://cloud.google.com/bigquery/quotas#write-api-limits
    """

    append_bytes: int = 9_500_000
    detour_after_s: float = 180.0
    detour_lasts_s: float = 900.0


class BigQueryWriter:
    """What replication asks of BigQuery."""

    def __init__(
        self,
        schema: Schema,
        streams: WriteStreams,
        jobs: LoadJobs,
        *,
        queries: Queries,
        pace: WritePace,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._schema = schema
        self._streams = streams
        self._jobs = jobs
        self._queries = queries
        self._pace = pace
        self._clock = clock
        self._new_id = new_id
        self._wires = {table: WireRows(layout) for table, layout in LAYOUTS.items()}
        self._silent_since: float | None = None
        self._detours: dict[str, float] = {}

    async def prepare(self) -> None:
        """Create tables and view where they are missing, and add columns that they lack.

        Raises:
            Denied: A permission is missing; the error names it and the role that has it.
            Unavailable: BigQuery does not answer.
        """
        await self._schema.ensure()

    async def examine(self) -> None:
        """Find out whether both APIs answer and let the daemon do what it has to; changes nothing.

        Raises:
            Denied: A permission is missing; the error names it and the role that has it.
            Unavailable: An API does not answer, or the tables are not made yet.
        """
        await self._schema.prove_permissions()
        await self._streams.look(ArchiveTable.SNAPSHOTS)

    async def open_stream(self, table: ArchiveTable) -> str:
        """Begin a new stream: of the Storage Write API, or of load jobs while that is away.

        Raises:
            Denied: A permission is missing.
            Unavailable: The API does not answer, but it may do so soon.
        """
        try:
            stream = await self._streams.open(table)
        except Unavailable:
            if not self._is_detour_due():
                raise
            return f"{JOB_STREAM}{table}/{self._new_id()}"
        self._silent_since = None
        return stream

    async def append(self, batch: Frozen) -> Appended:
        """Store the batch; one that is there already counts as stored.

        Raises:
            Denied: A permission is missing.
            StreamLost: The stream takes nothing more, misses an earlier batch, or is not the way now.
            Unavailable: BigQuery does not answer; nothing is known of the batch.
        """
        if batch.stream.startswith(JOB_STREAM):
            self._end_detour(batch.stream)
            return await self._load(batch)
        try:
            return together(batch, await self._append_parts(batch))
        except TooLargeError:
            return await self._load(batch)

    async def close_stream(self, stream: str) -> StreamState:
        """Let a stream take nothing more, and say how many rows it holds, where BigQuery knows.

        Raises:
            Denied: A permission is missing.
            Unavailable: The API does not answer, but it may do so soon.
        """
        if stream.startswith(JOB_STREAM):
            self._detours.pop(stream, None)
            return StreamState(rows=None)
        try:
            return await self._streams.finalize(stream)
        except Unavailable:
            if not self._is_detour_due():
                raise
            return StreamState(rows=None)

    async def held(self, table: ArchiveTable, row_ids: Sequence[str], span: Span) -> frozenset[str]:
        """Which of these rows, by their own id, are there.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        rows = await self._queries.rows(
            f"held_{table}",
            {"row_ids": list(row_ids), "since": span.since, "until": span.until},
        )
        return frozenset(row[0] for row in rows)

    async def erase(self, tenant_id: str, content_ids: Sequence[str]) -> int:
        """Remove every row of these contents, and count them.

        BigQuery itself keeps removed rows for its time travel and seven days more.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer; some may be gone already.
        """
        whose = {"tenant_id": tenant_id, "content_ids": list(content_ids)}
        removed = 0
        for table in _ERASED_IN_ORDER:
            removed += await self._queries.changed(f"erase_{table}", whose, needs=WRITE_ROWS)
        return removed

    async def forget_versions(self, tenant_id: str, snapshot_ids: Sequence[str]) -> int:
        """Remove these rows of versions, and count them.

        Also those that were written just now, for they came by the Storage Write API or by load jobs:
        https://cloud.google.com/bigquery/docs/write-api#use_data_manipulation_language_dml_with_recently_streamed_data

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer; some may be gone already.
        """
        which = {"tenant_id": tenant_id, "snapshot_ids": list(snapshot_ids)}
        return await self._queries.changed("forget_versions", which, needs=WRITE_ROWS)

    async def _append_parts(self, batch: Frozen) -> Sequence[Appended | Exception]:
        """Send part after part without waiting, up to one that cannot go; what became of each."""
        outcomes: dict[int, Appended | Exception] = {}

        async def send(part: Frozen, packed: Sequence[bytes]) -> None:
            try:
                outcomes[part.offset] = await self._append(part, packed)
            except Failure as error:
                outcomes[part.offset] = error

        async with anyio.create_task_group() as tasks:
            for part in parts_of(batch):
                packed, refused = _encoded(part, self._wires[batch.table].packed)
                if refused or sum(map(len, packed)) > self._pace.append_bytes:
                    outcomes[part.offset] = Appended(refused) if refused else TooLargeError()
                    break
                tasks.start_soon(send, part, packed)
                await anyio.lowlevel.checkpoint()  # it travels while the next one is packed
        return [outcomes[offset] for offset in sorted(outcomes)]

    async def _append(self, part: Frozen, packed: Sequence[bytes]) -> Appended:
        schema = self._wires[part.table].schema
        try:
            appended = await self._streams.append(
                part.stream, part.offset, schema=schema, rows=packed
            )
        except Unavailable as error:
            if not self._is_detour_due():
                raise
            raise StreamLost(
                "The Storage Write API of BigQuery is away: rows go by load jobs now."
            ) from error
        self._silent_since = None
        return appended

    async def _load(self, batch: Frozen) -> Appended:
        """Store the batch as one job, named by its place for ever."""
        lines, refused = _encoded(batch, self._wires[batch.table].line)
        if refused:
            return Appended(refused)
        stream = batch.stream.rpartition("/")[2]
        return await self._jobs.load(batch.table, f"engarde-{stream}-{batch.offset}", lines)

    def _is_detour_due(self) -> bool:
        """Take note that the API did not answer; whether that has been so for long enough."""
        now = self._clock()
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since >= self._pace.detour_after_s

    def _end_detour(self, stream: str) -> None:
        """Leave the way round after a while, to see whether the API is back."""
        now = self._clock()
        if now - self._detours.setdefault(stream, now) > self._pace.detour_lasts_s:
            raise StreamLost("Load jobs were the way for long enough; the stream ends here.")


def _encoded(
    batch: Frozen, encode: Callable[[Row], bytes]
) -> tuple[Sequence[bytes], Mapping[int, str]]:
    """The rows as they travel, and those that cannot be of the table, found before any does."""
    encoded, refused = [], {}
    for index, row in enumerate(batch.rows):
        if reason := refusal_of(batch.table, row):
            refused[index] = reason
            continue
        try:
            encoded.append(encode(row))
        except RowMisfitError as error:
            refused[index] = str(error)
    return encoded, refused
