"""The two objects that the daemon promises to its clients: an item with versions, and a limit.

Each is told as if it did one thing at a time; that several daemons at once look like this is what
the checker finds out.
"""

from typing import Any

import msgspec

MISSING = "missing"
"""The answer where there is nothing, or nothing any more."""
CONFLICT = "conflict"
"""The answer where `if_version` was not the present one."""
FULL = "full"
"""The answer where there was no room."""


class Create(msgspec.Struct, frozen=True):
    """Make the item; answered with `Seen`."""

    body: str


class Read(msgspec.Struct, frozen=True):
    """Show it; answered with `Seen` or MISSING."""


class Patch(msgspec.Struct, frozen=True):
    """Give it another body; answered with its version, CONFLICT or MISSING."""

    body: str
    if_version: int | None = None


class Delete(msgspec.Struct, frozen=True):
    """Take it away; answered with DONE, CONFLICT or MISSING."""

    if_version: int | None = None


DONE = "done"


class Seen(msgspec.Struct, frozen=True):
    """An item as somebody was shown it, or as it stands."""

    version: int
    body: str


class Item(msgspec.Struct, frozen=True):
    """How an item stands; version 0 was never made."""

    version: int = 0
    body: str = ""
    is_alive: bool = False


class VersionedItem:
    """A content item: each write is the next version, and the version guards it where asked to."""

    def start(self) -> Item:
        """Nothing was made."""
        return Item()

    def step(self, item: Item, call: Any, answer: Any) -> Item | None:
        """Do it, and compare what the item says with what was heard."""
        said, after = _carry_out(item, call)
        return after if answer in (None, said) else None


def _carry_out(item: Item, call: Any) -> tuple[Any, Item]:
    if isinstance(call, Create):
        made = Item(1, call.body, is_alive=True)
        return (Seen(1, call.body), made) if item.version == 0 else (CONFLICT, item)
    if not item.is_alive:
        return MISSING, item
    if isinstance(call, Read):
        return Seen(item.version, item.body), item
    if call.if_version not in (None, item.version):
        return CONFLICT, item
    if isinstance(call, Patch):
        after = Item(item.version + 1, call.body, is_alive=True)
        return after.version, after
    return DONE, Item(item.version + 1, item.body)


class Take(msgspec.Struct, frozen=True):
    """Use room; answered with DONE or FULL."""

    amount: int


class Give(msgspec.Struct, frozen=True):
    """Free room that was used; answered with DONE."""

    amount: int


class Look(msgspec.Struct, frozen=True):
    """Say how much is used; answered with that number."""


class BoundedCounter:
    """A tenant's room: as much as fits is admitted, and nothing is refused that would fit."""

    def __init__(self, limit: int, used: int = 0) -> None:
        self._limit = limit
        self._used = used

    def start(self) -> int:
        """As much as was used before."""
        return self._used

    def step(self, used: int, call: Any, answer: Any) -> int | None:
        """Do it, and compare what the ledger says with what was heard."""
        said: Any
        if isinstance(call, Look):
            said, after = used, used
        elif isinstance(call, Give):
            said, after = DONE, used - call.amount
        else:
            fits = used + call.amount <= self._limit
            said, after = (DONE, used + call.amount) if fits else (FULL, used)
        return after if answer in (None, said) else None
