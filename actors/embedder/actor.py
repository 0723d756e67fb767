"""The embedder: a search by meaning finds what was stored before it was switched on.

Owns the mark that the index is complete: it is set after one whole walk over the body store, and a
walk that was cut off begins anew, which costs time and changes nothing.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

import anyio

from actors.clock import ticking
from actors.embedder.messages import CatchUp, EmbedderMessage
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.likeness import LikenessIndex

RECORDS_PER_BATCH = 32


class Embedder(Actor[EmbedderMessage]):
    """Walks over the body store once."""

    def __init__(
        self,
        store: BodyStore,
        index: LikenessIndex,
        *,
        rest_s: Callable[[], float],
        retry_s: float,
    ) -> None:
        self._store = store
        self._index = index
        self._rest_s = rest_s
        self._retry_s = retry_s
        self._done = False

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin, and look again in case a store did not answer."""
        await ticking(resources, self.own, CatchUp(), every_s=self._retry_s)

    async def receive(self, message: EmbedderMessage) -> None:
        """Catch up, once; a store that does not answer is asked again at the next reminder."""
        del message
        with suppress(Unavailable):
            if not self._done and not await self._index.is_complete():
                await self._walk()
                await self._index.note_complete()
            self._done = True

    async def _walk(self) -> None:
        batch: list[ContentRecord] = []
        async for record in self._store.scan():
            batch.append(record)
            if len(batch) == RECORDS_PER_BATCH:
                await self._index.add(batch)
                batch.clear()
                await anyio.sleep(self._rest_s())
        await self._index.add(batch)
