"""Recovery: take ZeroDB out of service and back, restore, compare, move; each after a confirmation."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engarde_daemon.protocol import JobView, StoreState, StoreView
from tui import orders
from tui.feed import Feed, Refused, Report
from tui.orders import RECOVERY_KINDS, Order
from tui.page import Page
from tui.pages.jobs import LIVE, job_columns, job_id
from tui.sight import Sight
from tui.tone import Tone, role, sign
from tui.views import SEVERITY_TONES, STORE_WORDS
from tui.widgets.panel import Panel
from tui.widgets.table import Table
from tui.words import clean, count

RENEW_EVERY_S = 2.0
DIFFERENCES_SHOWN_MAX = 20
_STEPS = (StoreState.HEALTHY, StoreState.DEGRADED, StoreState.FAILED_OVER, StoreState.RECOVERING)
_EMPTY = "Nothing was ordered yet. v compares the stores and changes nothing."


class Recovery(Page):
    """What an operator does when a store is lost."""

    NAME = "recovery"
    HELP = (
        "ZeroDB comes and goes by itself: after some seconds without an answer reads come from the "
        "archive, and it is trusted again once the backlog is gone and samples are right. Here you "
        "can decide yourself, and have content restored, compared or moved. Leaving stops nothing."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "order_verify", "Verify", tooltip="compare all stores, change nothing"),
        Binding("s", "order_restore", "Restore", tooltip="put right what is missing or damaged"),
        Binding("f", "order_fail_over", "Fail over", tooltip="take ZeroDB out of service"),
        Binding("b", "order_fail_back", "Fail back", tooltip="let ZeroDB back into service"),
        Binding("m", "order_migrate", "Migrate", tooltip="move to the ZeroDB of [zerodb_next]"),
        Binding("x", "order_cancel", "Cancel", tooltip="end the chosen job"),
    ]

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__(sight, feed)
        self._report: tuple[str, Report | str] | None = None
        self._asked_about = ""

    def parts(self) -> Iterable[Widget]:
        """The way of ZeroDB, the jobs, and the report of the chosen one."""
        yield Static("… waiting for the daemon", id="way", classes="panel")
        with Horizontal(id="work"):
            yield Panel(
                "Jobs of recovery", Table(job_columns(), key=job_id, empty=_EMPTY, id="jobs")
            )
            yield Static("", id="report", classes="panel")

    def on_mount(self) -> None:
        """Give the panels their titles, and keep the report new."""
        self.query_one("#way").border_title = "ZeroDB"
        self.query_one("#report").border_title = "Report"
        self.set_interval(RENEW_EVERY_S, self._look_again)

    def show(self) -> None:
        """Draw the newest snapshot."""
        snapshot = self.sight.snapshot
        if snapshot is None:
            return
        store = self.sight.store("zerodb")
        if store is not None:
            self.query_one("#way", Static).update(Content("\n").join(_way(store)))
        self.query_one(Table).show([job for job in snapshot.jobs if job.kind in RECOVERY_KINDS])
        self._draw_report()
        job = self._chosen()
        if job is not None and job.id != self._asked_about:
            self._fetch_report()

    def action_order_verify(self) -> None:
        """Have the stores compared."""
        self.order(orders.verify())

    def action_order_restore(self) -> None:
        """Have what is missing put right."""
        self.order(orders.restore())

    def action_order_fail_over(self) -> None:
        """Have ZeroDB taken out of service."""
        self.order(orders.fail_over())

    def action_order_fail_back(self) -> None:
        """Have ZeroDB taken into service."""
        self.order(orders.fail_back())

    def action_order_migrate(self) -> None:
        """Have everything moved to the other ZeroDB."""
        self.order(orders.migrate())

    def action_order_cancel(self) -> None:
        """Have the chosen job ended."""
        job = self._chosen()
        if job is None or job.state not in LIVE:
            self.notify("Choose a job that is under way.", severity="warning")
        else:
            self.order(orders.cancel_job(job.kind, job.id))

    def carried_out(self, order: Order) -> None:
        """Look again at what an order may have changed."""
        del order
        self._fetch_report()

    @on(Table.Moved)
    def _moved(self) -> None:
        self._fetch_report()

    def _look_again(self) -> None:
        job = self._chosen()
        if job is not None and job.state in LIVE and self.may_look_again("report"):
            self._fetch_report()

    @work(exclusive=True, group="report", exit_on_error=False)
    async def _fetch_report(self) -> None:
        if (job := self._chosen()) is None:
            return
        self._asked_about = job.id
        try:
            self._report = (job.id, await self.feed.report(job.id))
        except Refused as refused:
            self._report = (job.id, str(refused))
        self._draw_report()

    def _draw_report(self) -> None:
        job = self._chosen()
        lines = [Content("Choose a job to read its report.")]
        if job is not None and self._report is not None and self._report[0] == job.id:
            lines = list(_report(job, self._report[1]))
        self.query_one("#report", Static).update(Content("\n").join(lines))

    def _chosen(self) -> JobView | None:
        return self.query_one("#jobs", Table).chosen


def _way(store: StoreView) -> Iterator[Content]:
    parts: list[Content | tuple[str, str]] = []
    for step in _STEPS:
        if parts:
            parts.append((" → ", role(Tone.QUIET)))
        here = step is store.state
        tone = SEVERITY_TONES[store.severity] if here else Tone.QUIET
        words = f"{sign(tone)} {STORE_WORDS[step]}" if here else STORE_WORDS[step]
        parts.append((f" {words} ", f"bold reverse {role(tone)}" if here else role(tone)))
    yield Content.assemble(*parts)
    if store.state is StoreState.AWAY:
        yield Content.assemble(("✗ away", role(Tone.FAULT)))
    yield Content(clean(store.cause) or "It answers, and it serves reads.")
    if store.effect:
        yield Content.assemble((f"→ {clean(store.effect)}", role(Tone.QUIET)))


def _report(job: JobView, report: Report | str) -> Iterator[Content]:
    if isinstance(report, str):
        yield Content.assemble((f"✗ {clean(report)}", role(Tone.FAULT)))
        return
    figures = {
        "versions looked at": report.versions,
        "still on their way": report.waiting,
        "restored": report.restored,
        **{f"right in {name.replace('_', ' ')}": number for name, number in report.counts.items()},
    }
    for name, number in figures.items():
        yield Content.assemble((f"{clean(name):<24}", role(Tone.QUIET)), f"{count(number):>10}")
    tone = Tone.FAULT if report.differences_total else Tone.GOOD
    found = f"{sign(tone)} {count(report.differences_total)}"
    yield Content.assemble((f"{'differences':<24}", role(Tone.QUIET)), (f"{found:>10}", role(tone)))
    if job.error:
        yield Content.assemble((clean(job.error), role(Tone.FAULT)))
    for difference in report.differences[:DIFFERENCES_SHOWN_MAX]:
        where = f"{difference.content_id} v{difference.version}"
        yield Content.assemble(
            (f"{clean(difference.store)}: {clean(difference.kind)}", "bold"), f" {clean(where)}"
        )
