"""Overview: whether content is safe, how the stores are, what happens and what waits."""

from collections.abc import Iterable
from typing import ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from engarde_daemon.protocol import BacklogView, FeedEvent, StoreView
from tui.page import Page
from tui.pages.jobs import LIVE, job_columns, job_id
from tui.tone import Cell, Tone, signed
from tui.views import SEVERITY_TONES, STORE_WORDS, event_tone
from tui.widgets.columns import Column
from tui.widgets.meter import Meter
from tui.widgets.panel import Panel
from tui.widgets.table import Table
from tui.widgets.verdict import Verdict
from tui.words import clock, count, lasting, latency

EVENTS_SHOWN_MAX = 50


class Overview(Page):
    """What an operator looks at for five seconds."""

    NAME = "overview"
    HELP = (
        "Whether every version that was acknowledged is where it must be, and what speaks against "
        "it: each line names the cause, the one below it what that does to the promises."
    )
    AUTO_FOCUS: ClassVar[str] = ""

    def parts(self) -> Iterable[Widget]:
        """Verdict, stores, rates, backlog and the newest events."""
        yield Verdict()
        yield Panel(
            "Stores", Table(self._store_columns(), key=_name, empty="", id="stores", still=True)
        )
        with Horizontal(id="rates"):
            yield Meter("Writes", id="writes")
            yield Meter("Reads", id="reads")
            yield Meter("Errors", id="errors")
        with Horizontal(id="below"):
            with Vertical(id="left"):
                yield Panel(
                    "Waiting",
                    Table(_BACKLOG, key=_queue, empty="Nothing waits.", id="backlog", still=True),
                    id="waiting",
                )
                yield Panel(
                    "Jobs under way",
                    Table(_JOBS, key=job_id, empty="No job is under way.", id="jobs", still=True),
                    id="under-way",
                )
            yield Panel(
                "Latest events",
                Table(_EVENTS, key=_at, empty="Nothing has happened yet.", id="latest", still=True),
                id="latest-events",
            )

    def show(self) -> None:
        """Draw the newest snapshot."""
        sight = self.sight
        events = list(reversed(sight.events))[:EVENTS_SHOWN_MAX]
        self.query_one("#latest", Table).show(events)
        self.query_one(Verdict).tell(sight.snapshot, sight.trouble)
        if sight.snapshot is None:
            return
        self.query_one("#stores", Table).show(sight.snapshot.stores)
        self.query_one("#backlog", Table).show(sight.snapshot.backlog)
        live = [job for job in sight.snapshot.jobs if job.state in LIVE]
        self.query_one("#jobs", Table).show(live)
        self.query_one("#writes", Meter).show(sight.writes)
        self.query_one("#reads", Meter).show(sight.reads)
        self.query_one("#errors", Meter).show(sight.errors)

    def _store_columns(self) -> list[Column[StoreView]]:
        return [
            Column(title="", cell=lambda s: signed(SEVERITY_TONES[s.severity]), width=1),
            Column(title="STORE", cell=lambda s: Cell(s.title, Tone.STRONG), width=10),
            Column(title="STATE", cell=_state, width=11),
            Column(title="FOR", cell=self._lasts, width=11, rank=2),
            Column(title="ANSWERS IN", cell=_latency, width=10, right=True, rank=1),
            Column(title="WHY", cell=_why, width=10, grows=True),
        ]

    def _lasts(self, store: StoreView) -> Cell:
        snapshot = self.sight.snapshot
        if snapshot is None:
            return Cell("")
        return Cell(lasting((snapshot.at - store.since).total_seconds()), Tone.QUIET)


def _name(store: StoreView) -> str:
    return store.name


def _queue(backlog: BacklogView) -> str:
    return backlog.queue


def _at(event: FeedEvent) -> str:
    return event.at.isoformat()


def _state(store: StoreView) -> Cell:
    return Cell(STORE_WORDS[store.state], SEVERITY_TONES[store.severity])


def _latency(store: StoreView) -> Cell:
    return Cell("–", Tone.QUIET) if store.latency_s is None else Cell(latency(store.latency_s))


def _why(store: StoreView) -> Cell:
    return Cell(store.cause or "as it should be", Tone.PLAIN if store.cause else Tone.QUIET)


def rows_cell(backlog: BacklogView) -> Cell:
    """How much waits."""
    return Cell(count(backlog.rows), Tone.PLAIN if backlog.rows else Tone.QUIET)


def age_cell(backlog: BacklogView) -> Cell:
    """How long the oldest waits."""
    return Cell(lasting(backlog.oldest_age_s)) if backlog.rows else Cell("–", Tone.QUIET)


def parked_cell(backlog: BacklogView) -> Cell:
    """How much was refused."""
    if not backlog.parked:
        return Cell("–", Tone.QUIET)
    return Cell(f"! {count(backlog.parked)}", Tone.WARNING)


_BACKLOG: list[Column[BacklogView]] = [
    Column(title="ON THE WAY", cell=lambda b: Cell(b.title, Tone.STRONG), width=14, grows=True),
    Column(title="ROWS", cell=rows_cell, width=9, right=True),
    Column(title="OLDEST", cell=age_cell, width=11, right=True),
    Column(title="PARKED", cell=parked_cell, width=7, right=True, rank=1),
]
_EVENTS: list[Column[FeedEvent]] = [
    Column(title="", cell=lambda e: signed(event_tone(e)), width=1),
    Column(title="AT", cell=lambda e: Cell(clock(e.at), Tone.QUIET), width=8),
    Column(title="WHAT", cell=lambda e: Cell(e.text), width=20, grows=True),
]
_JOBS = [column for column in job_columns() if column.title in {"", "KIND", "PROGRESS", "DONE"}]
