"""How figures, times and texts from outside are put into words."""

import pytest

from tui.words import bar, clean, dollars, lasting, latency, plural, rate, size


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a�[31mb"),
        ("one\ntwo", "one two"),
        ("Grüße ✓", "Grüße ✓"),
        ("\u202eevil", "�evil"),
    ],
)
def test_nothing_from_outside_can_steer_the_terminal(text: str, shown: str):
    """Control characters and marks that turn text around are shown as what they are: none of ours."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("part", "drawn"),
    [(0, "────"), (0.001, "╾───"), (0.5, "━━──"), (0.99, "━━━╾"), (1, "━━━━"), (3, "━━━━")],
)
def test_a_bar_is_full_only_at_the_end_and_never_empty_after_the_beginning(part: float, drawn: str):
    """One missing version of a million must not look like none."""
    assert bar(part, 4) == drawn


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_length_of_time_is_told_in_its_two_greatest_units(seconds: float, words: str):
    """More than that nobody reads in five seconds."""
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (size(1023), "1023 B"), (size(1536), "1.5 KiB"), (size(200 * 1024**3), "200 GiB"),
        (latency(0.0008), "0.8 ms"), (latency(0.118), "118 ms"), (latency(1.74), "1.7 s"),
        (rate(0), "0/s"), (rate(0.4), "0.4/s"), (rate(1204), "1,204/s"),
        (dollars(0.3371), "$0.3371"), (dollars(18.42), "$18.42"), (plural(1, "job"), "1 job"),
        (plural(2, "job"), "2 jobs"),
    ],
)  # fmt: skip
def test_figures_are_told_with_their_unit(told: str, words: str):
    """The unit is the one in which plans and bills are counted."""
    assert told == words
