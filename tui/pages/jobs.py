"""Jobs: what is generated, imported and recovered, how far it is, and what it costs."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from engarde_daemon.protocol import JobView
from tui import orders
from tui.page import Page
from tui.tone import Cell, Tone, signed
from tui.views import job_tone
from tui.widgets.columns import Column
from tui.widgets.panel import Panel, title_of
from tui.widgets.table import Table
from tui.words import bar, clean, clock, count, dollars, lasting, plural, share

LIVE = frozenset({"receiving", "pending", "running"})
_BAR_COLUMNS = 10


class Jobs(Page):
    """The newest jobs of all tenants."""

    NAME = "jobs"
    HELP = (
        "Generation, imports and recovery, the newest first. A cancelled job keeps what it has made "
        "so far; a retry repeats failed pieces only, and never pays twice for an answer."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "order_cancel", "Cancel", tooltip="end the job; what it made stays"),
        Binding("r", "order_retry", "Retry", tooltip="repeat the failed pieces of the job"),
    ]

    def parts(self) -> Iterable[Widget]:
        """The list, and the job under the cursor in words."""
        yield Panel("Jobs", Table(job_columns(), key=job_id, empty=_EMPTY, id="jobs"))
        yield Static("", id="detail", classes="panel detail", markup=False)

    def show(self) -> None:
        """Draw the newest jobs."""
        if self.sight.snapshot is None:
            return
        jobs = self.sight.snapshot.jobs
        live = sum(job.state in LIVE for job in jobs)
        self.query_one(Panel).border_subtitle = f"{plural(live, 'job')} under way"
        self.query_one(Table).show(jobs)
        self._tell()

    def action_order_cancel(self) -> None:
        """Have the chosen job ended."""
        if (job := self._chosen()) is None:
            return
        if job.state not in LIVE:
            self.notify(f"This job is {job.state}: there is nothing to end.", severity="warning")
        else:
            self.order(orders.cancel_job(job.kind, job.id))

    def action_order_retry(self) -> None:
        """Have the failed pieces of the chosen job repeated."""
        if (job := self._chosen()) is None:
            return
        if job.kind != "generation" or not job.failed:
            self.notify("Only failed pieces of generation can be repeated.", severity="warning")
        else:
            self.order(orders.retry_job(job.id))

    @on(Table.Moved)
    def _tell(self) -> None:
        job = self._chosen()
        detail = self.query_one("#detail", Static)
        detail.border_title = title_of(f"{job.kind} {job.id}" if job else "")
        detail.update(clean(_words(job)) if job else "")

    def _chosen(self) -> JobView | None:
        return self.query_one("#jobs", Table).chosen


_EMPTY = "No jobs yet. They appear here as soon as somebody generates, imports or recovers."


def job_id(job: JobView) -> str:
    """What a job is known by."""
    return job.id


def _words(job: JobView) -> str:
    whose = f"for tenant {job.tenant_id}" if job.tenant_id else "for all tenants"
    phase = f" ({job.phase})" if job.phase else ""
    failed = f", {count(job.failed)} failed" if job.failed else ""
    error = f" {job.error}" if job.error else ""
    return (
        f"{job.state.capitalize()}{phase} {whose}: {count(job.done)} of {count(job.total)} done"
        f"{failed}.{error}"
    )


def _progress(job: JobView) -> Cell:
    part = share(job.done, job.total)
    return Cell(f"{bar(part, _BAR_COLUMNS)} {part * 100:3.0f} %", job_tone(job.state))


def _cost(job: JobView) -> Cell:
    if job.cost_usd is None:
        return Cell("–", Tone.QUIET)
    return Cell(dollars(job.cost_usd))


def _failed(job: JobView) -> Cell:
    return Cell(f"✗ {count(job.failed)}", Tone.FAULT) if job.failed else Cell("–", Tone.QUIET)


def _took(job: JobView) -> Cell:
    if job.started_at is None or job.finished_at is None:
        return Cell("–", Tone.QUIET)
    return Cell(lasting((job.finished_at - job.started_at).total_seconds()))


def job_columns() -> list[Column[JobView]]:
    """Jobs, in as much room as there is."""
    return [
        Column(title="", cell=lambda j: signed(job_tone(j.state)), width=1),
        Column(title="KIND", cell=lambda j: Cell(j.kind, Tone.STRONG), width=10),
        Column(title="STATE", cell=lambda j: Cell(j.state, job_tone(j.state)), width=9),
        Column(title="PROGRESS", cell=_progress, width=_BAR_COLUMNS + 6),
        Column(
            title="DONE",
            cell=lambda j: Cell(f"{count(j.done)}/{count(j.total)}"),
            width=13,
            right=True,
        ),
        Column(title="FAILED", cell=_failed, width=7, right=True, rank=1),
        Column(title="COST", cell=_cost, width=9, right=True, rank=2),
        Column(
            title="SINCE", cell=lambda j: Cell(clock(j.created_at), Tone.QUIET), width=8, rank=3
        ),
        Column(title="TOOK", cell=_took, width=11, right=True, rank=5),
        Column(title="TENANT", cell=_tenant, width=12, grows=True, rank=4),
    ]


def _tenant(job: JobView) -> Cell:
    return Cell(job.tenant_id or "all", Tone.QUIET)
