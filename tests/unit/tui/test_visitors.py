"""Who may stay in front of the dashboard in a browser, and for how long."""

from collections.abc import Iterator
from itertools import count

import anyio
import anyio.lowlevel
import pytest

from tui.web.visitors import IDLE_LIMIT_S, STAY_LIMIT_S, VISITORS_MAX, Visitors


class Hall:
    """Visitors, on a clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._tokens: Iterator[int] = count()
        self.visitors = Visitors(
            clock=lambda: self.now, draw_token=lambda: f"token-{next(self._tokens)}"
        )

    def admitted(self, key: str = "key") -> str:
        """The token of a new visitor."""
        token = self.visitors.admit(key)
        assert token is not None
        return token


@pytest.fixture
def hall() -> Hall:
    """Nobody is here yet."""
    return Hall()


def test_a_token_that_was_never_given_is_nobodys(hall: Hall):
    """Not even the empty one of a browser without a cookie."""
    hall.admitted()

    assert hall.visitors.recognise("") is None
    assert hall.visitors.recognise("token-9") is None


def test_who_does_nothing_must_show_the_key_again(hall: Hall):
    """Half an hour after the last sign, and not a second before."""
    token = hall.admitted()
    hall.now += IDLE_LIMIT_S - 1
    assert hall.visitors.recognise(token) is not None

    hall.now += IDLE_LIMIT_S

    assert hall.visitors.recognise(token) is None


async def test_an_open_window_keeps_its_visitor_but_not_for_ever(hall: Hall):
    """An operator may watch for a working day."""
    token = hall.admitted()
    visitor = hall.visitors.recognise(token)
    assert visitor is not None
    with visitor.window():
        hall.now += STAY_LIMIT_S - 1
        assert hall.visitors.recognise(token) is visitor

        hall.now += 1
        assert hall.visitors.recognise(token) is None


async def test_whoever_leaves_has_their_windows_closed(hall: Hall):
    """All of them, wherever they are open."""
    token = hall.admitted()
    visitor = hall.visitors.recognise(token)
    assert visitor is not None

    with visitor.window() as window:
        hall.visitors.dismiss(token)
        await anyio.lowlevel.checkpoint()

    assert window.cancelled_caught
    assert hall.visitors.recognise(token) is None


def test_there_is_room_for_so_many_until_somebody_goes(hall: Hall):
    """Memory is bounded; who is gone takes no place."""
    for _ in range(VISITORS_MAX):
        hall.admitted()
    assert hall.visitors.admit("one more") is None

    hall.now += IDLE_LIMIT_S

    assert hall.visitors.admit("one more") is not None


def test_a_key_stands_in_no_text_about_its_visitor(hall: Hall):
    """What is printed by accident tells nothing."""
    visitor = hall.visitors.recognise(hall.admitted("eg_secret"))

    assert "eg_secret" not in repr(visitor)


async def test_the_half_hour_begins_when_the_last_window_is_closed(hall: Hall):
    """Whoever closes the browser after an hour may come back in a minute."""
    token = hall.admitted()
    visitor = hall.visitors.recognise(token)
    assert visitor is not None
    with visitor.window():
        hall.now += 2 * IDLE_LIMIT_S

    hall.now += IDLE_LIMIT_S - 1
    assert hall.visitors.recognise(token) is visitor
