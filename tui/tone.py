"""How well something is, and the sign and the colour that say so.

Owns the rule that colour never speaks alone: each tone has a sign of its own, which survives a
terminal without colours and eyes that tell red from green no better.
"""

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """How something is meant to be taken; the value is the class that the style sheet colours."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"
    ACCENT = "accent"
    STRONG = "strong"


_SIGNS = {Tone.GOOD: "✓", Tone.WARNING: "!", Tone.FAULT: "✗", Tone.ACCENT: "▸"}


def sign(tone: Tone) -> str:
    """The sign that stands beside the colour."""
    return _SIGNS.get(tone, "·")


class Cell(NamedTuple):
    """A short text and how it is meant."""

    text: str
    tone: Tone = Tone.PLAIN


def signed(tone: Tone) -> Cell:
    """A cell of nothing but the sign."""
    return Cell(sign(tone), tone)


_ROLES = {
    Tone.PLAIN: "",
    Tone.QUIET: "$text-quiet",
    Tone.GOOD: "$success",
    Tone.WARNING: "$warning",
    Tone.FAULT: "$error",
    Tone.ACCENT: "$primary",
    Tone.STRONG: "bold",
}


def role(tone: Tone) -> str:
    """The tone in the words of the theme, for text that is put together in place."""
    return _ROLES[tone]
