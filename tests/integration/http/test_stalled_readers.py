"""Who asks for much and does not read it frees everything that waits for them."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import psutil
import pytest
from anyio import to_thread
from anyio.lowlevel import checkpoint
from litestar import Litestar, get
from litestar.response import Stream

from actors.edge.actor import Edge
from tests.support.acting import acting
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

STALL_S = 0.2
CHUNK = b"x" * 100_000
LARGE = CHUNK * 200


class Cursor:
    """What a stream reads from, which must be closed."""

    def __init__(self) -> None:
        self.opened, self.closed = anyio.Event(), anyio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Endlessly many."""
        self.opened.set()
        try:
            while True:
                await checkpoint()
                yield CHUNK
        finally:
            self.closed.set()


class Streams:
    """Nothing that has no end."""

    def open(self) -> None:
        """Let none begin."""

    def close(self) -> None:
        """End none."""


class Ended:
    """An application, and word of every request's end."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.ended = anyio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one."""
        await self._app(scope, receive, send)
        self.ended.set()


@pytest.fixture
def cursor() -> Cursor:
    """What the endless answer is read from."""
    return Cursor()


@pytest.fixture
def app(cursor: Cursor) -> Ended:
    """A large answer and an endless one."""

    @get("/large", media_type="text/plain")
    async def large() -> bytes:
        return LARGE

    @get("/endless")
    async def endless() -> Stream:
        return Stream(cursor.chunks())

    return Ended(Litestar([large, endless], openapi_config=None))


@asynccontextmanager
async def serving(app: Ended, stall_s: float) -> AsyncIterator[int]:
    """The port on which an edge serves it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        edge = lambda: Edge(app, listener, streams=Streams(), grace_s=1, stall_s=stall_s)  # noqa: E731 - a factory
        async with acting(edge):
            yield listener.getsockname()[1]


@contextmanager
def asking(port: int, path: str) -> Iterator[socket.socket]:
    """A caller who has asked, and read nothing yet."""
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", port))
        caller.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        caller.settimeout(PATIENCE_S)
        yield caller


async def until_gone(caller: socket.socket) -> None:
    """Wait until the server holds its side of the connection no more."""
    port = caller.getsockname()[1]

    async def is_gone() -> bool:
        held = psutil.Process().net_connections("tcp")
        return not any(one.raddr and one.raddr.port == port for one in held)

    await eventually(is_gone)


async def test_a_large_answer_that_is_not_read_is_dropped(app: Ended):
    """Though its request has ended long ago, and nobody in the daemon waits for the caller."""
    async with serving(app, STALL_S) as port:
        with asking(port, "/large") as caller:
            await app.ended.wait()
            await until_gone(caller)


async def test_an_endless_answer_that_is_not_read_frees_what_it_reads_from(
    app: Ended, cursor: Cursor
):
    """Its request ends as if the caller had hung up."""
    async with serving(app, STALL_S) as port:
        with asking(port, "/endless") as caller, anyio.fail_after(PATIENCE_S):
            await cursor.opened.wait()
            await cursor.closed.wait()
            await app.ended.wait()
            await until_gone(caller)


async def test_who_reads_gets_everything(app: Ended):
    """And keeps the connection."""
    async with serving(app, PATIENCE_S) as port:
        with asking(port, "/large") as caller:
            for _ in range(2):
                assert await to_thread.run_sync(_read, caller) == len(LARGE)
                caller.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            await to_thread.run_sync(_read, caller)


def _read(caller: socket.socket) -> int:
    """How many bytes the body of the next answer holds."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += caller.recv(1)
    size = 0
    while size < len(LARGE):
        size += len(caller.recv(min(1_000_000, len(LARGE) - size)))
    return size
