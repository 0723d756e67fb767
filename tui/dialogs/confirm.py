"""The question before an order is sent.

Owns the typed confirmation: what changes where content is read from is sent only after its word was
typed, so that no slip of a finger does it.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui.orders import Order
from tui.widgets.panel import title_of
from tui.words import clean


class Confirm(ModalScreen[bool]):
    """Asks whether an order is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Leave it")]

    def __init__(self, order: Order) -> None:
        super().__init__()
        self._order = order

    def compose(self) -> ComposeResult:
        """What will happen, the word to type, and the two ways out."""
        order = self._order
        with Vertical(classes="dialog") as box:
            box.border_title = title_of(order.title)
            yield Static(clean(order.effect), classes="effect", markup=False)
            if order.typed:
                yield Static(f"Type {order.typed} to go on.", classes="ask", markup=False)
                yield Input(placeholder=order.typed, id="typed")
            with Horizontal(classes="buttons"):
                yield Button("Leave it", id="leave", compact=True)
                yield Button(
                    "Do it", id="go", variant="primary", disabled=bool(order.typed), compact=True
                )

    def on_mount(self) -> None:
        """Begin with the word, or with the way back."""
        self.query_one("#typed" if self._order.typed else "#leave").focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#go", Button).disabled = event.value.strip() != self._order.typed

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip() == self._order.typed:
            self.dismiss(True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "go")
