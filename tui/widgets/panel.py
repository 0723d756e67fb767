"""A frame with a title around something.

Owns the rule that a title from outside is shown word by word: given as a string it would be read as
markup (textual 8.2), which swallows what stands in brackets, or raises.
"""

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui.words import clean


class Panel(Vertical):
    """The frame; it stands out while something in it has the keyboard."""

    def __init__(self, title: str, *children: Widget, id: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(*children, id=id, classes="panel")
        self.border_title = title


def title_of(text: str) -> Content:
    """The title of a frame, word by word."""
    return Content(clean(text))
