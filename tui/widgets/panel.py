"""A frame with a title around something."""

from textual.containers import Vertical
from textual.widget import Widget


class Panel(Vertical):
    """The frame; `-inside` marks the one that has the keyboard."""

    def __init__(self, title: str, *children: Widget, id: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(*children, id=id, classes="panel")
        self.border_title = title
