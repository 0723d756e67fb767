"""A network that fails between the daemon and BigQuery."""

import anyio
import pytest

from engarde_daemon.adapters.bigquery.archive import Bounds
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.archive import Appended
from engarde_daemon.testing.proxy import FaultyProxy
from tests.integration.bigquery.archives import named, prepared, some, stored
from tests.integration.bigquery.rows import AROUND, frozen
from tests.support.bigquery_emulator import BigQueryEmulator

SNAPSHOTS = ArchiveTable.SNAPSHOTS
LOOK_S = 0.02


async def test_a_reply_lost_after_the_append_stores_the_batch_once(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """The connection is opened anew, the same offset sent again, and ALREADY_EXISTS is success."""
    rows, outcomes = some(tenant, 3), []
    async with FaultyProxy("127.0.0.1", bigquery_emulator.write_port) as proxy:
        place = bigquery_emulator.place(write_endpoint=f"127.0.0.1:{proxy.port}")
        async with prepared(place) as archive:
            stream = await archive.open_stream(SNAPSHOTS)
            proxy.replies.hold()

            async def append() -> None:
                outcomes.append(await archive.append(frozen(stream, 0, *rows)))

            async with anyio.create_task_group() as callers:
                callers.start_soon(append)
                while not await stored(archive, tenant):
                    await anyio.sleep(LOOK_S)
                proxy.replies.release()
                proxy.reset()

            assert outcomes == [Appended()]
            assert (await archive.close_stream(stream)).rows == 3


async def test_batches_in_flight_survive_a_reset_in_their_order(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """Whoever waits sends again, each after the one before it, and no row comes twice."""
    rows, outcomes = some(tenant, 10), []
    async with FaultyProxy("127.0.0.1", bigquery_emulator.write_port) as proxy:
        place = bigquery_emulator.place(write_endpoint=f"127.0.0.1:{proxy.port}")
        async with prepared(place) as archive:
            stream = await archive.open_stream(SNAPSHOTS)
            proxy.replies.hold()

            async def append(offset: int) -> None:
                batch = frozen(stream, offset, *rows[offset : offset + 2])
                outcomes.append(await archive.append(batch))

            async with anyio.create_task_group() as callers:
                for offset in range(0, 10, 2):
                    callers.start_soon(append, offset)
                while not await stored(archive, tenant):
                    await anyio.sleep(LOOK_S)
                proxy.replies.release()
                proxy.reset()

            assert outcomes == [Appended()] * 5
            assert (await archive.close_stream(stream)).rows == 10
            assert await stored(archive, tenant) == named(rows)


async def test_an_answer_that_never_comes_is_bounded(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """The deadline ends the wait; the batch sent again afterwards is stored once."""
    async with FaultyProxy("127.0.0.1", bigquery_emulator.write_port) as proxy:
        place = bigquery_emulator.place(write_endpoint=f"127.0.0.1:{proxy.port}")
        async with prepared(place, bounds=Bounds(timeout_s=5.0)) as archive:
            batch = frozen(await archive.open_stream(SNAPSHOTS), 0, *some(tenant, 2))
            proxy.replies.hold()

            with pytest.raises(Unavailable):
                await archive.append(batch)

            proxy.replies.release()
            proxy.reset()
            assert await archive.append(batch) == Appended()
            assert (await archive.close_stream(batch.stream)).rows == 2


async def test_rest_tries_again_where_something_in_between_failed(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """One 503 is not an outage."""
    async with FaultyProxy("127.0.0.1", bigquery_emulator.port) as proxy:
        place = bigquery_emulator.place(endpoint=f"http://127.0.0.1:{proxy.port}")
        async with prepared(place) as archive:
            proxy.reset()
            proxy.answer_next(503)

            assert await archive.newest(tenant, ["none"], AROUND) == {}


@pytest.mark.parametrize("status", [429, 503])
async def test_rest_that_goes_on_failing_is_unavailable(
    bigquery_emulator: BigQueryEmulator, tenant: str, status: int
):
    """The caller learns it within seconds, and when to come back."""
    async with FaultyProxy("127.0.0.1", bigquery_emulator.port) as proxy:
        place = bigquery_emulator.place(endpoint=f"http://127.0.0.1:{proxy.port}")
        async with prepared(place) as archive:
            proxy.reset()
            proxy.answer_next(*[status] * 50)

            with pytest.raises(Unavailable) as refused:
                await archive.newest(tenant, ["none"], AROUND)

            assert refused.value.after_s > 1
