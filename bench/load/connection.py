"""One keep-alive connection: writes a request, waits for the whole answer, writes the next.

It reads no more of an answer than the status and `content-length`; a server that answers in
chunks is refused loudly, because guessing the end of an answer would spoil every latency.
"""

import asyncio
from collections.abc import Iterator
from time import perf_counter_ns
from typing import cast

from bench.load.pace import Pace
from bench.load.tally import Tally

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class UnreadableAnswerError(Exception):
    """The server answered with something other than HTTP/1.1 and a content-length."""


def head_of(answer: bytes) -> tuple[int, int, int] | None:
    """The status, the length of the head and of the body; None while the head is incomplete.

    Raises:
        UnreadableAnswerError: The head names no content-length.
    """
    end = answer.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = answer[:end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise UnreadableAnswerError(f"no content-length in {head[:200]!r}")
    length = head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]
    return int(head[9:12]), end + len(_END_OF_HEAD), int(length)


class Connection(asyncio.Protocol):
    """Keeps exactly one request in flight until the tally is full or the requests have run out."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, pace: Pace | None = None) -> None:
        self._requests = requests
        self._tally = tally
        self._pace = pace
        self._transport: asyncio.Transport
        self._head = b""
        self._body: list[bytes] = []
        self._missing = 0
        self._status = 0
        self._sent_ns = 0
        self._is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transports do not derive from asyncio's (0.23), so isinstance cannot tell.
        self._transport = cast("asyncio.Transport", transport)
        self._go_on()

    def _go_on(self) -> None:
        """Send the next request: at once, or when it is due."""
        now_ns = perf_counter_ns()
        due_ns = self._pace.next_ns() if self._pace else now_ns
        if due_ns <= now_ns:
            self._send(due_ns)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later((due_ns - now_ns) / 1e9, self._send)

    def _send(self, since_ns: int | None = None) -> None:
        request = None if self._tally.is_full else next(self._requests, None)
        if request is None:
            self._is_done = True
            self._transport.close()
            return
        self._sent_ns = since_ns or perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Count the answer down, and go on with the next request when it is complete."""
        if not self._missing:
            data = self._read_head(data)
            if not self._status:
                return
        self._missing -= len(data)
        if self._tally.collects_ids:
            self._body.append(data)
        if self._missing == 0:
            self._finish()

    def _read_head(self, data: bytes) -> bytes:
        answer = self._head + data if self._head else data
        found = head_of(answer)
        if found is None:
            self._head = answer
            return b""
        self._head = b""
        self._status, start, self._missing = found
        return answer[start:]

    def _finish(self) -> None:
        self._tally.answered(self._status, perf_counter_ns() - self._sent_ns, self._body)
        self._status = 0
        self._body.clear()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the tally; a connection lost before the end is an error of the run."""
        self._tally.closed_one(None if self._is_done else exc or ConnectionError())
