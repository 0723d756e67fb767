"""The two lines on top of every page: which daemon, whether content is safe, where one is."""

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui.messages import Navigated
from tui.tone import Cell, Tone
from tui.widgets.table import fitted

_NAME = " EN GARDE "


class Masthead(Widget):
    """One line: the daemon on the left, the verdict and the connection on the right."""

    COMPONENT_CLASSES = {"masthead--name", *(f"masthead--{tone}" for tone in Tone)}  # noqa: RUF012 - textual's form
    DEFAULT_CSS = """
    Masthead { height: 1; }
    """

    daemon: reactive[str] = reactive("")
    state: reactive[tuple[Cell, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """Draw the line; what the daemon is called makes room for how it is."""
        del y
        width = self.size.width
        right = self._states()
        taken = sum(cell_len(segment.text) for segment in right)
        name = Segment(_NAME, self._style("name"))
        room = max(0, width - len(_NAME) - taken)
        middle = Segment(fitted(f"  {self.daemon}", room), self._style(Tone.QUIET))
        return Strip([name, middle, *right]).adjust_cell_length(width, self.rich_style)

    def _states(self) -> list[Segment]:
        parts = []
        for cell in self.state:
            parts.append(Segment(f" {cell.text}", self._style(cell.tone)))
            parts.append(Segment(" ", self.rich_style))
        return parts

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"masthead--{name}", partial=True)


class Navigation(Horizontal):
    """The names of all pages with their keys; the one that is open stands out."""

    def __init__(self, pages: dict[str, str], current: str) -> None:
        super().__init__()
        self._pages = pages
        self._current = current

    def compose(self) -> ComposeResult:
        """One tab a page."""
        for number, (page, title) in enumerate(self._pages.items(), 1):
            yield _Tab(number, page, title, active=page == self._current)


class _Tab(Static):
    def __init__(self, number: int, page: str, title: str, *, active: bool) -> None:
        super().__init__(f"{number} {title}", classes="-active" if active else "", markup=False)
        self._page = page

    def on_click(self) -> None:
        """Open the page."""
        self.post_message(Navigated(self._page))
