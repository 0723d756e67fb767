"""Text that others wrote."""

import pytest

from engarde_daemon.domain.outside_text import one_line


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It is down.", "It is down."),
        ("a\x00b\x1b[2Jc", "a b [2Jc"),
        ("one\r\n\ttwo", "one two"),
        ("\u202eright to left", "right to left"),
        ("\ud800 half a pair", "half a pair"),
        ("", ""),
    ],
)
def test_it_is_one_line_of_what_prints(written: str, shown: str):
    """Whatever else is in it, words stay apart."""
    assert one_line(written, 100) == shown


def test_it_is_bounded():
    """However much is sent."""
    assert one_line("x" * 1000, 10) == "x" * 10
