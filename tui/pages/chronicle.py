"""What happened, the newest on top: a list that is filtered by word and level and held at wish.

Owns what such pages share, so that an operator learns their keys once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.feed import Feed
from tui.page import PAGES, Page
from tui.sight import Sight
from tui.widgets.columns import Column
from tui.widgets.panel import Panel, title_of
from tui.widgets.table import Table
from tui.words import plural

E = TypeVar("E")


class Chronicle(Page, Generic[E]):
    """A page of entries."""

    UNIT: ClassVar[str]
    EMPTY: ClassVar[str]
    LEVELS: ClassVar[Mapping[str, frozenset[str]]]
    """Which levels are shown, under what one calls them; the first choice shows all."""
    COLUMNS: ClassVar[Sequence[Column[Any]]]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Filter", key_display="/", tooltip="only those with a word"),
        Binding("l", "level", "Level", tooltip="all, warnings and worse, the gravest only"),
        Binding("h", "hold", "Hold", tooltip="hold the list still, or let it run"),
    ]

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__(sight, feed)
        self._choice = 0
        self._word = ""
        self._held: Sequence[E] | None = None

    def entries(self) -> Iterable[E]:
        """Everything that is known, the oldest first."""
        raise NotImplementedError

    def key(self, entry: E) -> str:
        """What an entry is known by."""
        raise NotImplementedError

    def level(self, entry: E) -> str:
        """How grave an entry is."""
        raise NotImplementedError

    def texts(self, entry: E) -> Iterable[str]:
        """Where a word is looked for."""
        raise NotImplementedError

    def detail(self, entry: E) -> tuple[str, str]:
        """Title and words of the entry under the cursor."""
        raise NotImplementedError

    def parts(self) -> Iterable[Widget]:
        """Filter, the list, and the entry under the cursor in full."""
        with Horizontal(id="filters"):
            yield Input(placeholder="only with this word …", id="search", compact=True)
            yield Static("", id="levels", markup=False)
        table = Table(self.COLUMNS, key=self.key, empty=self.EMPTY, id=self.NAME, follows=True)
        yield Panel(PAGES[self.NAME], table)
        yield Static("", id="detail", classes="panel detail", markup=False)

    def show(self) -> None:
        """Draw what passes the filter."""
        entries = self._held if self._held is not None else self._newest_first()
        found = [entry for entry in entries if self._passes(entry)]
        nothing = f"No {self.UNIT} passes the filter." if entries else self.EMPTY
        self.query_one(Table).show(found, empty=nothing)
        held = " · held" if self._held is not None else ""
        self.query_one("#levels", Static).update(f"{list(self.LEVELS)[self._choice]}{held}")
        self.query_one(Panel).border_subtitle = plural(len(found), self.UNIT)
        self._tell()

    def action_search(self) -> None:
        """Type what to look for."""
        self.query_one("#search").focus()

    def action_level(self) -> None:
        """Change how grave an entry must be."""
        self._choice = (self._choice + 1) % len(self.LEVELS)
        self.show()

    def action_hold(self) -> None:
        """Hold the list still, or let it run."""
        self._held = self._newest_first() if self._held is None else None
        self.show()

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        self._word = event.value.strip().casefold()
        self.show()

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.query_one(Table).focus()

    @on(Table.Moved)
    def _tell(self) -> None:
        entry: E | None = self.query_one(Table).chosen
        panel = self.query_one("#detail", Static)
        title, words = self.detail(entry) if entry is not None else ("", "")
        panel.border_title = title_of(title)
        panel.update(words)

    def _newest_first(self) -> Sequence[E]:
        return list(reversed(list(self.entries())))

    def _passes(self, entry: E) -> bool:
        if self.level(entry) not in list(self.LEVELS.values())[self._choice]:
            return False
        return not self._word or any(self._word in text.casefold() for text in self.texts(entry))
