"""One tenant: what it stores, what is promised to it, and the choice of another plan."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from tui import orders
from tui.feed import Standing
from tui.orders import Order
from tui.tone import role, sign
from tui.views import level_tone
from tui.widgets.panel import title_of
from tui.words import bar, clean, count, plural, share, size

_BAR_COLUMNS = 40


class TenantDetail(ModalScreen[Order | None]):
    """Shows a tenant; ends with the order to change its plan, or with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(
        self, tenant: Standing, plans: Sequence[str], *, jobs: int, choose_plan: bool
    ) -> None:
        super().__init__()
        self._tenant = tenant
        self._plans = plans
        self._jobs = jobs
        self._choose_plan = choose_plan

    def compose(self) -> ComposeResult:
        """Figures, and a field for the plan where it is to be changed."""
        with Vertical(classes="dialog") as box:
            box.border_title = title_of(self._tenant.name)
            box.border_subtitle = "Esc closes"
            yield Static(Content("\n").join(self._lines()))
            if self._choose_plan:
                known = ", ".join(self._plans)
                yield Static(f"Its new plan, such as {known}:", classes="ask", markup=False)
                yield Input(
                    placeholder=self._tenant.plan, suggester=SuggestFromList(self._plans), id="plan"
                )

    @on(Input.Submitted)
    def _chosen(self, event: Input.Submitted) -> None:
        plan = event.value.strip()
        if plan:
            self.dismiss(orders.change_plan(self._tenant.tenant_id, self._tenant.name, plan))

    def _lines(self) -> Iterator[Content]:
        tenant = self._tenant
        limit = "no limit" if tenant.limit_bytes is None else size(tenant.limit_bytes)
        tone = level_tone(tenant.level)
        yield _line("Tenant", tenant.tenant_id)
        yield _line("Plan", tenant.plan)
        yield Content.assemble(
            (f"{'Level':<12}", "$text-quiet"), (f"{sign(tone)} {clean(tenant.level)}", role(tone))
        )
        yield _line("Stored", f"{size(tenant.used_bytes)} of {limit}")
        if tenant.limit_bytes:
            part = share(tenant.used_bytes + tenant.pending_bytes, tenant.limit_bytes)
            yield Content.assemble(" " * 12, (bar(part, _BAR_COLUMNS), role(tone)), f" {part:.0%}")
        yield _line("Promised", f"{size(tenant.pending_bytes)} to jobs and uploads under way")
        yield _line("Items", count(tenant.items))
        yield _line("Media files", count(tenant.media_files))
        yield _line("Jobs", plural(self._jobs, "of the newest jobs", "of the newest jobs"))


def _line(name: str, words: str) -> Content:
    return Content.assemble((f"{name:<12}", "$text-quiet"), clean(words))
