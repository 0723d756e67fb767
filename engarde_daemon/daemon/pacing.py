"""Background work gives way to people.

Owns one number: how long a background batch rests before it begins. Nothing while few are there, so
that a single write reaches ZeroDB within milliseconds. A good while under a burst of writes, so that
those who wait for an answer have the processor; no longer once what waits has waited too long,
because a promise to deliver is a promise too. A breath while many read: what is carried on without
a pause makes readers queue, however little of it there is left to do.
"""

from collections.abc import Callable

import msgspec

from engarde_daemon.domain.vitals import Vitals


class PaceRules(msgspec.Struct, frozen=True, kw_only=True):
    """A burst is so many writes or reads within `window_s`; `patience_s` ends the long rest."""

    window_s: float = 0.25
    burst_writes: int = 25
    burst_reads: int = 25
    rest_s: float = 0.5
    breath_s: float = 0.1
    patience_s: float = 30.0


class Pace:
    """Knows how much was written and read a moment ago; `reads` counts answers since the start."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        vitals: Callable[[], Vitals],
        reads: Callable[[], int],
        rules: PaceRules,
    ) -> None:
        self._clock = clock
        self._vitals = vitals
        self._reads = reads
        self._rules = rules
        self._window_began = clock()
        self._written = self._written_before = 0
        self._read_until = reads()
        self._read_a_window = 0.0

    def note_writes(self, count: int) -> None:
        """Remember that so much was just written."""
        self._turn_window()
        self._written += count

    def rest_s(self, destination: str) -> float:
        """How long to rest before the next batch for this destination."""
        self._turn_window()
        rules = self._rules
        are_writing = self._written + self._written_before >= rules.burst_writes
        if are_writing and not self._is_late(destination):
            return rules.rest_s
        return rules.breath_s if self._read_a_window >= rules.burst_reads else 0.0

    def _is_late(self, destination: str) -> bool:
        waiting = self._vitals().waiting.get(destination)
        return waiting is not None and waiting.oldest_age_s > self._rules.patience_s

    def _turn_window(self) -> None:
        elapsed_s = self._clock() - self._window_began
        if elapsed_s < self._rules.window_s:
            return
        self._written_before = self._written if elapsed_s < 2 * self._rules.window_s else 0
        self._written = 0
        read_until = self._reads()
        self._read_a_window = (read_until - self._read_until) * self._rules.window_s / elapsed_s
        self._read_until = read_until
        self._window_began += elapsed_s
