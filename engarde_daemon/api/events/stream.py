"""The events of one listener: from where they want to go on, and nothing left out in between.

Owns what is told of events that are gone already, and that the daemon's stop ends a stream before
anything else.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import msgspec
from litestar.types import Receive, Scope, Send

from engarde_daemon.api.events.hub import Frame, Hub, Interest, Listener, frame_of
from engarde_daemon.api.events.wire import IsAdmitted, Line, StreamRules, Wire, stream
from engarde_daemon.domain.errors import FieldError, Invalid, Rejected, Unavailable
from engarde_daemon.ports.events import EventReader, Placed

EVENTS_PER_READ = 64
RETRY_MS = 2000

# A comment and a field of their own; an empty line would end an event that is none.
_OPENING = b": listening\nretry: %d\n" % RETRY_MS
_HEARTBEAT = b": heartbeat\n"
_NO_SUCH_PLACE = "is not an id of this stream; start without one"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The events that a listener missed for good."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Who listens to what; `after` is the last event they have, None if they want new ones only."""

    tenant_id: str
    interest: Interest
    after: int | None
    is_admitted: IsAdmitted


class EventStream:
    """An ASGI application that answers one request."""

    def __init__(
        self, subscription: Subscription, *, hub: Hub, reader: EventReader, rules: StreamRules
    ) -> None:
        self._subscription = subscription
        self._tenant_id = subscription.tenant_id
        self._hub = hub
        self._reader = reader
        self._rules = rules
        self._place = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the listener goes, is cut off, or the daemon stops.

        Raises:
            Unavailable: There is no room for another listener, or PostgreSQL does not answer.
            Invalid: The listener wants to go on after an event that never was.
        """
        self._hub.enter()
        try:
            opening = await self._open()
            await stream(
                Line(scope, receive, send),
                self._start(),
                partial(self._live, opening),
                is_admitted=self._subscription.is_admitted,
                rules=self._rules,
            )
        finally:
            self._hub.exit()

    async def _open(self) -> bytes:
        """Find the place to start from; events that are gone already are named, not passed over."""
        bounds = await self._reader.bounds(self._tenant_id)
        wanted = self._subscription.after
        self._place = bounds.last if wanted is None else max(wanted, bounds.first - 1)
        if self._place > bounds.last:
            raise Invalid([FieldError("last_event_id", _NO_SUCH_PLACE)])
        if wanted is None or wanted == self._place:
            return _OPENING
        gap = msgspec.json.encode(Gap(first=wanted + 1, last=self._place))
        return _OPENING + b"event: stream.gap\ndata: " + gap + b"\n\n"

    def _start(self) -> Any:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"last-event-id", str(self._place).encode()),
        ]
        return {"type": "http.response.start", "status": 200, "headers": headers}

    async def _live(self, opening: bytes, wire: Wire) -> None:
        with suppress(Unavailable):  # they come again, and go on where they are
            await wire.send(opening)
            await self._pump(wire)

    async def _pump(self, wire: Wire) -> None:
        await self._catch_up(wire)
        listener = await self._hub.join(self._tenant_id, self._subscription.interest, cut=wire.cut)
        try:
            await self._catch_up(wire)  # what came while nobody listened for them
            listener.place = max(listener.place, self._place)
            while await self._hear(listener, wire):
                await wire.send(listener.take())
        finally:
            self._hub.leave(self._tenant_id, listener)

    async def _catch_up(self, wire: Wire) -> None:
        """Send what the log has after the listener's place, a page at a time."""
        while not self._hub.closed:
            found = await self._reader.after({self._tenant_id: self._place}, most=EVENTS_PER_READ)
            events = found.get(self._tenant_id, [])
            await wire.send(b"".join(frame.text for frame in self._wanted(events)))
            if events:
                self._place = events[-1].position
            if len(events) < EVENTS_PER_READ:
                return

    def _wanted(self, events: list[Placed]) -> list[Frame]:
        interest = self._subscription.interest
        return [frame_of(placed) for placed in events if interest.covers(placed.event)]

    async def _hear(self, listener: Listener, wire: Wire) -> bool:
        with anyio.move_on_after(self._rules.heartbeat_s):
            return await listener.wait()
        await wire.send(_HEARTBEAT)
        return True


def admission(
    authenticate: Callable[[Any], Awaitable[Any]], headers: Any, caller: Any
) -> IsAdmitted:
    """Whether a caller still is who they were when they came."""

    async def is_admitted() -> bool:
        try:
            return bool(await authenticate(headers) == caller)
        except Rejected:
            return False

    return is_admitted
