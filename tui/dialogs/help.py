"""What a page is for, and what every key does there."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.page import PAGES, Page

_EVERYWHERE = (
    (f"1 – {len(PAGES)}", "open a page; a click on its name does, too"),
    ("↑ ↓ PgUp PgDn Home End", "move in a list; j and k do, too"),
    ("Tab", "go to the next list or field"),
    ("Enter", "open the chosen row"),
    ("^p", "the palette: everything that can be done, by name"),
    ("^t", "light or dark"),
    ("q", "leave; the daemon runs on"),
)
_SIGNS = "✓ as it should be   ! look at it   ✗ a promise does not hold   · nothing to say"


class Help(ModalScreen[None]):
    """Explains the page below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close")
    ]

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        """Purpose, keys, signs."""
        with VerticalScroll(classes="dialog -help") as box:
            box.border_title = f"Help · {PAGES[self._page.NAME]}"
            box.border_subtitle = "Esc closes"
            yield Static(self._page.HELP, markup=False)
            yield Static(Content("\n").join(self._keys()), classes="keys")
            yield Static(_SIGNS, classes="signs", markup=False)

    def _keys(self) -> Iterator[Content]:
        for binding in self._page.BINDINGS:
            if isinstance(binding, Binding):
                key = binding.key_display or binding.key
                yield _line(key, binding.tooltip or binding.description)
        for key, words in _EVERYWHERE:
            yield _line(key, words)


def _line(key: str, words: str) -> Content:
    return Content.assemble((f"{key:<24}", "bold $primary"), words)
