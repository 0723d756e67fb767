"""A client of the operators' feed, as a dashboard is one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import httpx

from engarde_daemon.protocol import FeedEvent, FeedFrame, Missed, Snapshot, read_frame
from tests.support.patience import PATIENCE_S


class Watch:
    """An open feed."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self.last_event_id = ""
        self._lines = lines

    async def next(self) -> FeedFrame:
        """The next frame.

        Raises:
            EndOfStream: The daemon ended the feed.
        """
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                break
        else:
            raise anyio.EndOfStream
        self.last_event_id = fields.get("id", self.last_event_id)
        frame = read_frame(fields["event"], fields["data"])
        assert frame is not None
        return frame

    async def snapshot(self, such: Callable[[Snapshot], bool] = lambda _: True) -> Snapshot:
        """The next snapshot of this kind."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                frame = await self.next()
                if isinstance(frame, Snapshot) and such(frame):
                    return frame

    async def event(self, such: Callable[[FeedEvent], bool]) -> FeedEvent:
        """The next event of this kind."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                frame = await self.next()
                assert not isinstance(frame, Missed), frame
                if isinstance(frame, FeedEvent) and such(frame):
                    return frame


@asynccontextmanager
async def watch(http: httpx.AsyncClient, *, after: str = "") -> AsyncIterator[Watch]:
    """Watch, from after an event if one is given."""
    headers = {"Last-Event-ID": after} if after else {}
    timeout = httpx.Timeout(PATIENCE_S, read=None)
    async with http.stream("GET", "/api/admin/feed", headers=headers, timeout=timeout) as response:
        assert response.status_code == 200, await response.aread()
        yield Watch(response.aiter_lines())
