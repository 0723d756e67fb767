"""What the batch APIs of fake providers have in common: orders, and how far each is.

Owns the count here, too: an item is asked and charged when it was worked on, once, whoever reads
the answer and however often.
"""

import itertools
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

_NUMBERS = itertools.count(1)
"""A provider never gives a name twice, however often a test begins anew."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of any kind, as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes


class Outcome(msgspec.Struct, frozen=True):
    """What became of one item: `succeeded`, `errored`, `canceled` or `expired`."""

    kind: str
    status: int = 200
    body: dict[str, Any] = {}


class Order(msgspec.Struct, kw_only=True):
    """A batch at a provider."""

    id: str
    path: str
    items: dict[str, dict[str, Any]]
    made_at: datetime
    tags: dict[str, str] = {}
    file: str = ""
    looks: int = 0
    is_cancelled: bool = False
    outcomes: dict[str, Outcome] = msgspec.field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether every item has an outcome."""
        return len(self.outcomes) == len(self.items)

    def count(self, kind: str) -> int:
        """How many items came to this."""
        return sum(1 for one in self.outcomes.values() if one.kind == kind)


class Shop:
    """All batches of a provider, and how tests have them go.

    An order ends when it was asked about `looks_needed` times; `done_before_end` bounds what is
    answered until then, and what is left expires, or is cancelled where somebody wished that.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.files: dict[str, bytes] = {}
        self.looks_needed = 2
        self.done_before_end: int | None = None
        self.next_unheard: deque[int] = deque()
        """Statuses that the next orders are answered with although they were taken."""
        self.next_refused: deque[tuple[int, str]] = deque()
        """Statuses and codes that the next orders are refused with."""
        self.listed = 0

    def add(self, prefix: str, path: str, items: dict[str, dict[str, Any]]) -> Order:
        """Take an order."""
        name = f"{prefix}{next(_NUMBERS)}"
        order = Order(id=name, path=path, items=items, made_at=datetime.now(UTC))
        self.orders[order.id] = order
        return order

    def newest_first(self, after: str | None) -> list[Order]:
        """Orders, from after this one on."""
        self.listed += 1
        newest = list(reversed(self.orders.values()))
        if after is None:
            return newest
        place = next(n for n, order in enumerate(newest) if order.id == after)
        return newest[place + 1 :]

    def look(self, order: Order, work: Callable[[dict[str, Any]], Outcome]) -> None:
        """Go on with an order because somebody looks at it."""
        order.looks += 1
        if not order.is_over and (order.is_cancelled or order.looks >= self.looks_needed):
            self._finish(order, work)

    def _finish(self, order: Order, work: Callable[[dict[str, Any]], Outcome]) -> None:
        for number, (name, body) in enumerate(order.items.items()):
            if self.done_before_end is not None and number >= self.done_before_end:
                order.outcomes[name] = Outcome("canceled" if order.is_cancelled else "expired")
            else:
                order.outcomes[name] = work(body)
