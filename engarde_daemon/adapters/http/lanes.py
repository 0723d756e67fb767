"""Many connections in several small pools.

Looking for a free connection, httpcore 1.0 goes through all of a pool's, and asks the operating
system about each that is idle, twice a request (encode/httpcore, `_assign_requests_to_connections`).
With fifty connections that was most of what a call of a model cost; in pools of a few it is little.
"""

import ssl
from collections.abc import AsyncIterator
from functools import cache

import httpcore
import httpx

LANE = 2
"""How many connections a pool has at most: two providers in turn need not hang up each time."""
IDLE_S = 30.0


class Lane(httpx.AsyncHTTPTransport):
    """A pool of few connections that knows how many of them are taken.

    httpx 0.28 has no way to name httpcore's network backend but to make the pool oneself.
    """

    def __init__(
        self, backend: httpcore.AsyncNetworkBackend, context: ssl.SSLContext, size: int
    ) -> None:
        self.taken = 0
        self._pool: httpcore.AsyncConnectionPool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=size,
            max_keepalive_connections=size,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its connection is taken until its answer is closed."""
        self.taken += 1
        try:
            response = await super().handle_async_request(request)
        except BaseException:
            self.taken -= 1
            raise
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Counted(response.stream, self)
        return response


class _Counted(httpx.AsyncByteStream):
    """The body of an answer, which gives its connection back at its end."""

    def __init__(self, stream: httpx.AsyncByteStream, lane: Lane) -> None:
        self._stream = stream
        self._lane = lane
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._lane.taken -= 1
        await self._stream.aclose()


@cache
def trusted() -> ssl.SSLContext:
    """The certificates of the world, which take 20 ms and a megabyte to read, once for everybody."""
    return httpx.create_ssl_context()


class Lanes:
    """Pools that together have so many connections; the least taken one is used next."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, connections: int) -> None:
        context = trusted()
        count = -(-connections // LANE)
        sizes = [connections // count + (n < connections % count) for n in range(count)]
        self._lanes = [Lane(backend, context, size) for size in sizes]

    def least_taken(self) -> Lane:
        """The pool that most likely has a connection free."""
        return min(self._lanes, key=lambda lane: lane.taken)

    async def close(self) -> None:
        """Close all connections."""
        for lane in self._lanes:
            await lane.aclose()
