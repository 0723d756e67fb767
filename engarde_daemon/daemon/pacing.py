"""Background work gives way to people.

Owns one number: how long a background batch rests before it begins. Nothing while few write, so
that a single write reaches ZeroDB within milliseconds; a good while under a burst of writes, so that
those who wait for an answer have the processor; nothing again once what waits has waited too long,
because a promise to deliver is a promise too.
"""

from collections.abc import Callable

import msgspec

from engarde_daemon.domain.vitals import Vitals


class PaceRules(msgspec.Struct, frozen=True, kw_only=True):
    """A burst is `burst_writes` within `window_s` seconds; `patience_s` ends all resting."""

    window_s: float = 0.25
    burst_writes: int = 25
    rest_s: float = 0.5
    patience_s: float = 30.0


class Pace:
    """Knows how much was written a moment ago."""

    def __init__(
        self, clock: Callable[[], float], vitals: Callable[[], Vitals], rules: PaceRules
    ) -> None:
        self._clock = clock
        self._vitals = vitals
        self._rules = rules
        self._window_began = clock()
        self._written = self._written_before = 0

    def note_writes(self, count: int) -> None:
        """Remember that so much was just written."""
        self._turn_window()
        self._written += count

    def rest_s(self, destination: str) -> float:
        """How long to rest before the next batch for this destination."""
        self._turn_window()
        if self._written + self._written_before < self._rules.burst_writes:
            return 0.0
        waiting = self._vitals().waiting.get(destination)
        is_late = waiting is not None and waiting.oldest_age_s > self._rules.patience_s
        return 0.0 if is_late else self._rules.rest_s

    def _turn_window(self) -> None:
        elapsed_s = self._clock() - self._window_began
        if elapsed_s < self._rules.window_s:
            return
        self._written_before = self._written if elapsed_s < 2 * self._rules.window_s else 0
        self._written = 0
        self._window_began += elapsed_s
