"""The dashboard: one feed, one sight, seven pages.

Owns the pace. News are taken in as they come and drawn four times a second at most, so that a burst
of events costs the dashboard no more than a quiet hour, and never makes a key wait.
"""

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from tui.dialogs.confirm import Confirm
from tui.dialogs.help import Help
from tui.feed import Feed, Refused
from tui.messages import Navigated, Ordered
from tui.orders import Order
from tui.page import PAGES, Page
from tui.pages import ALL
from tui.sight import Sight
from tui.themes import DARK, LIGHT, PLAIN, THEMES
from tui.words import clean

DRAW_EVERY_S = 0.25


class Dashboard(App[None]):
    """The dashboard of one daemon."""

    TITLE = "En Garde"
    CSS_PATH = "dashboard.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal"), (160, "-wide")]  # noqa: RUF012 - textual's form
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall"), (46, "-high")]  # noqa: RUF012 - textual's form
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"open('{page}')", title, show=False)
            for number, (page, title) in enumerate(PAGES.items(), 1)
        ),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("ctrl+p", "command_palette", "Palette", key_display="^p"),
        Binding("ctrl+t", "change_colours", "Light/dark", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self, feed: Feed, *, light: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plain = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if self._plain else None)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = (PLAIN if self._plain else LIGHT if light else DARK).name
        self.sight = Sight(clock)
        self._feed = feed
        self._revision = 0

    def on_mount(self) -> None:
        """Open the first page and begin to follow the daemon."""
        for name, page in ALL.items():
            self.install_screen(page(self.sight, self._feed), name)
        self.push_screen("overview")
        self.set_interval(DRAW_EVERY_S, self.draw)
        self._follow()

    @work(exclusive=True, group="feed", exit_on_error=False)
    async def _follow(self) -> None:
        async for news in self._feed.follow():
            self.sight.take(news)

    def draw(self) -> None:
        """Draw what has become known since the last time."""
        self.sight.watch()
        if self._revision != self.sight.revision:
            self._revision = self.sight.revision
            for screen in self.screen_stack:
                if isinstance(screen, Page):
                    screen.renew()

    @on(Navigated)
    def _navigate(self, message: Navigated) -> None:
        self.action_open(message.page)

    def action_open(self, page: str) -> None:
        """Show another page."""
        if isinstance(self.screen, Page) and page != self.screen.NAME:
            self.switch_screen(page)

    def action_help(self) -> None:
        """Show what the page is for and what its keys do."""
        if isinstance(self.screen, Page):
            self.push_screen(Help(self.screen))

    def action_change_colours(self) -> None:
        """Change between light and dark."""
        if not self._plain:
            self.theme = (LIGHT if self.theme == DARK.name else DARK).name

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that can be done, for the palette."""
        for page, title in PAGES.items():
            yield SystemCommand(f"Open {title}", ALL[page].HELP, partial(self.action_open, page))
        if isinstance(screen, Page):
            for title, words, action in screen.commands():
                yield SystemCommand(title, words, action)
        yield SystemCommand("Help", "What this page is for, and its keys", self.action_help)
        yield SystemCommand("Change colours", "Light or dark", self.action_change_colours)
        yield SystemCommand("Quit", "Leave the dashboard; the daemon runs on", self.exit)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Tell something beside the page, word by word: what comes from outside is no markup."""
        del markup
        super().notify(
            clean(message), title=clean(title), severity=severity, timeout=timeout, markup=False
        )

    @on(Ordered)
    def _consider(self, message: Ordered) -> None:
        order = message.order
        if self.sight.read_only:
            self.notify(self.sight.read_only, title="Read only", severity="warning")
        elif order.is_asked_about:
            self.push_screen(Confirm(order), partial(self._answered, order))
        else:
            self._carry_out(order)

    def _answered(self, order: Order, confirmed: bool | None) -> None:  # noqa: FBT001 - textual's form
        if confirmed:
            self._carry_out(order)

    @work(group="orders", exit_on_error=False)
    async def _carry_out(self, order: Order) -> None:
        try:
            await self._feed.carry_out(order)
        except Refused as refused:
            if refused.forbidden:
                self.sight.forbid()
            self.notify(str(refused), title=f"✗ {order.title}", severity="error", timeout=10)
        else:
            self.notify(order.done, title=f"✓ {order.title}")
            if isinstance(self.screen, Page):
                self.screen.carried_out(order)
