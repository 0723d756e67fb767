"""What crosses from one part of the dashboard to another."""

from textual.message import Message

from tui.orders import Order


class Ordered(Message):
    """The operator wants something done."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


class Navigated(Message):
    """The operator wants to see another page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
