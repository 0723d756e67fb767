"""Axes of a plot: which numbers stand at them, and where a value lies between their ends."""

import math
from collections.abc import Iterable

import msgspec

_STEPS = (1, 2, 5)
_DECADE_TICKS_MOST = 6
_LINEAR_TICKS = 5


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One axis: its first and last value are ticks, too."""

    ticks: list[float]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the first tick, 1 at the last."""
        low, high, value = (self._placed(one) for one in (self.ticks[0], self.ticks[-1], value))
        return (value - low) / (high - low)

    def _placed(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def log_axis(values: Iterable[float]) -> Axis:
    """An axis of 1, 2, 5 in each decade, or of decades alone where those would be too many."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive), max(positive)
    ticks = _between(low, high, _STEPS)
    if len(ticks) > _DECADE_TICKS_MOST:
        ticks = _between(low, high, (1,))
    return Axis(ticks=ticks, is_log=True)


def linear_axis(values: Iterable[float]) -> Axis:
    """An axis from 0 (or from the least value, if that is negative) in steps of 1, 2 or 5."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    step = _nice_step((high - low) / _LINEAR_TICKS or 1.0 / _LINEAR_TICKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Axis(ticks=[number * step for number in range(first, max(last, first + 1) + 1)])


def told(value: float) -> str:
    """A tick's number as people write it: 10M, 200k, 3, 0.5."""
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{sign}"
    return f"{value:g}"


def _between(low: float, high: float, steps: tuple[int, ...]) -> list[float]:
    """The ticks from the last one at or below `low` to the first one at or above `high`."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1
    grid = [step * 10.0**decade for decade in range(first, last + 1) for step in steps]
    begin = max((n for n, tick in enumerate(grid) if tick <= low), default=0)
    end = min(n for n, tick in enumerate(grid) if tick >= high)
    return grid[begin : max(end, begin + 1) + 1]


def _nice_step(least: float) -> float:
    decade = 10.0 ** math.floor(math.log10(least))
    return next(step * decade for step in (*_STEPS, 10) if step * decade >= least * 0.999)
