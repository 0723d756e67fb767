"""A table that costs the same for ten rows and for ten thousand.

Owns the dashboard's bound on work: only the lines that are on the screen are ever drawn, and rows
that did not change are not drawn again. The chosen row is remembered by its key, so that news from
the daemon never move the cursor to something else than what the operator chose.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.tone import Cell, Tone
from tui.widgets.columns import GAP, Column, Placed, place
from tui.words import clean

R = TypeVar("R")

_HEADER_LINES = 1
_MARGIN = 1


class Table(ScrollView, Generic[R], can_focus=True):
    """Rows under a fixed header, with one of them chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--empty",
        *(f"table--{tone}" for tone in Tone),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1000000000)", "First", show=False),
        Binding("end", "move(1000000000)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]
    DEFAULT_CSS = """
    Table {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    cursor: reactive[int] = reactive(0, init=False)

    class Chosen(Message):
        """The operator opened a row."""

        def __init__(self, table: "Table[Any]", row: Any) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "Table[Any]":
            """The table, for `@on(Table.Chosen, "#id")`."""
            return self.table

    class Moved(Message):
        """Another row is under the cursor."""

        def __init__(self, table: "Table[Any]") -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> "Table[Any]":
            """The table, for `@on(Table.Moved, "#id")`."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor stands in the end matters."""
            return isinstance(message, Table.Moved)

    class TitleClicked(Message):
        """The operator wants the rows sorted by a column."""

        def __init__(self, sort: str) -> None:
            super().__init__()
            self.sort = sort

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        empty: str,
        id: str,  # noqa: A002 - textual's name
        still: bool = False,
        follows: bool = False,
    ) -> None:
        super().__init__(id=id, classes="-still" if still else None)
        self._columns = columns
        self._key = key
        self._empty = empty
        self._still = still
        self._follows = follows or still  # else a cursor that nobody sees would drag it along
        self._rows: Sequence[R] | None = None
        self._placed: list[Placed[R]] = []
        self.can_focus = not still

    @property
    def rows(self) -> Sequence[R]:
        """What it shows."""
        return self._rows or ()

    @property
    def chosen(self) -> R | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[R], *, empty: str | None = None) -> None:
        """Draw these rows instead, with the cursor on the same one as before."""
        if rows == self._rows and empty in (None, self._empty):
            return
        before = self.chosen
        self._empty = empty or self._empty
        self._rows = rows
        self._resize()
        self._keep_cursor(before)
        self.refresh()

    def _keep_cursor(self, before: R | None) -> None:
        wanted = self.cursor
        if before is not None and not (self._follows and wanted == 0):
            key = self._key(before)
            if self.chosen is None or self._key(self.chosen) != key:
                found = (n for n, row in enumerate(self.rows) if self._key(row) == key)
                wanted = next(found, wanted)
        self.cursor = max(0, min(wanted, len(self.rows) - 1))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + _HEADER_LINES)

    def on_resize(self) -> None:
        """Give the columns their room anew."""
        self._placed = place(self._columns, self.scrollable_content_region.width - 2 * _MARGIN)
        self._resize()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def watch_cursor(self) -> None:
        """Keep the chosen row in sight."""
        self.scroll_to_region(
            Region(0, self.cursor, 1, 1 + _HEADER_LINES), animate=False, immediate=True
        )
        self.refresh()
        self.post_message(Table.Moved(self))

    def action_move(self, step: int) -> None:
        """Choose the row so many further down."""
        self.cursor = max(0, min(self.cursor + step, len(self.rows) - 1))

    def action_page(self, pages: int) -> None:
        """Choose the row a screen further down."""
        self.action_move(pages * max(1, self.size.height - 2))

    def action_choose(self) -> None:
        """Open the chosen row."""
        if self.chosen is not None:
            self.post_message(Table.Chosen(self, self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked, open it when it was chosen; sort by a title."""
        if event.y < _HEADER_LINES:
            self._click_title(event.x - _MARGIN)
            return
        line = event.y - _HEADER_LINES + self.scroll_offset.y
        if self._still or line >= len(self.rows):
            return
        if event.chain == 2:
            self.action_choose()
        self.cursor = line

    def _click_title(self, x: int) -> None:
        for placed in self._placed:
            if 0 <= x < placed.width and placed.column.sort:
                self.post_message(Table.TitleClicked(placed.column.sort))
            x -= placed.width + GAP

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.size.width
        if y < _HEADER_LINES:
            titles = [Cell(placed.column.title) for placed in self._placed]
            return self._line(titles, self.get_component_rich_style("table--header"), width)
        number = y - _HEADER_LINES + self.scroll_offset.y
        if number < len(self.rows):
            return self._row(self.rows[number], number, width)
        if not self.rows and y == min(_HEADER_LINES + 1, self.size.height - 1):
            return self._words(width)
        return Strip.blank(width, self.rich_style)

    def _row(self, row: R, number: int, width: int) -> Strip:
        cells = [placed.column.cell(row) for placed in self._placed]
        base = self.rich_style
        if number == self.cursor and self.has_focus and not self._still:
            base += self.get_component_rich_style("table--cursor", partial=True)
        return self._line(cells, base, width)

    def _line(self, cells: list[Cell], base: Style, width: int) -> Strip:
        parts = [Segment(" " * _MARGIN, base)]
        for placed, cell in zip(self._placed, cells, strict=True):
            style = base
            if cell.tone is not Tone.PLAIN:
                style += self.get_component_rich_style(f"table--{cell.tone}", partial=True)
            parts.append(Segment(fitted(cell.text, placed.width, right=placed.column.right), style))
            parts.append(Segment(" " * GAP, base))
        return Strip(parts).adjust_cell_length(width, base).simplify()

    def _words(self, width: int) -> Strip:
        words = "Waiting for the daemon …" if self._rows is None else self._empty
        style = self.rich_style + self.get_component_rich_style("table--empty", partial=True)
        return Strip([Segment(fitted(f"  {words}", width), style)]).adjust_cell_length(width, style)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly so many columns, with a sign where it was cut."""
    text = clean(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)
