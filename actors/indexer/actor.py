"""The indexer: full text of what was written a moment ago.

Taking words apart costs PostgreSQL several times what the write itself does, so it happens after
the write's answer. Nobody notices: a search also reads what is not indexed yet.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack

import anyio

from actors.clock import ticking
from actors.indexer.messages import IndexerMessage, Wake
from engarde_daemon.core import Actor
from engarde_daemon.ports.outbox import Housekeeping

VERSIONS_PER_BATCH = 25


class Indexer(Actor[IndexerMessage]):
    """Takes versions into the index, a small batch at a time."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        *,
        poll_s: float,
        rest_s: Callable[[], float],
    ) -> None:
        self._housekeeping = housekeeping
        self._poll_s = poll_s
        self._rest_s = rest_s

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, Wake(), every_s=self._poll_s)

    async def receive(self, message: IndexerMessage) -> None:
        """Index until nothing is left or it is paused."""
        del message
        await anyio.sleep(self._rest_s())
        while not self.is_paused and await self._housekeeping.index_pending(VERSIONS_PER_BATCH):
            await anyio.sleep(self._rest_s())
