"""Tenants: how full each plan is, found by name and level, and the plan changed where it must be.

Pages of tenants are fetched when they are wanted, never all of them: ten thousand tenants cost this
page what two hundred do.
"""

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui import orders
from tui.dialogs.tenant import TenantDetail
from tui.feed import Feed, Linked, Lost, Refused, Standing, TenantPage, TenantWish
from tui.http_feed import TENANTS_PER_PAGE
from tui.orders import Order
from tui.page import Page
from tui.sight import Sight
from tui.tone import Cell, Tone, signed
from tui.views import level_tone
from tui.widgets.columns import Column
from tui.widgets.panel import Panel, title_of
from tui.widgets.table import Table
from tui.words import bar, count, share, size

RENEW_EVERY_S = 10.0
SORTS = {"-usage": "fullest first", "-used_bytes": "largest first", "name": "by name"}
LEVELS = (None, "warning", "critical", "exceeded")
_BAR_COLUMNS = 12


class Tenants(Page):
    """All tenants of the platform."""

    NAME = "tenants"
    HELP = (
        "What each tenant stores, against its plan. Levels: warning from 70 %, critical from 85 %, "
        "exceeded above the limit; then new writes are refused, and nothing that is stored is lost."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", tooltip="by a part of the name"),
        Binding("s", "sort", "Sort", tooltip="fullest, largest, by name; or click a title"),
        Binding("l", "level", "Level", tooltip="only those at a level"),
        Binding("n", "turn(1)", "Next", tooltip="the next page"),
        Binding("b", "turn(-1)", "Back", tooltip="the page before"),
        Binding("c", "order_plan", "Plan", tooltip="put the tenant on another plan"),
        Binding("e", "order_reconcile", "Reconcile", tooltip="count its content anew"),
    ]
    AUTO_FOCUS = "#tenants"

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__(sight, feed)
        self._wish = TenantWish()
        self._found: TenantPage | None = None
        self._asked_under: Linked | Lost | None = None
        self._shown: TenantWish | None = None

    def parts(self) -> Iterable[Widget]:
        """Filter, figures, and the list."""
        with Horizontal(id="filters"):
            yield Input(placeholder="search by name or id …", id="search", compact=True)
            yield Static("", id="levels", markup=False)
        yield Panel(
            "Tenants", Table(_COLUMNS, key=_id, empty="No tenant is like that.", id="tenants")
        )

    def on_mount(self) -> None:
        """Fetch the first page, and look again from time to time."""
        self.set_interval(RENEW_EVERY_S, self._look_again)
        self.fetch()

    def on_screen_resume(self) -> None:
        """Look again, because time has passed."""
        super().on_screen_resume()
        self.fetch()

    def show(self) -> None:
        """Draw the figures over all tenants."""
        if self.sight.snapshot is None:
            return
        tenants = self.sight.snapshot.tenants
        counted = ((level, tenants.levels.get(level, 0)) for level in reversed(LEVELS) if level)
        levels = [f"{count(number)} {level}" for level, number in counted if number]
        self.query_one("#levels", Static).update(" · ".join(levels) or "all within their plans")
        if self._found is None and self._asked_under is not self.sight.link:
            self.fetch()

    def _look_again(self) -> None:
        if self.may_look_again("tenants"):
            self.fetch()

    @work(exclusive=True, group="tenants", exit_on_error=False)
    async def fetch(self) -> None:
        """Get the page that is wished for."""
        self._asked_under = self.sight.link
        wish = self._wish
        try:
            self._found = await self.feed.tenants(wish)
        except Refused as refused:
            self._keep(str(refused))
            return
        self._shown = wish
        self.query_one(Table).show(self._found.rows, empty="No tenant is like that.")
        self._entitle(self._found)

    def _keep(self, why: str) -> None:
        """Leave standing what was wished for, so that a key still means the row that was chosen."""
        if self._shown != self._wish:
            self.query_one(Table).show((), empty=why)
        self.query_one(Panel).border_subtitle = title_of(f"not renewed: {why}")

    def _entitle(self, found: TenantPage) -> None:
        wish, panel = self._wish, self.query_one(Panel)
        level = f" · only {wish.level}" if wish.level else ""
        panel.border_title = f"Tenants, {SORTS.get(wish.sort, wish.sort)}{level}"
        pages = max(1, -(-found.total // TENANTS_PER_PAGE))
        panel.border_subtitle = f"{count(found.total)} found · page {wish.page} of {count(pages)}"

    def _change(self, **wish: object) -> None:
        self._wish = msgspec.structs.replace(self._wish, **{"page": 1, **wish})
        self.fetch()

    def action_search(self) -> None:
        """Type what to look for."""
        self.query_one("#search").focus()

    def action_sort(self) -> None:
        """Change the order of the list."""
        self._change(sort=_after(list(SORTS), self._wish.sort))

    def action_level(self) -> None:
        """Change which levels are shown."""
        self._change(level=_after(LEVELS, self._wish.level))

    def action_turn(self, pages: int) -> None:
        """Go a page on or back."""
        last = max(1, -(-self._found.total // TENANTS_PER_PAGE)) if self._found else 1
        self._change(page=min(max(1, self._wish.page + pages), last))

    def action_order_plan(self) -> None:
        """Choose another plan for the tenant under the cursor."""
        self._open(choose_plan=True)

    def action_order_reconcile(self) -> None:
        """Have the content of the tenant under the cursor counted."""
        if (tenant := self._chosen()) is not None:
            self.order(orders.reconcile(tenant.tenant_id, tenant.name))

    def carried_out(self, order: Order) -> None:
        """Look again at what an order may have changed."""
        del order
        self.fetch()

    @on(Table.Chosen)
    def _drill(self) -> None:
        self._open(choose_plan=False)

    @on(Table.TitleClicked)
    def _sort_by(self, message: Table.TitleClicked) -> None:
        self._change(sort=message.sort)

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        self._change(search=event.value.strip()[:200])

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.query_one("#tenants").focus()

    def _chosen(self) -> Standing | None:
        return self.query_one("#tenants", Table).chosen

    def _open(self, *, choose_plan: bool) -> None:
        tenant = self._chosen()
        if tenant is None:
            return
        plans = sorted({row.plan for row in (self._found.rows if self._found else ())})
        dialog = TenantDetail(tenant, plans, jobs=self._jobs(tenant), choose_plan=choose_plan)
        self.app.push_screen(dialog, self._plan_chosen)

    def _jobs(self, tenant: Standing) -> int:
        jobs = self.sight.snapshot.jobs if self.sight.snapshot else ()
        return sum(job.tenant_id == tenant.tenant_id for job in jobs)

    def _plan_chosen(self, order: Order | None) -> None:
        if order is not None:
            self.order(order)


def _after(choices: object, now: object) -> object:
    listed = list(choices)  # type: ignore[call-overload]
    return listed[(listed.index(now) + 1) % len(listed)] if now in listed else listed[0]


def _id(tenant: Standing) -> str:
    return tenant.tenant_id


def usage_bar(tenant: Standing, width: int) -> str:
    """How full the plan is, as a bar and a figure."""
    if tenant.limit_bytes is None:
        return f"{'no limit':<{width}}"
    part = share(tenant.used_bytes + tenant.pending_bytes, tenant.limit_bytes)
    return f"{bar(part, width)} {part * 100:4.0f} %"


def _usage(tenant: Standing) -> Cell:
    return Cell(usage_bar(tenant, _BAR_COLUMNS), level_tone(tenant.level))


def _limit(tenant: Standing) -> Cell:
    return Cell("none" if tenant.limit_bytes is None else size(tenant.limit_bytes), Tone.QUIET)


_COLUMNS: list[Column[Standing]] = [
    Column(title="", cell=lambda t: signed(level_tone(t.level)), width=1),
    Column(
        title="TENANT", cell=lambda t: Cell(t.name, Tone.STRONG), width=16, grows=True, sort="name"
    ),
    Column(title="PLAN", cell=lambda t: Cell(t.plan), width=10),
    Column(title="USAGE", cell=_usage, width=_BAR_COLUMNS + 7, sort="-usage"),
    Column(
        title="USED",
        cell=lambda t: Cell(size(t.used_bytes)),
        width=9,
        right=True,
        sort="-used_bytes",
    ),
    Column(title="OF", cell=_limit, width=9, right=True, rank=1),
    Column(title="ITEMS", cell=lambda t: Cell(count(t.items)), width=9, right=True, rank=2),
    Column(title="MEDIA", cell=lambda t: Cell(count(t.media_files)), width=7, right=True, rank=4),
    Column(title="LEVEL", cell=lambda t: Cell(t.level, level_tone(t.level)), width=8, rank=3),
]
