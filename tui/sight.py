"""What the dashboard knows at a moment, put together from the news.

Owns the bounds of its memory: so many events, so many seconds of rates, and nothing else, however
long it stays open; and the judgement whether that is of now: a daemon that answers and yet tells
nothing new is as good as lost. It draws nothing and waits for nothing.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from engarde_daemon.protocol import (
    ActorView,
    BacklogView,
    DaemonView,
    FeedEvent,
    Missed,
    Severity,
    Snapshot,
    StoreView,
)
from tui.feed import OPERATOR, READ_ONLY, Linked, Lost, News

EVENTS_MAX = 2000
HISTORY_S = 300
SILENT_AFTER_S = 10.0


class Sight:
    """The last snapshot, what led to it, and how the connection is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told_at = clock()
        self._is_silent = False
        self.snapshot: Snapshot | None = None
        self.link: Linked | Lost | None = None
        self.read_only: str = ""
        self.events: deque[FeedEvent] = deque(maxlen=EVENTS_MAX)
        self.reads: deque[float] = deque(maxlen=HISTORY_S)
        self.writes: deque[float] = deque(maxlen=HISTORY_S)
        self.errors: deque[float] = deque(maxlen=HISTORY_S)
        self.backlogs: dict[str, deque[float]] = {}
        self.revision = 0
        """Grows with every piece of news, so that nothing is drawn twice."""

    @property
    def is_linked(self) -> bool:
        """Whether the daemon answers."""
        return isinstance(self.link, Linked)

    @property
    def trouble(self) -> str:
        """Why what is known is not of now; empty where it is, or nothing is known yet."""
        match self.link:
            case Lost(why=why):
                return f"There is no news from the daemon: {why}."
            case Linked() if self._is_silent:
                return "The daemon answers, but tells nothing new."
        return ""

    @property
    def actors(self) -> Sequence[ActorView]:
        """The actors of the daemon it is attached to."""
        return self.snapshot.daemon.actors if self.snapshot else ()

    @property
    def daemons(self) -> Sequence[DaemonView]:
        """All daemons, the one it is attached to first."""
        return (self.snapshot.daemon, *self.snapshot.others) if self.snapshot else ()

    def store(self, name: str) -> StoreView | None:
        """One of the stores."""
        stores = self.snapshot.stores if self.snapshot else ()
        return next((store for store in stores if store.name == name), None)

    def queue(self, name: str) -> BacklogView | None:
        """What waits for one destination."""
        waiting = self.snapshot.backlog if self.snapshot else ()
        return next((queue for queue in waiting if queue.queue == name), None)

    def take(self, news: News) -> None:
        """Know this, too."""
        self.revision += 1
        match news:
            case Linked():
                self.link = news
                self._told_at = self._clock()
                self.read_only = READ_ONLY if news.role not in (None, OPERATOR) else ""
            case Lost():
                self.link = news
            case Snapshot():
                self._take_snapshot(news)
            case FeedEvent():
                self.events.append(news)
            case Missed():
                self.events.append(self._gap(news))

    def watch(self) -> None:
        """Know that time has passed."""
        is_silent = self.is_linked and self._clock() - self._told_at > SILENT_AFTER_S
        if is_silent != self._is_silent:
            self.revision += 1
            self._is_silent = is_silent

    def forbid(self) -> None:
        """Know that the key may only read."""
        self.revision += 1
        self.read_only = READ_ONLY

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        if self.snapshot is None or snapshot.at != self.snapshot.at:
            self._told_at = self._clock()
        self.snapshot = snapshot
        self.reads.append(snapshot.rates.reads_per_s)
        self.writes.append(snapshot.rates.writes_per_s)
        self.errors.append(snapshot.rates.errors_per_s)
        for backlog in snapshot.backlog:
            history = self.backlogs.setdefault(backlog.queue, deque(maxlen=HISTORY_S))
            history.append(backlog.rows)

    def _gap(self, missed: Missed) -> FeedEvent:
        number = "Some" if missed.count is None else f"{missed.count:,}"
        return FeedEvent(
            at=self._now(),
            source="dashboard",
            type="feed.events.missed",
            severity=Severity.WARNING,
            text=f"{number} events were not told here: {missed.why}",
        )

    def _now(self) -> datetime:
        if self.snapshot is not None:
            return self.snapshot.at
        return datetime.now().astimezone()
