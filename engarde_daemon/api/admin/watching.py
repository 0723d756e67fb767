"""One watcher's connection, from the first byte to the last."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import msgspec
from litestar.types import Receive, Scope, Send

from engarde_daemon.api.admin.feed import Feed, Watcher
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import END, Wire, bound_buffer, hang_up, watch_departure
from engarde_daemon.domain.errors import Unavailable

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


class WatchRules(msgspec.Struct, frozen=True, kw_only=True):
    """How often a quiet feed gives a sign of life, a caller is looked at, and a stall ends it."""

    heartbeat_s: float = 2.0
    recheck_s: float = 15.0
    stall_s: float = 5.0


class FeedStream:
    """An ASGI application that answers one request."""

    def __init__(
        self,
        watcher: Watcher,
        *,
        feed: Feed,
        hub: Hub,
        is_admitted: Callable[[], Awaitable[bool]],
        look_now: Callable[[], None],
        rules: WatchRules,
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
                await self._stream(scope, receive, send)
            finally:
                self._feed.exit()
        finally:
            self._hub.exit()

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        bound_buffer(scope)
        await send(_START)
        with anyio.CancelScope() as life:
            await self._live(receive, Wire(send, life, self._rules.stall_s))
        if life.cancelled_caught:
            await hang_up(scope, receive)
        else:
            await send(END)

    async def _live(self, receive: Receive, wire: Wire) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_admission, tasks.cancel_scope.cancel)
            tasks.start_soon(watch_departure, receive, tasks.cancel_scope.cancel)
            await wire.send(_OPENING)
            self._look_now()
            while not self._hub.closed:
                if chunk := self._watcher.take():
                    await wire.send(chunk)
                elif not await self._hear():
                    await wire.send(_HEARTBEAT)
            tasks.cancel_scope.cancel()

    async def _hear(self) -> bool:
        with anyio.move_on_after(self._rules.heartbeat_s):
            await self._feed.change()
            return True
        return False

    async def _watch_admission(self, end: Callable[[], None]) -> None:
        admitted = True
        while admitted:
            await anyio.sleep(self._rules.recheck_s)
            with suppress(Unavailable):  # who was admitted stays so while that cannot be told
                admitted = await self._is_admitted()
        end()
