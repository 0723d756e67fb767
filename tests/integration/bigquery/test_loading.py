"""Load jobs: the way round while the Storage Write API is away, and for what is too large for it."""

import uuid

import pytest

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import JOB_STREAM, WritePace
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import StreamLost, Unavailable
from engarde_daemon.ports.archive import Appended
from engarde_daemon.testing.proxy import FaultyProxy
from tests.integration.bigquery.archives import (
    Clock,
    named,
    prepared,
    rows_in_table,
    some,
    stored,
)
from tests.integration.bigquery.rows import AROUND, frozen, snapshot_with
from tests.support.bigquery_emulator import BigQueryEmulator
from tests.support.ports import free_port

SNAPSHOTS = ArchiveTable.SNAPSHOTS
PACE = WritePace(detour_after_s=60.0, detour_lasts_s=600.0)


def job_stream() -> str:
    """The name of a stream whose batches are jobs."""
    return f"{JOB_STREAM}content_snapshots/{uuid.uuid4().hex}"


async def test_rows_go_by_jobs_once_the_api_was_away_for_long(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """At first the daemon waits; then it opens streams of jobs, and leaves them after a while."""
    clock = Clock()
    place = bigquery_emulator.place(write_endpoint=f"127.0.0.1:{free_port()}")
    async with prepared(place, clock=clock, pace=PACE) as archive:
        with pytest.raises(Unavailable):
            await archive.open_stream(SNAPSHOTS)
        clock.now += 61

        stream = await archive.open_stream(SNAPSHOTS)

        assert stream.startswith(JOB_STREAM)
        assert await archive.append(frozen(stream, 0, *some(tenant, 2))) == Appended()
        clock.now += 601
        with pytest.raises(StreamLost):
            await archive.append(frozen(stream, 2, *some(tenant, 1, "late")))
        assert (await archive.close_stream(stream)).rows is None
        assert await stored(archive, tenant) == named(some(tenant, 2))


async def test_a_stream_whose_api_stays_away_is_given_up(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """Its batches are told to go another way, and nobody insists on counting its rows."""
    clock = Clock()
    async with FaultyProxy("127.0.0.1", bigquery_emulator.write_port) as proxy:
        place = bigquery_emulator.place(write_endpoint=f"127.0.0.1:{proxy.port}")
        async with prepared(place, clock=clock, pace=PACE) as archive:
            batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *some(tenant, 1))
            proxy.refuses = True
            proxy.reset()
            with pytest.raises(Unavailable):
                await archive.append(batch)
            with pytest.raises(Unavailable):
                await archive.close_stream(batch.stream)
            clock.now += 61

            with pytest.raises(StreamLost):
                await archive.append(batch)

            assert (await archive.close_stream(batch.stream)).rows is None


async def test_a_job_sent_twice_is_one_job(
    archive: BigQueryArchive, bigquery_emulator: BigQueryEmulator, place: Place, tenant: str
):
    """BigQuery answers 409, and the job that is there has stored the batch."""
    batch = frozen(job_stream(), 0, *some(tenant, 3))
    assert await archive.append(batch) == Appended()

    assert await archive.append(batch) == Appended()

    assert await rows_in_table(bigquery_emulator, place, tenant) == 3


async def test_a_batch_too_large_for_a_request_is_a_job(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """Its stream then misses the rows and says so, and another one goes on."""
    row = snapshot_with("x" * 5000, content_id="large", tenant_id=tenant)
    place = bigquery_emulator.place()
    async with prepared(place, pace=WritePace(append_bytes=4000)) as archive:
        stream = await archive.open_stream(SNAPSHOTS)

        assert await archive.append(frozen(stream, 0, row)) == Appended()
        assert await archive.append(frozen(stream, 0, row)) == Appended()

        assert await rows_in_table(bigquery_emulator, place, tenant) == 1
        with pytest.raises(StreamLost):
            await archive.append(frozen(stream, 1, *some(tenant, 1)))
        assert (await archive.close_stream(stream)).rows == 0


async def test_a_server_that_takes_only_small_requests_gets_a_job(
    archive: BigQueryArchive, tenant: str
):
    """The limit of gRPC itself, 4 MiB, is met before BigQuery's."""
    rows = [
        snapshot_with("x" * 1_500_000, content_id=f"large-{n}", tenant_id=tenant) for n in range(3)
    ]
    stream = await archive.open_stream(SNAPSHOTS)

    assert await archive.append(frozen(stream, 0, *rows)) == Appended()

    found = await archive.newest(tenant, ["large-0", "large-2"], AROUND)
    assert found == {"large-0": rows[0], "large-2": rows[2]}


async def test_a_job_that_finds_rows_wrong_names_them(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """BigQuery does not say which they are, so halves of the batch are tried."""
    place = bigquery_emulator.place()
    async with prepared(place) as archive:
        await bigquery_emulator.query(
            place, "ALTER TABLE content_snapshots DROP COLUMN changes_summary"
        )

        appended = await archive.append(frozen(job_stream(), 0, *some(tenant, 2)))

        assert set(appended.refused) == {0, 1}
