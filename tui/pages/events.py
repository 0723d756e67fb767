"""Events: everything that happened since the dashboard was opened, the newest on top."""

from collections.abc import Iterable

from engarde_daemon.protocol import FeedEvent, Severity
from tui.pages.chronicle import Chronicle
from tui.sight import EVENTS_MAX
from tui.tone import Cell, Tone, signed
from tui.views import event_tone
from tui.widgets.columns import Column
from tui.words import clean, clock

_COLUMNS: list[Column[FeedEvent]] = [
    Column(title="", cell=lambda e: signed(event_tone(e)), width=1),
    Column(title="AT", cell=lambda e: Cell(clock(e.at), Tone.QUIET), width=8),
    Column(title="WHAT", cell=lambda e: Cell(e.text), width=24, grows=True),
    Column(title="TYPE", cell=lambda e: Cell(e.type, Tone.QUIET), width=26, rank=1),
    Column(title="ABOUT", cell=lambda e: Cell(e.subject or "", Tone.QUIET), width=20, rank=2),
]


class Events(Chronicle[FeedEvent]):
    """What actors, stores and tenants did."""

    NAME = "events"
    HELP = (
        "Everything that the actors, the stores and the tenants did, live. The dashboard keeps the "
        f"newest {EVENTS_MAX:,}; the daemon's log keeps them all. Hold the list to read in peace: "
        "nothing is missed meanwhile."
    )
    UNIT = "event"
    EMPTY = "Nothing has happened since the dashboard was opened."
    LEVELS = {  # noqa: RUF012 - never changed
        "all of them": frozenset(Severity),
        "warnings and faults": frozenset({Severity.WARNING, Severity.FAULT}),
        "faults only": frozenset({Severity.FAULT}),
    }
    COLUMNS = _COLUMNS
    AUTO_FOCUS = "#events"

    def entries(self) -> Iterable[FeedEvent]:
        """What the sight keeps."""
        return self.sight.events

    def key(self, entry: FeedEvent) -> str:
        """When, what, and about whom."""
        return f"{entry.at.timestamp()} {entry.type} {entry.subject}"

    def level(self, entry: FeedEvent) -> str:
        """Its severity."""
        return entry.severity

    def texts(self, entry: FeedEvent) -> Iterable[str]:
        """Its words, and whom it is about."""
        return entry.text, entry.type, entry.subject or "", entry.tenant_id or ""

    def detail(self, entry: FeedEvent) -> tuple[str, str]:
        """All that is known of it."""
        about = [f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}", entry.source, entry.subject or ""]
        if entry.tenant_id and entry.tenant_id != entry.subject:
            about.append(f"tenant {entry.tenant_id}")
        return entry.type, f"{clean(entry.text)}\n{clean(' · '.join(filter(None, about)))}"
