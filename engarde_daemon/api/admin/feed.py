"""Everyone who watches this daemon, and what they are shown.

All of them share the newest snapshot and a window of the newest events, each encoded once. Who
watches is no more than a place in that window: whoever falls out of it is told that they missed
something, and whoever does not read at all is cut off by the wire. So nobody who watches costs
memory, and nobody is waited for.
"""

import re
from collections import deque
from collections.abc import Sequence

import anyio
import msgspec

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.protocol import FeedEvent, FrameKind, Missed, Snapshot

WATCHERS_MAX = 50
WINDOW_EVENTS = 2_000
_FELL_BEHIND = "you were too far behind"
_OTHER_LIFE = "the daemon was started again meanwhile"

_NUMBER = re.compile(r"[0-9]{1,18}")
_JSON = msgspec.json.Encoder()


class _Told(msgspec.Struct, frozen=True):
    number: int
    text: bytes


class Feed:
    """The `FeedAudience` port; `run` is part of every event's id and another in each life."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._window: deque[_Told] = deque(maxlen=WINDOW_EVENTS)
        self._number = 0
        self._snapshots = 0
        self._snapshot = b""
        self._news = anyio.Event()
        self.watchers = 0
        """How many watch now."""

    def enter(self) -> None:
        """Take one of the places that there are for those who watch.

        Raises:
            Unavailable: All are taken.
        """
        if self.watchers >= WATCHERS_MAX:
            raise Unavailable("As many watch this daemon as it can serve.", after_s=5.0)
        self.watchers += 1

    def exit(self) -> None:
        """Give the place back."""
        self.watchers -= 1

    def tell(self, events: Sequence[FeedEvent]) -> None:
        """See `FeedAudience.tell`."""
        for event in events:
            self._number += 1
            head = f"id: {self._run}.{self._number}\n".encode()
            self._window.append(_Told(self._number, head + _frame(FrameKind.EVENT, event)))
        if events:
            self._wake()

    def miss(self, why: str) -> None:
        """See `FeedAudience.miss`."""
        self._number += 1
        missed = _frame(FrameKind.MISSED, Missed(count=None, why=why))
        self._window.append(_Told(self._number, missed))
        self._wake()

    def show(self, snapshot: Snapshot) -> None:
        """See `FeedAudience.show`."""
        self._snapshots += 1
        self._snapshot = _frame(FrameKind.SNAPSHOT, snapshot)
        self._wake()

    def watch(self, last_event_id: str | None) -> "Watcher":
        """Watch from now on, or from after an event of this life or, with a gap, of another."""
        if not last_event_id:
            return Watcher(self, self._number, b"")
        run, _, number = last_event_id.rpartition(".")
        if run == self._run and _NUMBER.fullmatch(number) and int(number) <= self._number:
            return Watcher(self, int(number), b"")
        missed = _frame(FrameKind.MISSED, Missed(count=None, why=_OTHER_LIFE))
        return Watcher(self, 0, missed)

    def after(self, place: int) -> tuple[bytes, int]:
        """The events after a place, and the place after them; those that are gone are counted."""
        if place == self._number:
            return b"", place
        newer = [told for told in self._window if told.number > place]
        gone = newer[0].number - place - 1
        missed = _frame(FrameKind.MISSED, Missed(count=gone, why=_FELL_BEHIND)) if gone else b""
        return missed + b"".join(told.text for told in newer), self._number

    def newest(self, seen: int) -> tuple[bytes, int]:
        """The newest snapshot, unless it was seen; and which one that is."""
        return (b"" if seen == self._snapshots else self._snapshot), self._snapshots

    async def change(self) -> None:
        """Wait until there is something new."""
        await self._news.wait()

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()


class Watcher:
    """One place in the feed."""

    def __init__(self, feed: Feed, place: int, opening: bytes) -> None:
        self._feed = feed
        self._place = place
        self._opening = opening
        self._seen = 0

    def take(self) -> bytes:
        """Everything that is new to this one: events first, then the snapshot that knows of them."""
        events, self._place = self._feed.after(self._place)
        snapshot, self._seen = self._feed.newest(self._seen)
        opening, self._opening = self._opening, b""
        return opening + events + snapshot


def _frame(kind: FrameKind, data: msgspec.Struct) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _JSON.encode(data))
