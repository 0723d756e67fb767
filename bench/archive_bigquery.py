"""`python -m bench replication`: how fast versions reach BigQuery, beside Google's bare client.

Both write to the tests' emulator, over one committed stream with explicit offsets and several
requests in flight; the ratio says what the adapter costs, the rates themselves say more about the
emulator than about BigQuery.
"""

import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import grpc
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcAsyncIOTransport,
)
from google.cloud.bigquery_storage_v1.types import AppendRowsRequest, ProtoRows, WriteStream

from bench.targets import Verdict, at_least
from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.wire import WireRows
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.support.bigquery_emulator import running_emulator

SNAPSHOTS = ArchiveTable.SNAPSHOTS
BATCH_ROWS = 500
BODY_BYTES = 4096
IN_FLIGHT = 4
ROUNDS = 5
ROWS = 10_000
OF_BARE_PERCENT = 80.0


Say = Callable[[str], None]


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    ours, bare = anyio.run(_measure, count or ROWS, say)
    share = statistics.median(one / other for one, other in zip(ours, bare, strict=True)) * 100
    told = f"{share:.0f} %: {statistics.median(ours):,.0f} of {statistics.median(bare):,.0f} rows/s"
    return [at_least("percent of the bare client's rate", share, OF_BARE_PERCENT, told=told)]


async def _measure(row_count: int, say: Say) -> tuple[list[float], list[float]]:
    ours, bare = [], []
    async with running_emulator() as emulator:
        place, batches = emulator.place(), batches_of(row_count)
        bounds = Bounds(timeout_s=120.0)
        async with opened(place, bounds=bounds, pace=WritePace()) as archive:
            await archive.prepare()
            for number in range(ROUNDS):  # by turns, because the machine's load changes
                ours.append(await _timed(row_count, lambda: _append_all(archive, batches)))
                bare.append(await bare_rate(place, batches))
                say(f"round {number + 1}: {ours[-1]:,.0f} and bare {bare[-1]:,.0f} rows/s")
    return ours, bare


async def bare_rate(place: Place, batches: Sequence[Sequence[ContentSnapshot]]) -> float:
    """The rows a second of the bare client, into a dataset that is prepared."""
    return await _timed(sum(map(len, batches)), lambda: _append_bare(place, batches))


def batches_of(row_count: int) -> list[list[ContentSnapshot]]:
    """So many rows, in the batches in which they are appended."""
    return [_batch(start) for start in range(0, row_count, BATCH_ROWS)]


async def _timed(row_count: int, work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return row_count / (time.perf_counter() - began)


async def _append_all(
    archive: BigQueryArchive, batches: Sequence[Sequence[ContentSnapshot]]
) -> None:
    stream, room = await archive.open_stream(SNAPSHOTS), anyio.CapacityLimiter(IN_FLIGHT)

    async def append(number: int) -> None:
        async with room:
            place = number * BATCH_ROWS
            appended = await archive.append(
                frozen_of(batches[number], stream=stream, offset=place, first_id=place + 1)
            )
        if appended.refused:
            raise RuntimeError(appended.refused)

    async with anyio.create_task_group() as lanes:
        for number in range(len(batches)):
            lanes.start_soon(append, number)


async def _append_bare(place: Place, batches: Sequence[Sequence[ContentSnapshot]]) -> None:
    """What a short script would do with the client, whose iterator keeps requests in flight itself."""
    wire = WireRows(LAYOUTS[SNAPSHOTS])
    async with _client(place) as client:
        made = await client.create_write_stream(
            parent=place.table_path(SNAPSHOTS),
            write_stream=WriteStream(type_=WriteStream.Type.COMMITTED),
        )

        async def requests() -> AsyncIterator[AppendRowsRequest]:
            for number, batch in enumerate(batches):
                rows = ProtoRows(serialized_rows=[wire.packed(row.row) for row in batch])
                data = AppendRowsRequest.ProtoData(rows=rows, writer_schema=wire.schema)
                yield AppendRowsRequest(
                    write_stream=made.name, offset=number * BATCH_ROWS, proto_rows=data
                )

        async for response in await client.append_rows(requests()):
            if response.error.code:
                raise RuntimeError(response.error.message)


@asynccontextmanager
async def _client(place: Place) -> AsyncIterator[BigQueryWriteAsyncClient]:
    channel = grpc.aio.insecure_channel(place.write_endpoint)
    transport = BigQueryWriteGrpcAsyncIOTransport(channel=channel)
    try:
        yield BigQueryWriteAsyncClient(transport=transport)
    finally:
        await transport.close()


def _batch(start: int) -> list[ContentSnapshot]:
    return [_snapshot(f"content-{number}") for number in range(start, start + BATCH_ROWS)]


def _snapshot(content_id: str) -> ContentSnapshot:
    body = (f"{content_id} {uuid.uuid4()} " * (BODY_BYTES // 40))[:BODY_BYTES]
    return snapshot_with(body, content_id=content_id, tenant_id="tenant", at=datetime.now(UTC))
