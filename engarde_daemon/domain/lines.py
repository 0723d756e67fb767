"""Which lines of a text became which others.

Owns the bound on that question: the answer takes time that grows with the length of the texts, not
with how they repeat or reorder themselves. Lines that stand once in both texts are the anchors
between which the rest is compared, as in Bram Cohen's patience diff; where there are none, a
stretch counts as changed from its first differing line to its last.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

ROUNDS_MAX = 8
"""How often what lies between two anchors is searched for anchors of its own."""


class Stretch(NamedTuple):
    """What is left of two texts without the lines they share at both ends, and its first line."""

    start: int
    old: str
    new: str


class Block(NamedTuple):
    """Lines that differ: where they start in the old text, what stood there, what stands there."""

    start: int
    old: list[str]
    new: list[str]


def changed_stretch(old: str, new: str) -> Stretch:
    """Cut off the whole lines that two texts share at their start and at their end."""
    head = old.rfind("\n", 0, _longest(min(len(old), len(new)), _starts_agree(old, new))) + 1
    start = old.count("\n", 0, head)
    old, new = old[head:], new[head:]
    shared = _longest(min(len(old), len(new)), _ends_agree(old, new))
    cut = old.find("\n", len(old) - shared)
    tail = len(old) - cut if cut >= 0 else 0
    return Stretch(start, old[: len(old) - tail], new[: len(new) - tail])


def changed_blocks(stretch: Stretch) -> list[Block]:
    """The blocks of differing lines, in the order of the text."""
    whole = Block(stretch.start, stretch.old.split("\n"), stretch.new.split("\n"))
    return list(_parts(whole, ROUNDS_MAX))


def _parts(block: Block, rounds: int) -> Iterator[Block]:
    trimmed = _trimmed(block)
    if not trimmed.old and not trimmed.new:
        return
    anchors = _anchors(trimmed.old, trimmed.new) if rounds else []
    if not anchors:
        yield trimmed
        return
    place = position = 0
    for next_place, next_position in [*anchors, (len(trimmed.old), len(trimmed.new))]:
        old, new = trimmed.old[place:next_place], trimmed.new[position:next_position]
        yield from _parts(Block(trimmed.start + place, old, new), rounds - 1)
        place, position = next_place + 1, next_position + 1


def _trimmed(block: Block) -> Block:
    start, old, new = block
    head = _common(zip(old, new, strict=False))
    old, new = old[head:], new[head:]
    tail = _common(zip(reversed(old), reversed(new), strict=False))
    return Block(start + head, old[: len(old) - tail], new[: len(new) - tail])


def _common(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Where lines stand that both texts have once, as many as there are in the same order."""
    places = _places_of_single_lines(old)
    positions = _places_of_single_lines(new)
    shared = [(place, positions[line]) for line, place in places.items() if line in positions]
    return _longest_rising(shared)


def _places_of_single_lines(lines: Sequence[str]) -> dict[str, int]:
    counts = Counter(lines)
    return {line: place for place, line in enumerate(lines) if counts[line] == 1}


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence whose second numbers rise, as patience sorting finds it."""
    tops: list[int] = []  # the smallest number on which a sequence of each length can end
    last: list[int] = []  # the index of the pair with that number
    before: list[int] = []  # for each pair, the one it follows
    for index, (_, position) in enumerate(pairs):
        length = bisect_left(tops, position)
        before.append(last[length - 1] if length else -1)
        tops[length : length + 1] = [position]
        last[length : length + 1] = [index]
    found = []
    index = last[-1] if last else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _starts_agree(old: str, new: str) -> Callable[[int, int], bool]:
    return lambda low, high: old[low:high] == new[low:high]


def _ends_agree(old: str, new: str) -> Callable[[int, int], bool]:
    a, b = len(old), len(new)
    return lambda low, high: old[a - high : a - low] == new[b - high : b - low]


def _longest(most: int, agree: Callable[[int, int], bool]) -> int:
    """How many characters agree; `agree` compares those from one number on up to another."""
    known, open_end = 0, most
    while known < open_end:
        middle = (known + open_end + 1) // 2
        if agree(known, middle):
            known = middle
        else:
            open_end = middle - 1
    return known
