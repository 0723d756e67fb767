"""The way to one listener: bounded in time and bytes, and cut off rather than waited for."""

import socket
from collections.abc import Callable
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from litestar.types import Receive, Scope, Send

BUFFER_BYTES = 65_536
HANG_UP_S = 1.0
END: Any = {"type": "http.response.body", "body": b"", "more_body": False}
"""The last message of a stream that ends in good order."""


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


async def watch_departure(receive: Receive, end: Callable[[], None]) -> None:
    """Call `end` when the listener goes."""
    await _departure(receive)
    end()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def bound_buffer(scope: Scope) -> None:
    """Keep the kernel from queueing megabytes for someone who does not read."""
    connection = scope["state"].get("connection")
    if connection is not None:
        wire = connection.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Drop the connection with all that is queued for it, and wait until the server knows."""
    connection = scope["state"].get("connection")
    if connection is not None:
        connection.abort()
        with anyio.move_on_after(HANG_UP_S):
            await _departure(receive)
