"""How often something happens, as a figure and as a line of its last minutes."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.table import fitted
from tui.words import rate

_EIGHTHS = " ▁▂▃▄▅▆▇"
_FULL = Style(reverse=True)
_FIGURE_COLUMNS = 16
_ROOMY_COLUMNS = 30


class Meter(Widget):
    """A figure in the border and columns below it; one line of both where there is little room."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"meter--line", "meter--figure"}

    def __init__(
        self,
        title: str,
        *,
        id: str,  # noqa: A002 - textual's name
        figure: Callable[[float], str] = rate,
    ) -> None:
        super().__init__(id=id, classes="panel")
        self._title = title
        self._figure = figure
        self.border_title = title
        self._values: Sequence[float] = ()

    def show(self, values: Sequence[float]) -> None:
        """Draw these, the newest last."""
        self._values = tuple(values)
        if values:
            most = (
                f" · most {self._figure(max(values))}" if self.size.width >= _ROOMY_COLUMNS else ""
            )
            self.border_subtitle = f"now {self._figure(values[-1])}{most}"
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the columns, with the figure before them where there is no border."""
        width, height = self.size
        if self.styles.border_top[0]:
            return self._columns(width, height, y)
        now = self._figure(self._values[-1]) if self._values else "…"
        figure = self.rich_style + self.get_component_rich_style("meter--figure", partial=True)
        head = fitted(f" {self._title} {now}", min(width, _FIGURE_COLUMNS))
        columns = self._columns(max(0, width - _FIGURE_COLUMNS - 1), 1, 0)
        return Strip([Segment(head, figure), *columns]).adjust_cell_length(width, self.rich_style)

    def _columns(self, width: int, height: int, y: int) -> Strip:
        line = self.rich_style + self.get_component_rich_style("meter--line", partial=True)
        newest = self._values[-width:] if width else ()
        top = max(newest, default=0.0)
        below = (height - 1 - y) * 8
        levels = [_level(value / top if top else 0.0, height * 8, below) for value in newest]
        blank = Segment(" " * (width - len(levels)), line)
        return Strip([blank, *(_column(level, line) for level in levels)]).simplify()


def _column(level: int, line: Style) -> Segment:
    # A full cell is drawn as its background: glyphs leave gaps where lines stand apart.
    return Segment(" ", line + _FULL) if level == 8 else Segment(_EIGHTHS[level], line)


def _level(part: float, eighths: int, below: int) -> int:
    tall = ceil(part * eighths)
    floor = 1 if below == 0 else 0
    return max(floor, min(8, tall - below))
