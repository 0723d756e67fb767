"""One watcher's connection, from the first byte to the last."""

from collections.abc import Callable
from typing import Any

import anyio
from litestar.types import Receive, Scope, Send

from engarde_daemon.api.admin.feed import Feed, Watcher
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import IsAdmitted, Line, StreamRules, Wire, stream

_OPENING = b": watching\nretry: 1000\n"
_HEARTBEAT = b": heartbeat\n"
_START: Any = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}


RULES = StreamRules(heartbeat_s=2.0, recheck_s=15.0, stall_s=5.0)


class FeedStream:
    """An ASGI application that answers one request."""

    def __init__(
        self,
        watcher: Watcher,
        *,
        feed: Feed,
        hub: Hub,
        is_admitted: IsAdmitted,
        look_now: Callable[[], None],
        rules: StreamRules = RULES,
    ) -> None:
        self._watcher = watcher
        self._feed = feed
        self._hub = hub
        self._is_admitted = is_admitted
        self._look_now = look_now
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the watcher goes, is cut off, or the daemon stops.

        Raises:
            Unavailable: There is no room for another watcher.
        """
        self._hub.enter()
        try:
            self._feed.enter()
            try:
                await stream(
                    Line(scope, receive, send),
                    _START,
                    self._live,
                    is_admitted=self._is_admitted,
                    rules=self._rules,
                )
            finally:
                self._feed.exit()
        finally:
            self._hub.exit()

    async def _live(self, wire: Wire) -> None:
        await wire.send(_OPENING)
        self._look_now()
        while not self._hub.closed:
            if chunk := self._watcher.take():
                await wire.send(chunk)
            elif not await self._hear():
                await wire.send(_HEARTBEAT)

    async def _hear(self) -> bool:
        with anyio.move_on_after(self._rules.heartbeat_s):
            await self._feed.change()
            return True
        return False
