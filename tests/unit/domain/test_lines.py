"""Which lines changed, for texts of every kind and in bounded time."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.lines import Block, changed_blocks, changed_stretch

FEW_WORDS = st.lists(st.sampled_from(["", "a", "b", "c", "ab", "\r"]), max_size=12)
TEXTS = FEW_WORDS.map("\n".join) | st.text(alphabet="ab\n \r\u2028", max_size=30)
LARGE = 100_000


def blocks_of(old: str, new: str) -> list[Block]:
    """What changed between two texts."""
    return changed_blocks(changed_stretch(old, new))


def replayed(old: str, blocks: list[Block]) -> str:
    """The old text with its blocks exchanged."""
    lines = old.split("\n")
    for start, was, now in reversed(blocks):
        assert lines[start : start + len(was)] == was
        lines[start : start + len(was)] = now
    return "\n".join(lines)


@given(old=TEXTS, new=TEXTS)
def test_the_blocks_lead_from_the_one_text_to_the_other(old: str, new: str):
    """Each says truly what stood there, and they do not overlap."""
    assert replayed(old, blocks_of(old, new)) == new


@given(text=TEXTS)
def test_equal_texts_have_no_blocks(text: str):
    """Nothing changed."""
    assert blocks_of(text, text) == []


@given(old=TEXTS, new=TEXTS)
def test_no_block_begins_or_ends_with_a_line_it_shares(old: str, new: str):
    """A block is as small as its place allows."""
    for _, was, now in blocks_of(old, new):
        assert was != now
        assert not was or not now or (was[0] != now[0] and was[-1] != now[-1])


@given(lines=st.lists(st.integers(), unique=True, min_size=1, max_size=40), data=st.data())
def test_lines_that_stand_alone_are_never_taken_for_changed(lines: list[int], data: st.DataObject):
    """Whatever was removed around them."""
    kept = data.draw(st.lists(st.sampled_from(lines), unique=True))
    new = [line for line in lines if line in kept]

    blocks = blocks_of("\n".join(map(str, lines)), "\n".join(map(str, new)))

    removed = [line for block in blocks for line in block.old]
    assert removed == [str(line) for line in lines if line not in kept]


def numbered(count: int) -> list[str]:
    """As many lines, no two alike."""
    return [f"Line {number} of a long article." for number in range(count)]


def test_changes_far_apart_are_blocks_of_their_own():
    """What lies between them is left alone, however long the article."""
    old = numbered(LARGE)
    new = [*old[:10], "new", *old[10:50_000], "changed", *old[50_001:90_000], *old[90_001:]]

    assert blocks_of("\n".join(old), "\n".join(new)) == [
        Block(10, [], ["new"]),
        Block(50_000, [old[50_000]], ["changed"]),
        Block(90_000, [old[90_000]], []),
    ]


def test_a_paragraph_that_moved_is_taken_out_and_put_in():
    """The longer run of lines in order is what stays."""
    assert blocks_of("a\nb\nc\nd\ne", "d\na\nb\nc\ne") == [
        Block(0, [], ["d"]),
        Block(3, ["d"], []),
    ]


def _shuffled(lines: list[str]) -> list[str]:
    return random.Random(1).sample(lines, len(lines))


@pytest.mark.parametrize(
    "disturb",
    [
        _shuffled,
        lambda lines: lines[::-1],
        lambda lines: [line for place, line in enumerate(lines) if place % 3],
        lambda lines: [line if place % 2 else "other" for place, line in enumerate(lines)],
        lambda lines: [str(place % 7) for place, _ in enumerate(lines)],
        lambda lines: [str(place.bit_count() % 2) for place, _ in enumerate(lines)],
    ],
    ids=["shuffled", "reversed", "every third gone", "every other new", "periodic", "Thue-Morse"],
)
@pytest.mark.timeout(120)
def test_a_text_that_repeats_or_reorders_itself_takes_no_long_time(
    disturb: Callable[[list[str]], list[str]],
):
    """A comparison whose time grew with the square would not end within the test's limit."""
    old = numbered(LARGE)
    new = "\n".join(disturb(old))

    assert replayed("\n".join(old), blocks_of("\n".join(old), new)) == new
