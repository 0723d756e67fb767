"""Callers who read no further, and whose connections are cut for it.

uvicorn 0.54 waits for ever until an answer is taken, or, once it was written, until the connection
has closed: whoever asks for much and reads nothing would hold its bytes, the connection, and all that
its route reads from. Owns what reading on means: in each half of `stall_s` all that waited at its
beginning is taken, or `TAKEN_MIN` bytes of it. So nobody who has stopped holds anything longer than
`stall_s`, and nobody is cut off for what was written a moment ago.

A byte is taken once the caller's system has acknowledged it. That the daemon's own system has room
for more says little, because it tells so in steps of megabytes.
"""

import sys
from array import array
from asyncio import Transport
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

TAKEN_MIN = 65_536

_LOG = structlog.get_logger("engarde.http")

Later = Callable[[float, Callable[[], None]], Any]


class Patience:
    """Watches one connection while something waits on it; `later` is the loop's `call_later`."""

    __slots__ = ("_goal", "_is_watching", "_later", "_look_every_s", "_transport", "_written")

    def __init__(self, transport: Transport, *, stall_s: float, later: Later) -> None:
        self._transport = transport
        self._look_every_s = stall_s / 2
        self._later = later
        self._written = 0
        self._goal = 0
        self._is_watching = False

    def wrote(self, size: int) -> None:
        """Count what was written, and watch from now on if it is not all gone."""
        self._written += size
        if not self._is_watching and self._transport.get_write_buffer_size():
            self._is_watching = True
            self._expect_more_than(self._taken())

    def _look(self) -> None:
        if not self._transport.get_write_buffer_size():
            self._is_watching = False
            return
        taken = self._taken()
        if taken < self._goal:
            _LOG.info("cut off a caller who reads no further", waiting=self._written - taken)
            self._transport.abort()
            return
        self._expect_more_than(taken)

    def _expect_more_than(self, taken: int) -> None:
        self._goal = min(self._written, taken + TAKEN_MIN)
        self._later(self._look_every_s, self._look)

    def _taken(self) -> int:
        waiting = self._transport.get_write_buffer_size() + _unacknowledged(self._transport)
        return self._written - waiting


def _unacknowledged(transport: Transport) -> int:
    """What waits in the system (https://man7.org/linux/man-pages/man7/tcp.7.html, SIOCOUTQ).

    Where there is no such question, it counts as taken.
    """
    wire = transport.get_extra_info("socket")
    waiting = array("i", [0])
    if sys.platform == "linux" and wire is not None:
        with suppress(OSError):
            ioctl(wire.fileno(), TIOCOUTQ, waiting)
    return waiting[0]
