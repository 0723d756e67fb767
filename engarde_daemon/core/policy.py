"""What follows a crash: which restarts, of whom, after how long, and how many.

The words are those of Erlang/OTP's supervisors.
"""

from enum import Enum, auto

import msgspec

DOUBLINGS_MAX = 30


class Restart(Enum):
    """Which endings of a child, other than its supervisor's stop, are followed by a new start."""

    PERMANENT = auto()
    """Every one, even if its address was closed."""
    TRANSIENT = auto()
    """A crash; once its address was closed and it has drained, it stays ended."""
    TEMPORARY = auto()
    """None."""


class Strategy(Enum):
    """Who is restarted with a child that crashed."""

    ONE_FOR_ONE = auto()
    """Nobody: the children are equals, and start without waiting for each other."""
    REST_FOR_ONE = auto()
    """Those that were started after it, because they may build on it."""
    ONE_FOR_ALL = auto()
    """All the others."""


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How many restarts in how long a time are too many, and how long to wait before each.

    A burst must fit in, and the intensities of the levels multiply up to the top, so the top
    gets the smallest.
    """

    intensity: int = 3
    period_s: float = 60.0
    backoff_s: float = 0.1
    backoff_max_s: float = 10.0
    jitter: float = 0.2
    """Which part of a delay is left to chance, so that not all return at once."""

    def delay(self, attempt: int, chance: float) -> float:
        """Give the time to wait before the `attempt`-th restart in a row, in seconds.

        `chance` is drawn evenly from [0, 1).
        """
        doublings = min(attempt - 1, DOUBLINGS_MAX)
        delay_s = min(self.backoff_s * 2.0**doublings, self.backoff_max_s)
        return delay_s * (1 - self.jitter * chance)
