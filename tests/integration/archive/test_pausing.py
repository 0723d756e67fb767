"""An operator pauses replication in the middle of a long backlog."""

import anyio

from engarde_daemon.ports.archive import Appended, Frozen
from engarde_daemon.testing.archive import MemoryArchive
from engarde_daemon.testing.bodies import Gate
from tests.integration.archive.test_replicator import TABLE, Road, road
from tests.support.acting import steered
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

__all__ = ["road"]


async def test_the_batch_under_way_is_the_last_until_it_is_resumed(road: Road):
    """It gives its turn back, and all of the rest is sent afterwards."""
    gate = Gate()

    class Held(MemoryArchive):
        async def append(self, batch: Frozen) -> Appended:
            await gate.pass_through()
            return await super().append(batch)

    road.archive = Held()
    await road.write("one", "two", "three")

    async with steered(lambda: road.replicator(items=1, poll_s=0.01)) as replication:
        with anyio.fail_after(PATIENCE_S):
            await gate.reached.wait()
        replication.pause()
        gate.opened.set()

        async def turn_is_free() -> bool:
            turn = await road.book.take_turn(TABLE, lease_s=30.0)
            if turn is not None:
                await road.book.give_back(turn)
            return turn is not None

        await eventually(turn_is_free)
        assert len(road.archive.rows) == 1
        replication.resume()

        async def all_are_there() -> bool:
            return await road.owed() == 0

        await eventually(all_are_there)
    assert len(road.archive.rows) == 3
