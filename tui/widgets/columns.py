"""What the columns of a table show, and which of them there is room for.

Owns the answer to a narrow terminal: columns leave in the order of their `rank`, the highest first,
and what room is left is shared out among those that may grow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.tone import Cell

R = TypeVar("R")

GAP = 2


@dataclass(frozen=True, kw_only=True)
class Column(Generic[R]):
    """One column: what it is called, what it shows of a row, and how much room it needs."""

    title: str
    cell: Callable[[R], Cell]
    width: int
    grows: bool = False
    right: bool = False
    rank: int = 0
    """0 stays always; the higher, the sooner it leaves a narrow terminal."""
    sort: str | None = None
    """What the rows are sorted by when its title is clicked."""


@dataclass(frozen=True)
class Placed(Generic[R]):
    """A column with the room that it has got."""

    column: Column[R]
    width: int


def place(columns: Sequence[Column[R]], room: int) -> list[Placed[R]]:
    """Give each column its room, and leave out those for which there is none."""
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > room:
        highest = max(column.rank for column in kept)
        if highest == 0:
            break
        kept.remove([column for column in kept if column.rank == highest][-1])
    growing = sum(column.grows for column in kept)
    spare = max(0, room - _needed(kept))
    placed = []
    for column in kept:
        part = 0
        if column.grows:
            part = spare // growing
            spare, growing = spare - part, growing - 1
        placed.append(Placed(column, column.width + part))
    return placed


def _needed(columns: Sequence[Column[R]]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
