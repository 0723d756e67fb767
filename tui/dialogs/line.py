"""A line of the log in full."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from engarde_daemon.protocol import LogRecord
from tui.widgets.panel import title_of
from tui.words import clean


class Line(ModalScreen[None]):
    """Shows every field of a line, a traceback with its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, line: LogRecord) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        """Moment, level, fields."""
        with VerticalScroll(classes="dialog -wide") as box:
            box.border_title = title_of(self._line.event)
            box.border_subtitle = "Esc closes"
            yield Static("\n".join(self._told()), markup=False)

    def _told(self) -> Iterator[str]:
        yield f"{self._line.at.astimezone():%Y-%m-%d %H:%M:%S.%f}  {self._line.level}"
        for name, text in self._line.fields.items():
            first, *more = text.splitlines() or [""]
            yield f"{clean(name)}: {clean(first)}"
            for line in more:
                yield clean(line)
