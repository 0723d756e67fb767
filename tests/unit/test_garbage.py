"""The collector leaves a running daemon alone, and still finds what only it can find."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from engarde_daemon import garbage


class Ring:
    """Something that only the collector can remove."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def own_pace() -> Iterator[None]:
    """Give the collector of this process back as it was."""
    before, was_on = gc.get_threshold(), gc.isenabled()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    if not was_on:
        gc.disable()


def rings_alive_after(count: int) -> int:
    """How many of so many rings are still there, with the collector at work."""
    gc.enable()
    return sum(one() is not None for one in [weakref.ref(Ring()) for _ in range(count)])


def test_it_looks_once_in_many_thousand_objects() -> None:
    """A few thousand new objects do not make it look."""
    gc.collect()
    garbage.look_seldom()

    assert rings_alive_after(garbage.NEW_OBJECTS // 4) == garbage.NEW_OBJECTS // 4


def test_garbage_does_not_grow_for_ever() -> None:
    """It looks before twice as many objects are garbage as it waits for."""
    gc.collect()
    garbage.look_seldom()

    assert rings_alive_after(4 * garbage.NEW_OBJECTS) < 2 * garbage.NEW_OBJECTS


def test_what_a_start_leaves_is_not_looked_at_again() -> None:
    """What was there at the end of the start is never looked at, even if it becomes garbage."""
    kept = Ring()
    there = weakref.ref(kept)
    garbage.keep_what_is_there()
    del kept

    gc.collect()

    assert there() is not None


def test_garbage_of_the_start_is_taken_out_once() -> None:
    """What was garbage by then does not stay for life."""
    gone = weakref.ref(Ring())

    garbage.keep_what_is_there()

    assert gone() is None


def test_at_the_end_everything_is_looked_at() -> None:
    """What was kept out of all looks, too."""
    kept = Ring()
    there = weakref.ref(kept)
    garbage.keep_what_is_there()
    garbage.look_at_everything()
    del kept

    gc.collect()

    assert there() is None
