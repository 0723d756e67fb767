"""The next batch is read while one is under way, and what was read long ago is read again."""

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from actors.replicator.ahead import FRESH_S
from actors.replicator.cargo import Lot, Versions
from engarde_daemon.ports.archive import Appended, Frozen
from engarde_daemon.testing.archive import MemoryArchive
from tests.integration.archive.test_replicator import Road, road

__all__ = ["road"]


class TestReadingAhead:
    """While one batch is under way, the next one is read."""

    async def test_it_is_there_when_its_turn_comes(self, road: Road):
        """And nothing is sent twice."""
        lead = Lead(road)
        await road.write("one", "two", "three")

        await road.replicate(items=1)

        assert lead.read == [1, 1, 0]
        assert sorted(row.content_body for row in road.archive.rows) == ["one", "three", "two"]

    async def test_what_was_read_long_ago_is_read_again(self, road: Road):
        """Since then it may have been erased, and whoever erases looks only twice."""
        lead = Lead(road)
        gone = (await road.write("one", "two"))[1]

        async def erase_late() -> None:
            await road.erase(gone)
            road.moment += FRESH_S + 1

        lead.meanwhile = erase_late
        await road.replicate(items=1)

        assert [row.content_body for row in road.archive.rows] == ["one"]


class Lead:
    """A road on which a batch is stored only after the one behind it was read."""

    def __init__(self, road: Road) -> None:
        self.read: list[int] = []
        self.meanwhile = anyio.lowlevel.checkpoint
        was_read = anyio.Semaphore(0)
        lead = self

        class Watched(Versions):
            async def due(
                self, *, items: int, size_bytes: int, under_way: Sequence[int] = ()
            ) -> Lot | None:
                lot = await super().due(items=items, size_bytes=size_bytes, under_way=under_way)
                if under_way:
                    lead.read.append(len(lot.ids) if lot else 0)
                    was_read.release()
                return lot

        class Slow(MemoryArchive):
            async def append(self, batch: Frozen) -> Appended:
                await was_read.acquire()
                await lead.meanwhile()
                return await super().append(batch)

        road.cargo, road.archive = Watched, Slow()
