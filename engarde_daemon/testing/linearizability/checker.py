"""The search for an order that explains a history.

Three things keep it short. A configuration (what has been placed, and the state it leads to) is
never tried twice. What an object answers without changing is placed as soon as it fits, because no
order can be spoiled by that. And operations without an answer are placed only where they explain
something: the search ends when every answer is explained, whatever is still open.
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from engarde_daemon.testing.linearizability.history import History, Operation

CONFIGURATIONS_MAX = 1_000_000
SHOWN = 12

S = TypeVar("S", bound=Hashable)


class Model(Protocol[S]):
    """What one object does when one thing after the other happens to it."""

    def start(self) -> S:
        """Give the state before anything happened."""

    def step(self, state: S, call: Any, answer: Any) -> S | None:
        """Give the state after a call that was answered so, or None where it cannot be.

        An answer of None is one that nobody heard: whatever the object would say is right.
        """


class NotLinearizable(AssertionError):
    """No order of the operations explains the answers; the text shows how far one comes."""


class Undecided(Exception):
    """The search took too long, so nothing is known about the history."""


def check(history: History, model: Model[Any]) -> None:
    """Judge a history, each of its objects alone.

    Raises:
        NotLinearizable: Some object's answers cannot come from one that does one thing at a time.
        Undecided: There were too many possibilities.
    """
    for item, operations in history.by_item():
        _Search(item, operations, model).run()


class _Search:
    """The search for one object's order."""

    def __init__(self, item: str, operations: Sequence[Operation], model: Model[Any]) -> None:
        self._item = item
        self._operations = operations
        self._model = model
        self._answered = sum(1 << place for place, one in enumerate(operations) if not one.is_open)
        self._tried: set[tuple[int, Hashable]] = set()
        self._furthest: tuple[int, tuple[int, ...], Any] = (-1, (), None)

    def run(self) -> None:
        """Search in depth; the stack holds what is still to be tried after each placing."""
        placed, state, order = self._settled(0, self._model.start(), ())
        stack = [(self._moves(placed, state), placed, order)]
        while placed & self._answered != self._answered:
            if not stack:
                raise NotLinearizable(self._told())
            moves, before, order = stack[-1]
            move = next(moves, None)
            if move is None:
                stack.pop()
                placed = before
                continue
            place, state = move
            placed, state, order = self._settled(before | 1 << place, state, (*order, place))
            if self._is_new(placed, state):
                stack.append((self._moves(placed, state), placed, order))

    def _moves(self, placed: int, state: Any) -> Iterator[tuple[int, Any]]:
        """What can come next, with the state it leads to."""
        # What was answered first: it must have a place, and the others only may have one.
        places = sorted(self._candidates(placed), key=lambda place: self._operations[place].is_open)
        for place in places:
            one = self._operations[place]
            after = self._model.step(state, one.call, one.answer)
            if after is not None and (after != state or not one.is_open):
                yield place, after

    def _settled(
        self, placed: int, state: Any, order: tuple[int, ...]
    ) -> tuple[int, Any, tuple[int, ...]]:
        """Place everything that was answered and fits without changing the state."""
        while True:
            quiet = [place for place in self._candidates(placed) if self._is_quiet(place, state)]
            if not quiet:
                self._note(placed, state, order)
                return placed, state, order
            placed |= sum(1 << place for place in quiet)
            order = (*order, *quiet)

    def _is_quiet(self, place: int, state: Any) -> bool:
        one = self._operations[place]
        return not one.is_open and self._model.step(state, one.call, one.answer) == state

    def _candidates(self, placed: int) -> Iterator[int]:
        """Those that began before any other ended that has no place yet."""
        horizon = math.inf
        first = (~placed & (placed + 1)).bit_length() - 1  # the lowest that has no place
        for place in range(first, len(self._operations)):
            one = self._operations[place]
            if one.began > horizon:
                return  # nor can a later one have ended sooner
            if not placed >> place & 1:
                horizon = min(horizon, one.ended)
                yield place

    def _is_new(self, placed: int, state: Any) -> bool:
        configuration = (placed, state)
        if configuration in self._tried:
            return False
        self._tried.add(configuration)
        if len(self._tried) > CONFIGURATIONS_MAX:
            raise Undecided(f"{self._item}: more than {CONFIGURATIONS_MAX} possibilities")
        return True

    def _note(self, placed: int, state: Any, order: tuple[int, ...]) -> None:
        explained = (placed & self._answered).bit_count()
        if explained > self._furthest[0]:
            self._furthest = (explained, order, state)

    def _told(self) -> str:
        _, order, state = self._furthest
        placed = sum(1 << place for place in order)
        before = [_line(self._operations[place]) for place in order[-SHOWN:]]
        after = [_line(self._operations[place]) for place in self._candidates(placed)][:SHOWN]
        head = f"{self._item}: {len(self._operations)} operations, {len(order)} in an order:"
        turn = f"lead to {state}, and none of these can follow:"
        return "\n".join([head, *before, turn, *after])


def _line(one: Operation) -> str:
    answer = "no answer" if one.is_open else f"{one.answer}"
    return f"  {one.began:.6f}…{one.ended:.6f} {one.client} {one.call} -> {answer}"
