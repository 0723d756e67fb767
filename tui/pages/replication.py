"""Replication: how much of what is promised has arrived where it must, and what is in its way."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engarde_daemon.protocol import BacklogView, Snapshot
from tui import orders
from tui.feed import Parked, Refused
from tui.orders import Order
from tui.page import Page
from tui.pages.overview import age_cell, parked_cell, rows_cell
from tui.tone import Cell, Tone, role, sign
from tui.views import SEVERITY_TONES, STORE_WORDS
from tui.widgets.columns import Column
from tui.widgets.meter import Meter
from tui.widgets.panel import Panel, title_of
from tui.widgets.table import Table
from tui.words import bar, clean, count, lasting, latency, moment, share, size

ARRIVALS = {"zerodb": "ZeroDB", "archive": "Archive"}
QUEUES = {"delivery": "To ZeroDB", "archive": "To the archive"}
RENEW_EVERY_S = 10.0
_NONE = "Nothing was refused or put off."
_BAR_COLUMNS = 30
_NAME_COLUMNS = 12


class Replication(Page):
    """The way of versions from PostgreSQL to ZeroDB and the archive."""

    NAME = "replication"
    HELP = (
        "Every acknowledged version is in PostgreSQL. From there it goes to ZeroDB, which serves "
        "reads, and to the archive, which outlives both. A body leaves PostgreSQL only when both "
        "have it. Parked rows were refused by their destination and wait for somebody; those that "
        "were only put off are tried again by themselves. Enter shows a reason in full."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "order_retry", "Retry", tooltip="try the chosen queue's parked rows again"),
    ]

    def parts(self) -> Iterable[Widget]:
        """What has arrived, what waits, and how that has changed."""
        yield Static("… waiting for the daemon", id="arrived", classes="panel")
        with Horizontal(id="rates"):
            for queue, title in QUEUES.items():
                yield Meter(title, id=f"queue-{queue}", figure=_rows)
        yield Panel("Queues", Table(_COLUMNS, key=_queue, empty="Nothing waits.", id="queues"))
        refused = Table(_PARKED, key=_row, empty=_NONE, id="parked")
        yield Panel("Refused or put off", refused, id="refused")

    def on_mount(self) -> None:
        """Give the first panel its title, and look from time to time at what is parked."""
        self.query_one("#arrived").border_title = "Arrived"
        self.set_interval(RENEW_EVERY_S, self._look_again)

    def on_screen_resume(self) -> None:
        """Look again, because time has passed."""
        super().on_screen_resume()
        self._fetch_parked()

    def carried_out(self, order: Order) -> None:
        """Look again at what an order may have changed."""
        del order
        self._fetch_parked()

    def action_order_retry(self) -> None:
        """Have what waits in the chosen queue tried again."""
        backlog: BacklogView | None = self.query_one("#queues", Table).chosen
        if backlog is not None:
            self.order(orders.retry_queue(backlog.queue, backlog.title))

    def show(self) -> None:
        """Draw the newest snapshot."""
        snapshot = self.sight.snapshot
        if snapshot is None:
            return
        arrived = self.query_one("#arrived", Static)
        arrived.border_subtitle = f"{count(snapshot.safety.versions)} versions"
        arrived.update(Content("\n").join(_arrivals(snapshot)))
        for queue in QUEUES:
            self.query_one(f"#queue-{queue}", Meter).show(self.sight.backlogs.get(queue, ()))
        self.query_one("#queues", Table).show(snapshot.backlog)

    @on(Table.Chosen, "#parked")
    def _tell(self, message: Table.Chosen) -> None:
        parked: Parked = message.row
        self.notify(parked.reason, title=_subject(parked))

    def _look_again(self) -> None:
        if self.may_look_again("parked"):
            self._fetch_parked()

    @work(exclusive=True, group="parked", exit_on_error=False)
    async def _fetch_parked(self) -> None:
        table, panel = self.query_one("#parked", Table), self.query_one("#refused")
        try:
            table.show(await self.feed.parked(), empty=_NONE)
        except Refused as refused:
            if not table.rows:
                table.show((), empty=str(refused))
            panel.border_subtitle = title_of(f"not renewed: {refused}")
        else:
            panel.border_subtitle = ""


def _arrivals(snapshot: Snapshot) -> Iterator[Content]:
    stores = {store.name: store for store in snapshot.stores}
    versions = snapshot.safety.versions
    for name, title in ARRIVALS.items():
        missing = snapshot.safety.missing.get(name, 0)
        tone = Tone.WARNING if missing else Tone.GOOD
        part = share(versions - missing, versions) if versions else 1.0
        words = f"lacks {count(missing)}" if missing else "has them all"
        yield Content.assemble(
            (f"{sign(tone)} ", role(tone)),
            (f"{title:<{_NAME_COLUMNS}}", "bold"),
            (bar(part, _BAR_COLUMNS), role(tone)),
            f" {words}",
        )
        if (store := stores.get(name)) is not None:
            answers = (
                f", answers in {latency(store.latency_s)}" if store.latency_s is not None else ""
            )
            since = lasting((snapshot.at - store.since).total_seconds())
            state = f"{STORE_WORDS[store.state]} for {since}{answers}"
            cause = f": {clean(store.cause)}" if store.cause else ""
            quiet = role(SEVERITY_TONES[store.severity] if store.cause else Tone.QUIET)
            yield Content.assemble((f"{' ' * (_NAME_COLUMNS + 2)}{state}{cause}", quiet))


def _rows(number: float) -> str:
    return f"{number:,.0f} rows"


def _queue(backlog: BacklogView) -> str:
    return backlog.queue


def _room(backlog: BacklogView) -> Cell:
    if backlog.size_bytes is None:
        return Cell("–", Tone.QUIET)
    if not backlog.limit_bytes:
        return Cell(size(backlog.size_bytes))
    part = share(backlog.size_bytes, backlog.limit_bytes)
    tone = Tone.PLAIN if part < 0.7 else Tone.WARNING
    return Cell(f"{bar(part, 10)} {size(backlog.size_bytes)} of {size(backlog.limit_bytes)}", tone)


_COLUMNS: list[Column[BacklogView]] = [
    Column(title="QUEUE", cell=lambda b: Cell(b.title, Tone.STRONG), width=14, grows=True),
    Column(title="ROWS", cell=rows_cell, width=9, right=True),
    Column(title="OLDEST", cell=age_cell, width=11, right=True),
    Column(title="PARKED", cell=parked_cell, width=7, right=True),
    Column(title="ROOM", cell=_room, width=32, rank=1),
]


def _row(parked: Parked) -> str:
    return f"{parked.queue} {parked.tenant_id} {parked.content_id} {parked.version}"


def _subject(parked: Parked) -> str:
    return f"{parked.content_id} v{parked.version}"


def _tries(parked: Parked) -> Cell:
    return Cell("–", Tone.QUIET) if parked.attempts is None else Cell(count(parked.attempts))


_PARKED: list[Column[Parked]] = [
    Column(title="QUEUE", cell=lambda p: Cell(p.queue, Tone.STRONG), width=22),
    Column(title="REASON", cell=lambda p: Cell(p.reason), width=26, grows=True),
    Column(title="CONTENT", cell=lambda p: Cell(_subject(p)), width=40, rank=2),
    Column(title="TENANT", cell=lambda p: Cell(p.tenant_id, Tone.QUIET), width=12, rank=3),
    Column(title="TRIES", cell=_tries, width=5, right=True, rank=1),
    Column(title="SINCE", cell=lambda p: Cell(moment(p.since), Tone.QUIET), width=11),
]
