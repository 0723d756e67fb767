"""A proxy that fails on demand, between real sockets."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from errno import ECONNRESET
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from engarde_daemon.testing.proxy import FaultyProxy

LIMIT_S = 10.0


class Echo:
    """A place that gives back what it gets, line by line, and keeps it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ends: list[str] = []
        self.news = anyio.Event()

    async def serve(self, stream: SocketStream) -> None:
        """Answer until the caller ends."""
        lines = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    line = await lines.receive_until(b"\n", 10**6)
                    self.note(self.got, line)
                    await stream.send(line.upper() + b"\n")
            except anyio.IncompleteRead:
                self.note(self.ends, "ended")
            except anyio.BrokenResourceError:
                self.note(self.ends, "broken")

    def note(self, where: list[bytes] | list[str], what: Any) -> None:
        """Remember something, and tell who waits."""
        where.append(what)
        self.news.set()
        self.news = anyio.Event()

    async def until(self, *, got: int = 0, ends: int = 0) -> None:
        """Wait until so much was got, and so many ended."""
        while len(self.got) < got or len(self.ends) < ends:
            await self.news.wait()


class Caller:
    """One connection through the proxy."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)

    async def say(self, line: bytes) -> None:
        """Send a line."""
        await self._stream.send(line + b"\n")

    async def hear(self) -> bytes:
        """Receive a line."""
        return await self._lines.receive_until(b"\n", 10**6)

    async def asks(self, line: bytes) -> bytes:
        """Send a line and receive the answer."""
        await self.say(line)
        return await self.hear()

    async def error(self) -> int:
        """How the connection broke."""
        with pytest.raises(anyio.BrokenResourceError) as broken:
            await self._lines.receive_until(b"\n", 10**6)
        assert isinstance(broken.value.__cause__, OSError)
        return broken.value.__cause__.errno or 0


class Street:
    """A place, the proxy before it, and callers."""

    def __init__(self, echo: Echo, proxy: FaultyProxy) -> None:
        self.echo, self.proxy = echo, proxy

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        """Come through the proxy."""
        async with await anyio.connect_tcp("127.0.0.1", self.proxy.port) as stream:
            yield Caller(stream)


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    """A place that echoes, behind a proxy."""
    echo = Echo()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
    with anyio.fail_after(LIMIT_S):
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo.serve)
            async with FaultyProxy("127.0.0.1", port) as proxy:
                yield Street(echo, proxy)
            tasks.cancel_scope.cancel()


async def test_untouched_it_passes_everything_on(street: Street):
    """Both ways, in order, and the end as well."""
    async with street.caller() as caller:
        assert [await caller.asks(b"a"), await caller.asks(b"b" * 300_000)] == [
            b"A",
            b"B" * 300_000,
        ]
        assert street.proxy.open == 1

    await street.echo.until(ends=1)
    assert street.echo.ends == ["ended"]


async def test_a_reset_is_no_farewell(street: Street):
    """Both sides see a broken connection, and the next one is well."""
    async with street.caller() as caller:
        await caller.asks(b"hello")
        street.proxy.reset()
        assert await caller.error() == ECONNRESET
    await street.echo.until(ends=1)
    assert street.echo.ends == ["broken"]

    async with street.caller() as caller:
        assert await caller.asks(b"again") == b"AGAIN"


async def test_a_status_waits_for_somebody_who_asks(street: Street):
    """Who comes and goes without a word, as a pool of connections may, ends nothing."""
    street.proxy.answer_next(503)
    async with street.caller():
        pass

    async with street.caller() as caller:
        assert await caller.asks(b"GET / HTTP/1.1") == b"HTTP/1.1 503 Fault\r"
    async with street.caller() as caller:
        assert await caller.asks(b"again") == b"AGAIN"


async def test_a_black_hole_before_the_place_lets_no_request_through(street: Street):
    """It arrives when the hole closes."""
    async with street.caller() as caller:
        await caller.asks(b"before")
        street.proxy.requests.hold()
        await caller.say(b"lost?")
        with anyio.move_on_after(0.05) as patience:
            await caller.hear()
        assert patience.cancelled_caught
        assert street.echo.got == [b"before"]

        street.proxy.heal()
        assert await caller.hear() == b"LOST?"


async def test_a_black_hole_behind_the_place_keeps_only_the_answers(street: Street):
    """What was held back when the connection broke, is lost."""
    async with street.caller() as caller:
        street.proxy.replies.hold()
        await caller.say(b"done")
        await street.echo.until(got=1)
        street.proxy.replies.release()
        street.proxy.reset()

        assert await caller.error() == ECONNRESET
    assert street.echo.got == [b"done"]


async def test_latency_delays_and_does_not_slow_down(street: Street):
    """A hundred lines sent at once come a fifth of a second later, not twenty seconds."""
    street.proxy.requests.latency_s = 0.2
    async with street.caller() as caller:
        began = anyio.current_time()
        for number in range(100):
            await caller.say(b"%d" % number)
        answers = [await caller.hear() for _ in range(100)]

    assert answers == [b"%d" % number for number in range(100)]
    assert anyio.current_time() - began >= 0.2


async def test_throttled_it_takes_its_time(street: Street):
    """So many bytes a second, and no byte is changed."""
    street.proxy.replies.bytes_per_s = 50_000
    async with street.caller() as caller:
        began = anyio.current_time()
        assert await caller.asks(b"x" * 10_000) == b"X" * 10_000

    assert anyio.current_time() - began >= 0.2


@pytest.mark.parametrize("pieces", [1, 3])
async def test_an_answer_is_cut_after_certain_bytes(street: Street, pieces: int):
    """However they come, what precedes them has arrived, and nothing that follows them."""
    street.proxy.replies.cut_after(b"CUT HERE")
    if pieces > 1:
        street.proxy.replies.bytes_per_s = 200  # four bytes at a time
    async with street.caller() as caller:
        await caller.say(b"before cut here after")
        with pytest.raises(anyio.BrokenResourceError):
            await caller.hear()
        assert caller._lines.buffer == b"BEFORE CUT HERE"

    async with street.caller() as caller:
        assert await caller.asks(b"cut here") == b"CUT HERE"


async def test_a_request_is_carried_out_and_its_answer_lost(street: Street):
    """Only that one; the connection breaks at the moment of the answer."""
    street.proxy.lose_answer_to(b"secret")
    async with street.caller() as caller, street.caller() as other:
        assert await caller.asks(b"harmless") == b"HARMLESS"
        await caller.say(b"the secret thing")
        assert await caller.error() == ECONNRESET
        assert await other.asks(b"the secret thing") == b"THE SECRET THING"

    assert street.echo.got == [b"harmless", b"the secret thing", b"the secret thing"]
    assert street.proxy.requests.marks == []


async def test_a_place_may_listen_in_the_file_system(tmp_path: Path):
    """As PostgreSQL does."""
    echo = Echo()
    async with await anyio.create_unix_listener(tmp_path / "place") as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo.serve)
            async with FaultyProxy.before_socket(tmp_path / "place") as proxy:
                async with Street(echo, proxy).caller() as caller:
                    assert await caller.asks(b"hello") == b"HELLO"
                    proxy.reset()
                    assert await caller.error() == ECONNRESET
            tasks.cancel_scope.cancel()


async def test_refusing_it_resets_whoever_comes(street: Street):
    """As does a place that is not there."""
    street.proxy.refuses = True
    async with street.caller() as caller:
        assert await caller.error() == ECONNRESET
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with FaultyProxy("127.0.0.1", nobody.getsockname()[1]) as proxy:
            async with await anyio.connect_tcp("127.0.0.1", proxy.port) as stream:
                with pytest.raises(anyio.BrokenResourceError):
                    await stream.receive()
