"""How figures, times and texts from outside are put into words.

Owns the promise that nothing from outside can steer the terminal: `clean` lets only printable
characters through, and everything drawn passes it.
"""

from datetime import datetime

_STEPS = "KMGTP"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def clean(text: str) -> str:
    """The text on one line, with a sign in place of whatever a terminal might obey."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in text
    )


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with what it counts."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Bytes in the greatest unit that leaves a digit before the point, as plans count them."""
    figure = float(number)
    unit = "B"
    for step in _STEPS:
        if abs(figure) < 1024:
            break
        figure, unit = figure / 1024, f"{step}iB"
    return f"{figure:.0f} {unit}" if unit == "B" or figure >= 100 else f"{figure:.1f} {unit}"


def lasting(seconds: float) -> str:
    """A length of time in its two greatest units."""
    whole = max(0, int(seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def latency(seconds: float) -> str:
    """How long an answer took."""
    milliseconds = seconds * 1000
    if milliseconds >= 1000:
        return f"{seconds:.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def rate(per_second: float) -> str:
    """How often something happens."""
    return f"{per_second:,.0f}/s" if per_second >= 10 or per_second == 0 else f"{per_second:.1f}/s"


def dollars(amount: float) -> str:
    """An amount of money; less than a dollar to the hundredth of a cent."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def clock(moment: datetime) -> str:
    """The time of day where the operator sits."""
    return f"{moment.astimezone():%H:%M:%S}"


def moment(at: datetime) -> str:
    """Day and time where the operator sits, for what may be days ago."""
    return f"{at.astimezone():%m-%d %H:%M}"


def share(part: float, whole: float) -> float:
    """Which part of the whole it is; of nothing, none."""
    return part / whole if whole else 0.0


def bar(part: float, width: int) -> str:
    """A line that is heavy for a part between 0 and 1; full only at 1, and never empty above 0."""
    halves = int(min(max(part, 0.0), 1.0) * width * 2)
    if part > 0:
        halves = max(halves, 1)
    full, half = divmod(halves, 2)
    return ("━" * full + "╾" * half).ljust(width, "─")
