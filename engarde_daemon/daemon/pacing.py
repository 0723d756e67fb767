"""Background work gives way to people.

Owns one number: how long a background batch rests before the next. Nothing while the API is quiet;
a little while writes come in, so that they have the processor; nothing again once what waits has
waited too long, because a promise to deliver is a promise too.
"""

from collections.abc import Callable

import msgspec

from engarde_daemon.domain.vitals import Vitals


class PaceRules(msgspec.Struct, frozen=True, kw_only=True):
    """When background work rests, in seconds."""

    busy_for_s: float = 0.25
    rest_s: float = 0.1
    patience_s: float = 20.0


class Pace:
    """Knows when people were last served."""

    def __init__(
        self, clock: Callable[[], float], vitals: Callable[[], Vitals], rules: PaceRules
    ) -> None:
        self._clock = clock
        self._vitals = vitals
        self._rules = rules
        self._written_at = -rules.busy_for_s

    def note_writes(self) -> None:
        """Remember that someone just wrote."""
        self._written_at = self._clock()

    def rest_s(self) -> float:
        """How long to rest before the next batch."""
        if self._clock() - self._written_at >= self._rules.busy_for_s:
            return 0.0
        oldest_age_s = max((w.oldest_age_s for w in self._vitals().waiting.values()), default=0.0)
        return 0.0 if oldest_age_s > self._rules.patience_s else self._rules.rest_s
