"""What every page has: the masthead, the names of all pages, and the keys at the bottom.

Owns the order of drawing: a page is told what is known when it opens and whenever that has changed,
and only the page that is open is drawn.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from tui.feed import Feed, Linked, Lost
from tui.messages import Ordered
from tui.orders import Order
from tui.sight import Sight
from tui.tone import Cell, Tone, sign
from tui.views import SEVERITY_TONES
from tui.widgets.masthead import Masthead, Navigation
from tui.words import lasting

PAGES = {
    "overview": "Overview",
    "queues": "Queues",
    "tenants": "Tenants",
    "jobs": "Jobs",
    "replication": "Replication",
    "recovery": "Recovery",
    "events": "Events",
    "log": "Log",
}
ACTING = "order_"
"""Actions whose names begin so change something at the daemon."""
_VERDICTS = {
    Tone.GOOD: "content is safe",
    Tone.WARNING: "look closer",
    Tone.FAULT: "promise broken",
}


class Page(Screen[None]):
    """One page of the dashboard."""

    NAME: ClassVar[str]
    HELP: ClassVar[str] = ""

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__()
        self.sight = sight
        self.feed = feed
        self._drawn = -1
        self._greyed = ""

    def compose(self) -> ComposeResult:
        """The frame around the parts of the page."""
        yield Masthead()
        yield Navigation(PAGES, self.NAME)
        with Vertical(id="body"):
            yield from self.parts()
        yield Footer(show_command_palette=False)

    def parts(self) -> Iterable[Widget]:
        """What stands on this page."""
        raise NotImplementedError

    def show(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Draw what is known already."""
        self.renew()

    def on_screen_resume(self) -> None:
        """Draw what has become known while another page was open."""
        self.renew()

    def renew(self) -> None:
        """Draw what is known now, if it is more than what is drawn."""
        if self._drawn == self.sight.revision or not self.is_mounted:
            return
        self._drawn = self.sight.revision
        masthead = self.query_one(Masthead)
        masthead.daemon = self._daemon()
        masthead.state = self._state()
        self.set_class(bool(self.sight.trouble), "-lost")
        self.show()
        if self._greyed != self.sight.read_only:
            # Not every time: the footer is made anew by it.
            self._greyed = self.sight.read_only
            self.refresh_bindings()

    def order(self, order: Order) -> None:
        """Have something done."""
        self.post_message(Ordered(order))

    def carried_out(self, order: Order) -> None:
        """Look again at what an order may have changed."""

    def may_look_again(self, group: str) -> bool:
        """Whether to ask again: while an answer is awaited, that would only give it up."""
        asking = (w for w in self.workers if w.node is self and w.group == group)
        is_awaited = any(not worker.is_finished for worker in asking)
        return self.is_current and self.sight.is_linked and not is_awaited

    def commands(self) -> Iterable[tuple[str, str, Callable[[], object]]]:
        """What the palette offers for this page: all its keys that may be pressed now."""
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and self.check_action(binding.action, ()):
                yield (
                    f"{PAGES[self.NAME]}: {binding.description}",
                    binding.tooltip or f"The key {binding.key}",
                    partial(self.run_action, binding.action),
                )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what changes something where the key may only read."""
        del parameters
        return None if action.startswith(ACTING) and self.sight.read_only else True

    def on_key(self, event: events.Key) -> None:
        """Say why a greyed key does nothing."""
        if not self.sight.read_only:
            return
        acting = (
            b for b in self.BINDINGS if isinstance(b, Binding) and b.action.startswith(ACTING)
        )
        if any(event.key in binding.key.split(",") for binding in acting):
            self.notify(self.sight.read_only, title="Read only", severity="warning")

    def _daemon(self) -> str:
        snapshot = self.sight.snapshot
        if snapshot is None:
            return self.feed.where
        daemon = snapshot.daemon
        others = f" · {len(snapshot.others) + 1} daemons" if snapshot.others else ""
        return f"{self.feed.where} · {daemon.version} · up {lasting(daemon.uptime_s)}{others}"

    def _state(self) -> tuple[Cell, ...]:
        parts = []
        if self.sight.snapshot is not None and self.sight.is_linked and not self.sight.trouble:
            tone = SEVERITY_TONES[self.sight.snapshot.safety.severity]
            parts.append(Cell(f"{sign(tone)} {_VERDICTS[tone]}", tone))
        if self.sight.read_only:
            parts.append(Cell("read only", Tone.QUIET))
        match self.sight.link:
            case None:
                parts.append(Cell("… connecting", Tone.QUIET))
            case Linked() if self.sight.trouble:
                parts.append(Cell("! nothing new", Tone.WARNING))
            case Linked():
                parts.append(Cell("● live", Tone.GOOD))
            case Lost(again_in_s=again_in_s):
                parts.append(Cell(f"✗ no answer, again in {again_in_s:.0f} s", Tone.FAULT))
        return tuple(parts)
