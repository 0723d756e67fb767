"""What the archive holds is settled apart: late, but before anything else is chosen."""

import anyio
import pytest

from engarde_daemon.ports.archive import Appended, Frozen
from engarde_daemon.ports.replication import Outcome
from engarde_daemon.testing.archive import MemoryArchive
from tests.integration.archive.test_replicator import TABLE, Road, road
from tests.support.oracle import eventually

__all__ = ["road"]

_BACKED_UP = "select count(*) from content_items where bigquery_backed_up"


@pytest.fixture
async def stored(road: Road) -> int:
    """How many versions a daemon had stored when it died before it settled them."""
    await road.write("one", "two")
    turn = await road.book.take_turn(TABLE, lease_s=30.0)
    assert turn is not None
    ids = [one.id for one in await road.book.due(items=10, size_bytes=10_000)]
    await road.book.freeze(turn, ids, began="stream", lease_s=30.0)
    await road.book.finish(turn, Outcome(stored=ids, stream_ends=True), lease_s=30.0)
    await road.book.give_back(turn)
    return len(ids)


async def test_what_was_stored_is_not_sent_again(road: Road, stored: int):
    """The next daemon settles it, and then sends what is new."""
    assert await road.owed() == stored
    await road.write("three")

    await road.replicate()

    assert [row.content_body for row in road.archive.rows] == ["three"]
    assert await road.owed() == 0
    assert await road.sql.fetchval(_BACKED_UP) == stored + 1


async def test_two_who_settle_do_not_disturb_each_other(road: Road, stored: int):
    """One whose lease ran out may be at it still."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(road.book.settle)
        tasks.start_soon(road.book.settle)

    assert await road.owed() == 0
    assert await road.sql.fetchval(_BACKED_UP) == stored


async def test_a_batch_is_settled_while_the_next_one_is_under_way(road: Road):
    """The archive does not wait for it."""
    await road.write("one", "two", "three")

    class Watchful(MemoryArchive):
        async def append(self, batch: Frozen) -> Appended:
            before = batch.first_id - 1

            async def are_settled() -> bool:
                return await road.owed() == 3 - before

            await eventually(are_settled)
            return await super().append(batch)

    road.archive = Watchful()
    await road.replicate(items=1)

    assert len(road.archive.rows) == 3
    assert await road.owed() == 0
