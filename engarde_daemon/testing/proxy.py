"""A TCP proxy on loopback that fails on demand, to stand between the daemon and a store.

Owns the faults that only a network has: a reply that is lost although the request was carried out,
a connection that is reset, and an HTTP status that comes from something in between.
"""

import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup
from anyio.streams.stapled import MultiListener

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ANSWER = "HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FaultyProxy:
    """Passes bytes both ways until told otherwise; use it as an async context manager."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.loses_replies = False
        self.refuses = False
        self._behind = (host, port)
        self._statuses: list[int] = []
        self._streams: set[SocketStream] = set()
        self._tasks: TaskGroup = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        self._tasks.start_soon(self._listen, listener)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(exc_type, exc, traceback)

    def answer_next(self, *statuses: int) -> None:
        """Let each of the next requests on a connection of its own get this HTTP status."""
        self._statuses.extend(statuses)

    def reset(self) -> None:
        """Break every connection that is open now."""
        for stream in self._streams:
            raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            raw.shutdown(socket.SHUT_RDWR)

    async def _listen(self, listener: MultiListener[SocketStream]) -> None:
        async with listener:
            await listener.serve(self._serve)

    async def _serve(self, client: SocketStream) -> None:
        async with client:
            if self.refuses:
                return
            if self._statuses:
                await client.receive()
                await client.send(_ANSWER.format(status=self._statuses.pop(0)).encode())
                return
            async with await anyio.connect_tcp(*self._behind) as server:
                await self._connect(client, server)

    async def _connect(self, client: SocketStream, server: SocketStream) -> None:
        self._streams |= {client, server}
        try:
            async with anyio.create_task_group() as ways:
                ways.start_soon(self._pass_on, client, server, ways.cancel_scope)
                ways.start_soon(self._pass_back, server, client, ways.cancel_scope)
        finally:
            self._streams -= {client, server}

    async def _pass_on(
        self, client: SocketStream, server: SocketStream, both: anyio.CancelScope
    ) -> None:
        with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
            while True:
                await server.send(await client.receive())
        both.cancel()

    async def _pass_back(
        self, server: SocketStream, client: SocketStream, both: anyio.CancelScope
    ) -> None:
        with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
            while True:
                reply = await server.receive()
                if not self.loses_replies:
                    await client.send(reply)
        both.cancel()
