"""How fast versions reach BigQuery, against Google's bare client doing the same.

Run it with `python -m bench.archive_bigquery --rows 20000`. Both write to the tests' emulator, over
one committed stream with explicit offsets and several requests in flight; the ratio says what the
adapter costs, the rates themselves say more about the emulator than about BigQuery.
"""

import argparse
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
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    anyio.run(_measure, parser.parse_args().rows)


async def _measure(row_count: int) -> None:
    batches = [_batch(start) for start in range(0, row_count, BATCH_ROWS)]
    ours, bare = [], []
    async with running_emulator() as emulator:
        place = emulator.place()
        bounds = Bounds(timeout_s=120.0)
        async with opened(place, bounds=bounds, pace=WritePace()) as archive:
            await archive.prepare()
            for _ in range(ROUNDS):  # by turns, because the machine's load changes
                ours.append(await _timed(row_count, lambda: _append_all(archive, batches)))
                bare.append(await _timed(row_count, lambda: _append_bare(place, batches)))
    print(f"{row_count} rows of {BODY_BYTES} bytes, batches of {BATCH_ROWS}, best of {ROUNDS}")
    print(f"adapter      {max(ours):8.0f} rows/s")
    print(f"bare client  {max(bare):8.0f} rows/s")
    print(f"ratio        {max(ours) / max(bare):8.2f}")


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


if __name__ == "__main__":
    main()
