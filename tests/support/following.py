"""A client of the event stream, as the specification of server-sent events describes one.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import msgspec

from tests.support.patience import PATIENCE_S


class Told(msgspec.Struct, frozen=True):
    """One event as it came."""

    position: int
    type: str
    document: dict[str, Any]


class Stream:
    """An open stream."""

    def __init__(self, response: httpx.Response, lines: AsyncIterator[str]) -> None:
        self.response = response
        self._lines = lines

    @property
    def began_after(self) -> int:
        """The event after which it goes on."""
        return int(self.response.headers["Last-Event-ID"])

    async def next(self, within_s: float = PATIENCE_S) -> Told:
        """The next event.

        Raises:
            EndOfStream: The daemon ended the stream.
        """
        fields: dict[str, str] = {}
        with anyio.fail_after(within_s):
            async for line in self._lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    break
            else:
                raise anyio.EndOfStream
        return Told(int(fields.get("id", 0)), fields["event"], json.loads(fields["data"]))

    async def beats(self, count: int) -> None:
        """Wait for so many signs of life, with no event among them.

        Raises:
            EndOfStream: The daemon ended the stream.
        """
        with anyio.fail_after(PATIENCE_S):
            async for line in self._lines:
                assert line.startswith((":", "retry:")) or not line, line
                count -= line == ": heartbeat"
                if not count:
                    return
        raise anyio.EndOfStream

    async def take(self, count: int) -> list[Told]:
        """The next few events."""
        return [await self.next() for _ in range(count)]

    async def ends(self) -> list[Told]:
        """Everything until the daemon ends the stream."""
        told = []
        try:
            while True:
                told.append(await self.next())
        except (anyio.EndOfStream, httpx.TransportError):
            return told


@asynccontextmanager
async def follow(
    http: httpx.AsyncClient, *, after: int | None = None, **params: Any
) -> AsyncIterator[Stream]:
    """Listen, after an event if one is given."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    timeout = httpx.Timeout(PATIENCE_S, read=None)
    async with http.stream(
        "GET", "/api/events", params=params, headers=headers, timeout=timeout
    ) as response:
        assert response.status_code == 200, (await response.aread()).decode()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response, response.aiter_lines())
