"""The way to one listener, from the first byte to the last: bounded in time and bytes.

Owns what every stream has in common. A chunk that is not taken in time ends it, for a listener is cut
off rather than waited for; so does a caller whose key or token is no longer good, or who goes.
"""

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import msgspec
from anyio.lowlevel import checkpoint
from litestar.types import Receive, Scope, Send

from engarde_daemon.domain.errors import Unavailable

BUFFER_BYTES = 65_536
HANG_UP_S = 1.0
END: Any = {"type": "http.response.body", "body": b"", "more_body": False}
"""The last message of a stream that ends in good order."""


IsAdmitted = Callable[[], Awaitable[bool]]
"""Whether a caller still is who they were when they came."""


class StreamRules(msgspec.Struct, frozen=True, kw_only=True):
    """How often a quiet stream gives a sign of life, a caller is looked at, and a stall ends it."""

    heartbeat_s: float = 15.0
    recheck_s: float = 15.0
    stall_s: float = 30.0


class Line(msgspec.Struct, frozen=True):
    """The connection of one request, as ASGI gives it."""

    scope: Scope
    receive: Receive
    send: Send


class Wire:
    """The way to the listener, cut when nothing gets through any more."""

    def __init__(self, send: Send, life: anyio.CancelScope, stall_s: float) -> None:
        self._send = send
        self._life = life
        self._stall_s = stall_s

    async def send(self, chunk: bytes) -> None:
        """Send a chunk; an empty one is none."""
        if not chunk:
            return
        try:
            with anyio.fail_after(self._stall_s):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            self.cut()
            await checkpoint()

    def cut(self) -> None:
        """End the connection without another word."""
        self._life.cancel()


async def stream(
    line: Line,
    start: Any,
    live: Callable[[Wire], Awaitable[None]],
    *,
    is_admitted: IsAdmitted,
    rules: StreamRules,
) -> None:
    """Answer with what `live` sends, until it returns, is cut off, or its listener goes."""
    _bound_buffer(line.scope)
    await line.send(start)
    with anyio.CancelScope() as life:
        wire = Wire(line.send, life, rules.stall_s)
        async with anyio.create_task_group() as tasks:
            end = tasks.cancel_scope.cancel
            tasks.start_soon(_watch_admission, is_admitted, rules.recheck_s, end)
            tasks.start_soon(_watch_departure, line.receive, end)
            await live(wire)
            end()
    if life.cancelled_caught:
        await _hang_up(line.scope, line.receive)
    else:
        await line.send(END)


async def _watch_admission(
    is_admitted: IsAdmitted, recheck_s: float, end: Callable[[], None]
) -> None:
    admitted = True
    while admitted:
        await anyio.sleep(recheck_s)
        with suppress(Unavailable):  # who was admitted stays so while that cannot be told
            admitted = await is_admitted()
    end()


async def _watch_departure(receive: Receive, end: Callable[[], None]) -> None:
    await _departure(receive)
    end()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _bound_buffer(scope: Scope) -> None:
    """Keep the kernel from queueing megabytes for someone who does not read."""
    connection = scope["state"].get("connection")
    if connection is not None:
        wire = connection.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Drop the connection with all that is queued for it, and wait until the server knows."""
    connection = scope["state"].get("connection")
    if connection is not None:
        connection.abort()
        with anyio.move_on_after(HANG_UP_S):
            await _departure(receive)
