"""An export as it streams: brand by brand, oldest first, in bounded memory.

Owns the bound: at most `RUN_ITEMS` items and about `RUN_BYTES` of bodies are held at a time, and
nothing is put into the cache of bodies, which belongs to those who read.
"""

import hashlib
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

import anyio
from anyio import to_thread

from engarde_daemon.api.transfer.lines import last_line, line_of
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.lists import Shelves, SortedPlace

RUN_ITEMS = 200
RUN_BYTES = 4 * 1024 * 1024
_GZIP_LEVEL = 1  # the level above costs twice the time for a tenth less
_GZIP_BITS = 31  # zlib's own number for the format of gzip


class Exporter:
    """Streams what a tenant has."""

    def __init__(self, shelves: Shelves, bodies: Bodies) -> None:
        self._shelves = shelves
        self._bodies = bodies

    async def lines(
        self,
        tenant_id: str,
        brand_ids: Sequence[str],
        *,
        after: SortedPlace | None,
        until: datetime,
    ) -> AsyncIterator[bytes]:
        """Many lines at a time, the first brand after a place; the last line comes alone.

        Raises:
            Unavailable: A body is nowhere to be had: the stream ends without its last line.
        """
        digest, count = hashlib.sha256(), 0
        for brand_id in brand_ids:
            async for run in self._runs(tenant_id, brand_id, after=after, until=until):
                lines = await self._with_bodies(tenant_id, run)
                digest.update(lines)
                count += len(run)
                yield lines
            after = None
        yield last_line(count, digest.hexdigest())

    async def _runs(
        self, tenant_id: str, brand_id: str, *, after: SortedPlace | None, until: datetime
    ) -> AsyncIterator[Sequence[Item]]:
        more = True
        while more:
            items = await self._shelves.along(
                tenant_id, brand_id, after=after, until=until, size=RUN_ITEMS
            )
            for run in _bounded(items):
                yield run
            more = len(items) == RUN_ITEMS
            if more:
                after = SortedPlace(content_id=items[-1].id, at=items[-1].created_at)

    async def _with_bodies(self, tenant_id: str, run: Sequence[Item]) -> bytes:
        bodies = await self._bodies.find(tenant_id, run, keep=False)
        lost = [item.id for item in run if item.body_name not in bodies]
        if lost:
            raise Unavailable(f"The body of {lost[0]} cannot be read from any store now.")
        return b"".join([line_of(item, bodies[item.body_name]) for item in run])


async def gzipped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, compressed beside the event loop."""
    press = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_BITS)
    threads = anyio.CapacityLimiter(1)
    async for chunk in chunks:
        yield await to_thread.run_sync(press.compress, chunk, limiter=threads)
    yield press.flush()


def _bounded(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Split a run where its bodies would be too much at once."""
    run: list[Item] = []
    size = 0
    for item in items:
        if run and size + item.size_bytes > RUN_BYTES:
            yield run
            run, size = [], 0
        run.append(item)
        size += item.size_bytes
    if run:
        yield run
