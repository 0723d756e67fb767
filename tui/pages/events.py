"""Events: everything that happened since the dashboard was opened, the newest on top."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from engarde_daemon.protocol import FeedEvent, Severity
from tui.feed import Feed
from tui.page import Page
from tui.sight import EVENTS_MAX, Sight
from tui.tone import Cell, Tone, signed
from tui.views import event_tone
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.table import Table
from tui.words import clean, clock, plural

_LEAST = {
    Severity.OK: frozenset(Severity),
    Severity.WARNING: frozenset({Severity.WARNING, Severity.FAULT}),
    Severity.FAULT: frozenset({Severity.FAULT}),
}
_LEAST_WORDS = {
    Severity.OK: "all of them",
    Severity.WARNING: "warnings and faults",
    Severity.FAULT: "faults only",
}


class Events(Page):
    """The log of what happened."""

    NAME = "events"
    HELP = (
        "Everything that the actors, the stores and the tenants did, live. The dashboard keeps the "
        f"newest {EVENTS_MAX:,}; the daemon's log keeps them all. Hold the list to read in peace: "
        "nothing is missed meanwhile."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Filter", key_display="/", tooltip="only those with a word"),
        Binding("l", "level", "Level", tooltip="all, warnings and faults, faults only"),
        Binding("h", "hold", "Hold", tooltip="hold the list still, or let it run"),
    ]
    AUTO_FOCUS = "#events"

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__(sight, feed)
        self._least = Severity.OK
        self._word = ""
        self._held: list[FeedEvent] | None = None

    def parts(self) -> Iterable[Widget]:
        """Filter, the list, and the event under the cursor in full."""
        with Horizontal(id="filters"):
            yield Input(placeholder="only with this word …", id="search", compact=True)
            yield Static("", id="levels", markup=False)
        yield Panel("Events", Table(_COLUMNS, key=_key, empty=_EMPTY, id="events", follows=True))
        yield Static("", id="detail", classes="panel detail", markup=False)

    def show(self) -> None:
        """Draw what passes the filter."""
        events = self._held if self._held is not None else list(reversed(self.sight.events))
        found = [event for event in events if self._passes(event)]
        nothing = _EMPTY if not events else "No event passes the filter."
        self.query_one(Table).show(found, empty=nothing)
        held = " · held" if self._held is not None else ""
        self.query_one("#levels", Static).update(f"{_LEAST_WORDS[self._least]}{held}")
        self.query_one(Panel).border_subtitle = plural(len(found), "event")
        self._tell()

    def action_search(self) -> None:
        """Type what to look for."""
        self.query_one("#search").focus()

    def action_level(self) -> None:
        """Change how grave an event must be."""
        order = list(_LEAST)
        self._least = order[(order.index(self._least) + 1) % len(order)]
        self.show()

    def action_hold(self) -> None:
        """Hold the list still, or let it run."""
        self._held = list(reversed(self.sight.events)) if self._held is None else None
        self.show()

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        self._word = event.value.strip().casefold()
        self.show()

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.query_one("#events").focus()

    @on(Table.Moved)
    def _tell(self) -> None:
        event: FeedEvent | None = self.query_one("#events", Table).chosen
        detail = self.query_one("#detail", Static)
        detail.border_title = event.type if event else ""
        detail.update(_words(event) if event else "")

    def _passes(self, event: FeedEvent) -> bool:
        if event.severity not in _LEAST[self._least]:
            return False
        if not self._word:
            return True
        return any(
            self._word in text.casefold()
            for text in (event.text, event.type, event.subject or "", event.tenant_id or "")
        )


_EMPTY = "Nothing has happened since the dashboard was opened."


def _key(event: FeedEvent) -> str:
    return f"{event.at.timestamp()} {event.type} {event.subject}"


def _words(event: FeedEvent) -> str:
    about = [f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}", event.source, event.subject or ""]
    if event.tenant_id and event.tenant_id != event.subject:
        about.append(f"tenant {event.tenant_id}")
    return f"{clean(event.text)}\n{clean(' · '.join(filter(None, about)))}"


_COLUMNS: list[Column[FeedEvent]] = [
    Column(title="", cell=lambda e: signed(event_tone(e)), width=1),
    Column(title="AT", cell=lambda e: Cell(clock(e.at), Tone.QUIET), width=8),
    Column(title="WHAT", cell=lambda e: Cell(e.text), width=24, grows=True),
    Column(title="TYPE", cell=lambda e: Cell(e.type, Tone.QUIET), width=26, rank=1),
    Column(title="ABOUT", cell=lambda e: Cell(e.subject or "", Tone.QUIET), width=20, rank=2),
]
