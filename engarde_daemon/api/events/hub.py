"""Everyone who listens to this daemon.

All listeners of a tenant share one channel: the newest events, each encoded once, in a window that
is bounded in bytes. A listener is no more than a place in that window. Who falls out of it has
stopped reading: their connection is cut, so that they neither hold memory nor miss anything
unnoticed, for they can resume after the last event they got.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.events import Event, wants
from engarde_daemon.ports.events import EventReader, Placed

WOKEN_AT_ONCE = 32


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of a tenant a listener wants and may see; None stands for all."""

    types: Collection[str] | None = None
    brand_ids: Collection[str] | None = None

    def covers(self, event: Event) -> bool:
        """Whether an event is among them; one without a brand concerns the whole tenant."""
        if self.types is not None and not wants(self.types, event.type):
            return False
        return self.brand_ids is None or event.brand_id is None or event.brand_id in self.brand_ids


class Frame(msgspec.Struct, frozen=True):
    """One event as all its listeners get it."""

    position: int
    event: Event
    text: bytes


def frame_of(placed: Placed) -> Frame:
    """Put an event in the form of https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    event = placed.event
    head = f"id: {placed.position}\nevent: {event.type}\ndata: ".encode()
    return Frame(placed.position, event, head + event.document() + b"\n\n")


class Channel:
    """The newest events of one tenant, for all who listen to it."""

    def __init__(self, position: int, *, window_bytes: int) -> None:
        self.position = position
        self.listeners: set[Listener] = set()
        self.closed = False
        self._window_bytes = window_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def after(self, place: int) -> list[Frame]:
        """The events after a place that is in the window."""
        newer = []
        for frame in reversed(self._frames):
            if frame.position <= place:
                break
            newer.append(frame)
        return newer[::-1]

    def extend(self, events: Sequence[Placed]) -> int:
        """Add events, and cut off who can no longer get all of them; answers with how many."""
        reach = 0
        for placed in events:
            if placed.position > self.position:
                frame = frame_of(placed)
                self._frames.append(frame)
                self._bytes += len(frame.text)
                self.position = frame.position
        while self._bytes > self._window_bytes and len(self._frames) > 1:
            dropped = self._frames.popleft()
            self._bytes -= len(dropped.text)
            reach = dropped.position
        slow = [listener for listener in self.listeners if listener.place < reach]
        for listener in slow:
            listener.cut_off()
        return len(slow)

    async def wake(self) -> None:
        """Have all listeners look, a few at a time, so that others get the loop in between."""
        for number, listener in enumerate(tuple(self.listeners), start=1):
            listener.wake()
            if number % WOKEN_AT_ONCE == 0:
                await checkpoint()
        await checkpoint()


class Listener:
    """One place in a channel."""

    def __init__(self, channel: Channel, interest: Interest, cut: Callable[[], None]) -> None:
        self.place = channel.position
        self._channel = channel
        self._interest = interest
        self._cut = cut
        self._news = anyio.Event()
        channel.listeners.add(self)

    async def wait(self) -> bool:
        """Wait for news; false when there will be none, because the daemon stops."""
        while not self._channel.closed:
            if self._channel.position > self.place:
                return True
            self._news = anyio.Event()
            await self._news.wait()
        return False

    def take(self) -> bytes:
        """Everything new that this listener wants."""
        frames = self._channel.after(self.place)
        if frames:
            self.place = frames[-1].position
        return b"".join(frame.text for frame in frames if self._interest.covers(frame.event))

    def wake(self) -> None:
        """Have it look again."""
        self._news.set()

    def cut_off(self) -> None:
        """End it, because it has stopped reading."""
        self._channel.listeners.discard(self)
        self._cut()

    def leave(self) -> None:
        """Give the place up."""
        self._channel.listeners.discard(self)


class Hub:
    """The `Audience` port: the channels of all tenants that somebody listens to."""

    def __init__(self, reader: EventReader, *, listeners_max: int, window_bytes: int) -> None:
        self._reader = reader
        self._listeners_max = listeners_max
        self._window_bytes = window_bytes
        self._channels: dict[str, Channel] = {}
        self.closed = False
        self.listeners = 0
        """How many listen now."""
        self.cut_off = 0
        """How many were cut off so far because they did not read."""

    def places(self) -> Mapping[str, int]:
        """See `Audience.places`."""
        return {tenant_id: channel.position for tenant_id, channel in self._channels.items()}

    async def tell(self, tenant_id: str, events: Sequence[Placed]) -> None:
        """See `Audience.tell`."""
        channel = self._channels.get(tenant_id)
        if channel is not None:
            self.cut_off += channel.extend(events)
            await channel.wake()

    def enter(self) -> None:
        """Take one of the places that there are for listeners.

        Raises:
            Unavailable: All are taken, or the daemon stops.
        """
        if self.closed or self.listeners >= self._listeners_max:
            raise Unavailable("This daemon has as many listeners as it can serve.", after_s=5.0)
        self.listeners += 1

    def exit(self) -> None:
        """Give the place back."""
        self.listeners -= 1

    async def join(
        self, tenant_id: str, interest: Interest, *, cut: Callable[[], None]
    ) -> Listener:
        """Listen to a tenant from now on; `cut` is called when the listener has stopped reading.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        if tenant_id not in self._channels:
            bounds = await self._reader.bounds(tenant_id)
            fresh = Channel(bounds.last, window_bytes=self._window_bytes)
            fresh.closed = self.closed
            self._channels.setdefault(tenant_id, fresh)
        return Listener(self._channels[tenant_id], interest, cut)

    def leave(self, tenant_id: str, listener: Listener) -> None:
        """Listen no more; a channel nobody listens to is let go."""
        listener.leave()
        channel = self._channels.get(tenant_id)
        if channel is not None and not channel.listeners:
            del self._channels[tenant_id]

    def open(self) -> None:
        """Let listeners in."""
        self.closed = False

    def close(self) -> None:
        """End all streams, because the daemon stops."""
        self.closed = True
        for channel in self._channels.values():
            channel.closed = True
            for listener in channel.listeners:
                listener.wake()
