"""Queues: every actor of the tree with its mailbox, and what can be done to it."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from engarde_daemon.protocol import ActorView, DaemonView
from tui import orders
from tui.page import Page
from tui.tone import Cell, Tone, signed
from tui.views import actor_tone
from tui.widgets.columns import Column
from tui.widgets.panel import Panel, title_of
from tui.widgets.table import Table
from tui.words import bar, clean, count, lasting, plural, share

_BAR_COLUMNS = 8


class Queues(Page):
    """The tree of actors."""

    NAME = "queues"
    HELP = (
        "Every actor with what waits in its mailbox. A full mailbox makes senders wait; an actor "
        "that crashes is replaced by its supervisor, and its address stays. Actors of other "
        "daemons can be looked at; to steer them, attach to their daemon."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "order_pause", "Pause", tooltip="let the actor take no more messages"),
        Binding("u", "order_resume", "Resume", tooltip="let a paused actor go on"),
        Binding("r", "order_restart", "Restart", tooltip="replace the actor by a new one"),
        Binding("d", "next_daemon", "Daemon", tooltip="show the actors of the next daemon"),
    ]

    _shown = 0

    def parts(self) -> Iterable[Widget]:
        """The tree, and the actor under the cursor in words."""
        yield Panel("Actors", Table(_COLUMNS, key=_path, empty="No actors.", id="actors"))
        yield Static("", id="detail", classes="panel detail", markup=False)

    def show(self) -> None:
        """Draw the tree of the chosen daemon."""
        daemon = self._daemon_shown()
        if daemon is None:
            return
        panel = self.query_one(Panel)
        panel.border_title = title_of(f"Actors of {daemon.name}")
        crashed = sum(actor.restarts for actor in daemon.actors)
        panel.border_subtitle = (
            f"{plural(len(daemon.actors), 'row')} · {plural(crashed, 'restart')}"
        )
        self.query_one(Table).show(daemon.actors)
        self._tell()

    def action_next_daemon(self) -> None:
        """Show the actors of another daemon."""
        self._shown += 1
        self.show()

    def action_order_pause(self) -> None:
        """Have the chosen actor paused."""
        self._steer(orders.pause)

    def action_order_resume(self) -> None:
        """Have the chosen actor go on."""
        self._steer(orders.resume)

    def action_order_restart(self) -> None:
        """Have the chosen actor replaced."""
        self._steer(orders.restart)

    def _steer(self, make: orders.Steer) -> None:
        actor, daemon = self._actor(), self._daemon_shown()
        if actor is None or daemon is None:
            return
        if daemon is not self.sight.daemons[0]:
            words = f"To steer its actors, attach to {daemon.address}."
            self.notify(words, title=daemon.name, severity="warning")
        elif actor.kind == "supervisor":
            self.notify("Supervisors are not steered, only their actors.", severity="warning")
        else:
            self.order(make(actor.name))

    def _actor(self) -> ActorView | None:
        return self.query_one("#actors", Table).chosen

    def _daemon_shown(self) -> DaemonView | None:
        daemons = self.sight.daemons
        return daemons[self._shown % len(daemons)] if daemons else None

    @on(Table.Moved)
    def _tell(self) -> None:
        actor = self._actor()
        detail = self.query_one("#detail", Static)
        detail.border_title = title_of(actor.name if actor else "")
        detail.update(clean(_words(actor)) if actor else "")


def _words(actor: ActorView) -> str:
    if actor.kind == "supervisor":
        return f"A supervisor, {actor.status}; it has restarted {plural(actor.restarts, 'time')}."
    busy = f"busy for {lasting(actor.busy_s)}" if actor.busy_s >= 1 else "keeping up"
    error = f"Last error: {actor.last_error}." if actor.last_error else "It never crashed."
    return (
        f"{actor.status.capitalize()}, {busy}; {plural(actor.processed, 'message')} so far, "
        f"{plural(actor.restarts, 'restart')}. {error}"
    )


def _path(actor: ActorView) -> str:
    return actor.path


def _name(actor: ActorView) -> Cell:
    depth = actor.path.strip("/").count("/")
    tone = Tone.STRONG if actor.kind == "supervisor" else Tone.PLAIN
    return Cell("  " * depth + actor.name, tone)


def _mailbox(actor: ActorView) -> Cell:
    if not actor.capacity:
        return Cell("")
    part = share(actor.depth, actor.capacity)
    figures = f"{actor.depth}/{actor.capacity}"
    return Cell(f"{bar(part, _BAR_COLUMNS)} {figures:>9}", _fill_tone(part))


def _fill_tone(part: float) -> Tone:
    if part >= 0.8:
        return Tone.WARNING
    return Tone.PLAIN if part else Tone.QUIET


def _oldest(actor: ActorView) -> Cell:
    waits = actor.oldest_message_age_s
    return Cell(lasting(waits)) if waits >= 1 else Cell("–", Tone.QUIET)


def _restarts(actor: ActorView) -> Cell:
    return Cell(count(actor.restarts), Tone.WARNING if actor.restarts else Tone.QUIET)


_COLUMNS: list[Column[ActorView]] = [
    Column(title="", cell=lambda a: signed(actor_tone(a)), width=1),
    Column(title="ACTOR", cell=_name, width=18, grows=True),
    Column(
        title="STATUS", cell=lambda a: Cell(a.status.replace("_", " "), actor_tone(a)), width=10
    ),
    Column(title="MAILBOX", cell=_mailbox, width=18),
    Column(title="OLDEST", cell=_oldest, width=11, right=True, rank=2),
    Column(title="RESTARTS", cell=_restarts, width=8, right=True),
    Column(
        title="PROCESSED", cell=lambda a: Cell(count(a.processed)), width=11, right=True, rank=3
    ),
    Column(title="LAST ERROR", cell=lambda a: Cell(a.last_error or ""), width=16, rank=1),
]
