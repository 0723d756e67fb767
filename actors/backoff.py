"""How long to wait before a call that failed is made again."""

import msgspec

DOUBLINGS_MAX = 30


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Twice as long after each attempt, up to the longest; half of it by chance."""

    first_s: float
    longest_s: float

    def wait_s(self, attempts: int, chance: float) -> float:
        """The time to wait after so many attempts; `chance` is drawn evenly from [0, 1)."""
        doublings = min(attempts, DOUBLINGS_MAX)
        return min(self.longest_s, self.first_s * 2.0**doublings) * (1 + chance) / 2
