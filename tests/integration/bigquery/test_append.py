"""Appending to a stream: what is stored, what is refused, what is lost."""

from contextlib import suppress

import anyio
import msgspec
import pytest

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive
from engarde_daemon.adapters.bigquery.parts import PART_ROWS
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import StreamLost, Unavailable
from engarde_daemon.ports.archive import Appended, Frozen
from tests.integration.bigquery.archives import named, prepared, some, stored
from tests.integration.bigquery.rows import AROUND, frozen, snapshot_with
from tests.support.bigquery_emulator import BigQueryEmulator
from tests.support.oracle import eventually

SNAPSHOTS = ArchiveTable.SNAPSHOTS


async def test_a_batch_that_skips_rows_loses_its_stream(archive: BigQueryArchive, tenant: str):
    """A gap is never written: what lacks its predecessor is refused by the offset."""
    stream = await archive.open_stream(SNAPSHOTS)

    with pytest.raises(StreamLost):
        await archive.append(frozen(stream, 5, *some(tenant, 2)))

    assert await stored(archive, tenant) == []


async def test_a_closed_stream_tells_its_rows_and_takes_no_more(
    archive: BigQueryArchive, tenant: str
):
    """What BigQuery counted decides which batches arrived."""
    rows = some(tenant, 3)
    stream = await archive.open_stream(SNAPSHOTS)
    await archive.append(frozen(stream, 0, *rows))

    state = await archive.close_stream(stream)

    assert state.rows == 3
    with pytest.raises(StreamLost):
        await archive.append(frozen(stream, 3, *some(tenant, 1, "late")))
    assert await stored(archive, tenant) == named(rows)


async def test_a_stream_that_bigquery_forgot_is_lost_and_its_rows_can_be_asked_for(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """After the server forgot the stream, the rows themselves tell what arrived."""
    rows = some(tenant, 3)
    async with prepared(bigquery_emulator.place()) as archive:
        stream = await archive.open_stream(SNAPSHOTS)
        await archive.append(frozen(stream, 0, *rows))
        await bigquery_emulator.restart()

        with pytest.raises(StreamLost):
            await archive.append(frozen(stream, 3, *some(tenant, 1, "late")))

        assert (await archive.close_stream(stream)).rows is None
        wanted = [row.snapshot_id for row in (*rows, *some(tenant, 1, "late"))]
        assert await archive.held(SNAPSHOTS, wanted, AROUND) == set(wanted[:3])
        another = await archive.open_stream(SNAPSHOTS)
        assert await archive.append(frozen(another, 0, *some(tenant, 1, "late"))) == Appended()


async def test_a_batch_sent_twice_is_one_batch(archive: BigQueryArchive, tenant: str):
    """ALREADY_EXISTS is the success of the attempt before."""
    batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *some(tenant, 4))

    assert await archive.append(batch) == Appended()
    assert await archive.append(batch) == Appended()

    state = await archive.close_stream(batch.stream)
    assert state.rows == 4


async def test_another_daemon_finds_the_batch_stored(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """The stream and the offset are all that a successor needs to know."""
    place = bigquery_emulator.place()
    async with prepared(place) as first:
        batch = frozen(await first.open_stream(SNAPSHOTS), 0, *some(tenant, 4))
        await first.append(batch)

    async with prepared(place) as second:
        assert await second.append(batch) == Appended()
        assert (await second.close_stream(batch.stream)).rows == 4


class TestParts:
    """A large batch travels in parts, of which several are under way."""

    async def test_what_is_there_of_it_is_not_stored_again(
        self, archive: BigQueryArchive, tenant: str
    ):
        """Whether none of it was, its beginning, or all."""
        rows = some(tenant, 2 * PART_ROWS + 1)
        batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *rows)
        await archive.append(msgspec.structs.replace(batch, rows=batch.rows[:PART_ROWS]))

        assert await archive.append(batch) == Appended()
        assert await archive.append(batch) == Appended()

        assert (await archive.close_stream(batch.stream)).rows == len(rows)

    async def test_a_row_that_fits_no_table_keeps_what_is_behind_it_away(
        self, archive: BigQueryArchive, tenant: str
    ):
        """It is named by its place in the batch; what is before its part is stored."""
        batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *some(tenant, 3 * PART_ROWS))
        misfit = PART_ROWS + 7
        rows = [*batch.rows]
        rows[misfit] = {**rows[misfit], "version": "two"}

        appended = await archive.append(msgspec.structs.replace(batch, rows=rows))

        assert appended == Appended({misfit: "version is no INT64"}, stored=PART_ROWS)
        assert (await archive.close_stream(batch.stream)).rows == PART_ROWS

    async def test_a_part_that_is_too_large_ends_the_batch_before_it(
        self, bigquery_emulator: BigQueryEmulator, tenant: str
    ):
        """With the next batch it is the first part, and goes by a load job."""
        rows = some(tenant, PART_ROWS + 1)
        large = msgspec.structs.replace(rows[-1], content_body="x" * 600_000)
        pace = WritePace(append_bytes=500_000)
        async with prepared(bigquery_emulator.place(), pace=pace) as archive:
            batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *rows[:-1], large)

            assert await archive.append(batch) == Appended(stored=PART_ROWS)
            rest = msgspec.structs.replace(batch, offset=PART_ROWS, rows=batch.rows[PART_ROWS:])
            assert await archive.append(rest) == Appended()

            assert len(await stored(archive, tenant)) == len(rows)


async def test_batches_in_flight_keep_their_order(archive: BigQueryArchive, tenant: str):
    """Twenty callers at once never get in each other's way."""
    rows = some(tenant, 60)
    stream = await archive.open_stream(SNAPSHOTS)
    outcomes = []

    async def append(offset: int) -> None:
        outcomes.append(await archive.append(frozen(stream, offset, *rows[offset : offset + 3])))

    async with anyio.create_task_group() as callers:
        for offset in range(0, 60, 3):
            callers.start_soon(append, offset)

    assert outcomes == [Appended()] * 20
    assert await stored(archive, tenant) == named(rows)


async def test_a_row_that_fits_no_table_is_named_and_nothing_is_stored(
    archive: BigQueryArchive, tenant: str
):
    """A batch is stored as a whole, or not at all."""
    rows = some(tenant, 3)
    stream = await archive.open_stream(SNAPSHOTS)
    batch = frozen(stream, 0, *rows)
    wrong: Frozen = msgspec.structs.replace(
        batch, rows=[batch.rows[0], {**batch.rows[1], "version": "two"}, {"content_id": "x"}]
    )

    appended = await archive.append(wrong)

    assert appended.refused[1] == "version is no INT64"
    assert "snapshot_id" in appended.refused[2]
    assert await archive.append(batch) == Appended()


async def test_a_row_that_bigquery_refuses_is_named(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """What only the server can know comes back as the row's index, and the place stays free."""
    place = bigquery_emulator.place()
    async with prepared(place) as archive:
        stream = await archive.open_stream(SNAPSHOTS)
        await bigquery_emulator.query(place, "ALTER TABLE content_snapshots DROP COLUMN sha256")

        appended = await archive.append(frozen(stream, 0, *some(tenant, 2)))

        assert set(appended.refused) == {0, 1}
        assert "sha256" in appended.refused[0]
        assert (await archive.close_stream(stream)).rows == 0


async def test_rows_come_back_as_they_were(archive: BigQueryArchive, tenant: str):
    """Text, JSON, null and microseconds survive the way there and back."""
    row = snapshot_with("Grüße 🌱\n\ttab", content_id="one", tenant_id=tenant)
    await archive.append(frozen(await archive.open_stream(SNAPSHOTS), 0, row))

    found = await archive.newest(tenant, ["one"], AROUND)

    assert found == {"one": row}


async def test_an_unreachable_api_is_unavailable(bigquery_emulator: BigQueryEmulator, tenant: str):
    """Nothing is known of the batch, and the caller may try again."""
    async with prepared(bigquery_emulator.place()) as archive:
        stream = await archive.open_stream(SNAPSHOTS)
        await bigquery_emulator.stop()
        try:
            with pytest.raises(Unavailable):
                await archive.append(frozen(stream, 0, *some(tenant, 1)))
        finally:
            await bigquery_emulator.start()
            await eventually(lambda: is_reached(archive))


async def is_reached(archive: BigQueryArchive) -> bool:
    """Whether gRPC connects: it waits a while after a refusal, and so does whoever comes next."""
    with suppress(Unavailable):
        await archive.open_stream(SNAPSHOTS)
        return True
    return False
