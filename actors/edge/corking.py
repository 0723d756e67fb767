"""A connection whose small writes of one turn of the event loop leave as one.

uvicorn 0.54 writes an answer's headers and its body apart; each write is a system call, and on one
machine the largest single cost of a small request.
"""

from asyncio import Transport
from collections.abc import Callable
from typing import Any

GATHERED_MAX = 65_536
"""Bytes; what is more leaves at once, so that the connection's own bound on them holds."""

Later = Callable[[Callable[[], None]], object]


class Corked:
    """A transport that gathers what is written until the loop's next turn; all else is as it was.

    `later` is the loop's `call_soon`, and `wrote` hears how many bytes have left. The order of what is
    written stays, and nothing is held back when the connection is closed; an abort throws away what
    waits, as it does below.
    """

    __slots__ = ("_later", "_size", "_transport", "_waiting", "_wrote")

    def __init__(self, transport: Transport, later: Later, wrote: Callable[[int], None]) -> None:
        self._transport = transport
        self._later = later
        self._wrote = wrote
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        """Whatever else a transport can do."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send with everything else of this turn."""
        if not self._waiting:
            self._later(self._flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > GATHERED_MAX:
            self._flush()

    def close(self) -> None:
        """Send what waits, then hang up."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Hang up."""
        self._waiting.clear()
        self._transport.abort()

    def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():
            gathered = b"".join(waiting)
            self._transport.write(gathered)
            self._wrote(len(gathered))
