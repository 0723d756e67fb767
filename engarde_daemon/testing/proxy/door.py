"""The proxy itself: it listens, connects each caller with the place behind it, and breaks them off.

Owns its connections: none outlives the block, and a reset is one, with no farewell before it.
"""

import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream, TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from anyio.streams.stapled import MultiListener

from engarde_daemon.testing.proxy.local import LocalStream
from engarde_daemon.testing.proxy.ways import Harm, Mark, Trace, Way

CHUNKS_UNDER_WAY = 64
"""How much may be late at once; a sender with more waits, as for a full window."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ANSWER = "HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FaultyProxy:
    """Passes bytes both ways until told otherwise; use it as an async context manager."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.refuses = False
        """Whether new connections are reset at once."""
        self.requests, self.replies = Way(), Way()
        self._connect_behind: Callable[[], Awaitable[ByteStream]]
        self._connect_behind = lambda: anyio.connect_tcp(host, port)
        self._statuses: list[int] = []
        self._connections: set[_Connection] = set()
        self._tasks: TaskGroup = anyio.create_task_group()

    @classmethod
    def before_socket(cls, path: Path) -> Self:
        """Stand before a place that listens on a socket in the file system."""
        proxy = cls("", 0)
        proxy._connect_behind = partial(_connect_local, path)
        return proxy

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

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._connections)

    @property
    def marks(self) -> list[Mark]:
        """The bytes for which a connection will be harmed, and that no connection carried yet."""
        return [*self.requests.marks, *self.replies.marks]

    def answer_next(self, *statuses: int) -> None:
        """Let each of the next requests on a connection of its own get this HTTP status."""
        self._statuses.extend(statuses)

    def lose_answer_to(self, pattern: bytes) -> None:
        """Break the connection whose request carries these bytes, when its answer comes."""
        self.requests.marks.append(Mark(pattern, Harm.ANSWER_LOST))

    def hold(self) -> None:
        """Be a black hole both ways."""
        self.requests.hold()
        self.replies.hold()

    def heal(self) -> None:
        """Pass everything on again, at once."""
        self.refuses = False
        for way in (self.requests, self.replies):
            way.latency_s, way.bytes_per_s = 0.0, float("inf")
            way.marks.clear()
            way.release()

    def reset(self) -> None:
        """Break every connection that is open now, with whatever is under way on it."""
        for connection in self._connections:
            connection.reset()

    async def _listen(self, listener: MultiListener[SocketStream]) -> None:
        async with listener:
            await listener.serve(self._serve)

    async def _serve(self, client: SocketStream) -> None:
        async with client:
            if self.refuses:
                _reset_on_close(client)
                return
            if self._statuses:
                await self._answer(client)
                return
            try:
                server = await self._connect_behind()
            except OSError:
                _reset_on_close(client)
                return
            async with server:
                await self._connect(_Connection(client, server))

    async def _answer(self, client: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):  # it asked for nothing
            await client.receive()
            await client.send(_ANSWER.format(status=self._statuses.pop(0)).encode())

    async def _connect(self, connection: "_Connection") -> None:
        self._connections.add(connection)
        try:
            await connection.live(self.requests, self.replies)
        finally:
            self._connections.discard(connection)


class _Connection:
    """One caller and the place behind; it lasts until both have ended, or it breaks."""

    def __init__(self, client: ByteStream, server: ByteStream) -> None:
        self._client, self._server = client, server
        self._scope = anyio.CancelScope()
        self._loses_answer = False

    async def live(self, requests: Way, replies: Way) -> None:
        """Carry bytes both ways."""
        with self._scope:
            async with anyio.create_task_group() as ways:
                ways.start_soon(self._carry, requests, self._client, self._server)
                ways.start_soon(self._carry, replies, self._server, self._client)

    def reset(self) -> None:
        """Break off on both sides."""
        _reset_on_close(self._client)
        _reset_on_close(self._server)
        self._scope.cancel()

    async def _carry(self, way: Way, source: ByteStream, sink: ByteStream) -> None:
        send, receive = anyio.create_memory_object_stream[tuple[float, bytes]](CHUNKS_UNDER_WAY)
        try:
            async with anyio.create_task_group() as ends:
                ends.start_soon(self._take, way, source, send)
                await self._give(way, receive, sink)
        except* anyio.BrokenResourceError:
            self.reset()

    async def _take(
        self, way: Way, source: ByteStream, send: MemoryObjectSendStream[tuple[float, bytes]]
    ) -> None:
        async with send:
            async for data in source:
                await send.send((anyio.current_time() + way.latency_s, data))

    async def _give(
        self, way: Way, receive: MemoryObjectReceiveStream[tuple[float, bytes]], sink: ByteStream
    ) -> None:
        trace = Trace()
        async with receive:
            async for due, data in receive:
                await anyio.sleep_until(due)
                if self._loses_answer and sink is self._client:
                    self.reset()
                    return
                cut = self._cut(way, trace.find(data, way.marks))
                await self._deliver(way, data[:cut], sink)
                if cut is not None:
                    self.reset()
                    return
        await way.pass_gate(0)
        await sink.send_eof()

    def _cut(self, way: Way, found: tuple[Mark, int] | None) -> int | None:
        """Take note of a mark, and give the place behind which nothing passes."""
        if found is None:
            return None
        mark, end = found
        way.marks.remove(mark)
        if mark.harm is Harm.CUT:
            return end
        self._loses_answer = True
        return None

    async def _deliver(self, way: Way, data: bytes, sink: ByteStream) -> None:
        while data:
            part = way.slice(data)
            await way.pass_gate(len(part))
            await sink.send(part)
            data = data[len(part) :]


async def _connect_local(path: Path) -> ByteStream:
    return LocalStream(path)


def _reset_on_close(stream: ByteStream) -> None:
    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
    with suppress(OSError):  # it may be over already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
