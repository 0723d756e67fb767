"""How often something happens, from counters that only grow."""

import msgspec

from engarde_daemon.protocol import Rates

APART_S = 0.5


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How often each happened since the start."""

    reads: int
    writes: int
    errors: int


class RateMeter:
    """Compares the counters with those of the reading before.

    A reading that comes too soon after it is left out, because its rates would jump.
    """

    def __init__(self) -> None:
        self._before: tuple[float, Counts] | None = None
        self.rates = Rates(reads_per_s=0.0, writes_per_s=0.0, errors_per_s=0.0)

    def read(self, counts: Counts, now: float) -> None:
        """Take a reading."""
        if self._before is not None:
            at, before = self._before
            if now - at < APART_S:
                return
            self.rates = _between(before, counts, now - at)
        self._before = now, counts


def _between(before: Counts, after: Counts, seconds: float) -> Rates:
    return Rates(
        reads_per_s=round((after.reads - before.reads) / seconds, 2),
        writes_per_s=round((after.writes - before.writes) / seconds, 2),
        errors_per_s=round((after.errors - before.errors) / seconds, 2),
    )
