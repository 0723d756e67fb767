"""A crowd writes, and the daemon dies on the way of its writes into the three stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from tests.faults.killing.site import Plot, Site
from tests.support.crowd import Crowd
from tests.support.oracle import Oracle

CLIENTS = 6


async def carry(site: Site, plot: Plot) -> None:
    """What was acknowledged is in all three stores, once."""
    daemon, chance = site.daemon, plot.chance
    await daemon.receive_guest()
    crowd = Crowd(daemon, f"{chance.getrandbits(32):08x}", clients=CLIENTS)

    async with under_load(crowd):
        for _ in range(plot.deaths):
            await crowd.acknowledges(chance.randint(1, 30))
            daemon.will_die_at(plot.point, at_pass=chance.randint(1, 2))
            await daemon.dies()
            await daemon.start()
        await crowd.acknowledges(10)

    await Oracle(daemon, patience_s=plot.patience_s).holds(crowd.witness)


@asynccontextmanager
async def under_load(crowd: Crowd) -> AsyncIterator[None]:
    """Let a crowd write for the length of a block."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.work)
        yield
        crowd.stop()
