"""Whether a dependency is asked at all.

Owns three promises: a dependency that fails is left alone for a while that grows with every relapse
and shrinks slowly in calm; only probes, never people, find out whether it is back; and what a call
reports counts only for the stretch of time in which it was admitted, so that a late answer from
before an outage neither ends nor prolongs it.

Only the dependency's own failures belong here: no connection, no answer in time, or 502, 503 and
504. Whatever a caller can provoke must not be reported, or a caller could cut everybody off.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec

DOUBLINGS_MAX = 16


class BreakerState(StrEnum):
    """How a dependency is treated."""

    CLOSED = "closed"
    """Everybody may ask it."""
    OPEN = "open"
    """Nobody may."""
    HALF_OPEN = "half_open"
    """A few probes may."""
    HELD_OPEN = "held_open"
    """An operator keeps it open; probes may ask, but change nothing."""


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens, for how long, and what closes it."""

    failures_in_a_row: int = 5
    failed_share: float = 0.5
    requests_min: int = 20
    window_s: float = 10.0
    slow_s: float = 5.0
    slow_windows: int = 3
    open_s: float = 5.0
    open_max_s: float = 60.0
    jitter: float = 0.2
    probes_max: int = 1
    successes_to_close: int = 3
    calm_s: float = 60.0
    """A relapse is forgotten after each such time without another."""


class Permit(msgspec.Struct, frozen=True):
    """The leave to make one call; it belongs to one stretch between two changes of state."""

    stretch: int
    began_at: float


class _Seen(msgspec.Struct, frozen=True):
    at: float
    failed: bool
    slow: bool


class Breaker:
    """One dependency's breaker; it knows nothing of the dependency itself.

    `clock` never goes back; `chance` is drawn evenly from [0, 1).
    """

    def __init__(
        self, rules: BreakerRules, *, clock: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._chance = chance
        self._stretch = 0
        self._relapses = 0
        self._failures = self._successes = self._probes = self._slow_windows = 0
        self._open_until = 0.0
        self._seen: deque[_Seen] = deque()
        self._seen_failed = 0
        self.latency_s: float | None = None
        """What the last call took that did not fail."""
        self._enter(BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """The state now; an open breaker becomes half open by the passing of time alone."""
        if self._state is BreakerState.OPEN and self._clock() >= self._open_until:
            self._enter(BreakerState.HALF_OPEN)
        return self._state

    @property
    def failures_in_a_row(self) -> int:
        """How many calls failed since the last that did not."""
        return self._failures

    @property
    def retry_after_s(self) -> float:
        """How long it stays open at least; 0 when it is not."""
        if self.state is not BreakerState.OPEN:
            return 0.0
        return max(0.0, self._open_until - self._clock())

    def permit(self) -> Permit | None:
        """Leave to call for somebody's sake, or None where calling must be left."""
        return self._permit() if self.state is BreakerState.CLOSED else None

    def probe(self) -> Permit | None:
        """Leave to call only to see whether the dependency is back."""
        state = self.state
        if state is BreakerState.OPEN:
            return None
        if state is BreakerState.HALF_OPEN:
            if self._probes >= self._rules.probes_max:
                return None
            self._probes += 1
        return self._permit()

    def settle(self, permit: Permit, *, failed: bool) -> None:
        """Report how a permitted call ended."""
        now, state = self._clock(), self.state
        if permit.stretch != self._stretch or state is BreakerState.HELD_OPEN:
            return
        self._failures = self._failures + 1 if failed else 0
        if not failed:
            self.latency_s = now - permit.began_at
        if state is BreakerState.HALF_OPEN:
            self._settle_probe(failed=failed)
            return
        self._note(_Seen(now, failed, now - permit.began_at > self._rules.slow_s))
        if self._is_ill():
            self._open()

    def forgo(self, permit: Permit) -> None:
        """Give a permit back whose call ended for a reason that says nothing, such as cancellation."""
        if permit.stretch == self._stretch:
            self._probes = max(0, self._probes - 1)

    def hold(self) -> None:
        """Keep it open until `release`, whatever the dependency does."""
        self._enter(BreakerState.HELD_OPEN)

    def release(self) -> None:
        """End what `hold` began: probes decide now."""
        if self._state is BreakerState.HELD_OPEN:
            self._enter(BreakerState.HALF_OPEN)

    def _permit(self) -> Permit:
        return Permit(self._stretch, self._clock())

    def _settle_probe(self, *, failed: bool) -> None:
        self._probes = max(0, self._probes - 1)
        self._successes = 0 if failed else self._successes + 1
        if failed:
            self._open()
        elif self._successes >= self._rules.successes_to_close:
            self._enter(BreakerState.CLOSED)

    def _open(self) -> None:
        calm_s = self._clock() - self._changed_at if self._state is BreakerState.CLOSED else 0.0
        self._relapses = max(0, self._relapses - int(calm_s // self._rules.calm_s))
        doubled_s = self._rules.open_s * 2.0 ** min(self._relapses, DOUBLINGS_MAX)
        rest_s = min(doubled_s, self._rules.open_max_s)
        self._relapses += 1
        self._enter(BreakerState.OPEN)
        self._open_until = self._clock() + rest_s * (1 + self._rules.jitter * self._chance())

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._stretch += 1
        self._changed_at = self._window_began = self._clock()
        self._failures = self._successes = self._probes = self._slow_windows = 0
        self._seen.clear()
        self._seen_failed = 0

    def _note(self, seen: _Seen) -> None:
        if seen.at - self._window_began >= self._rules.window_s:
            self._turn_window(seen.at)
        self._seen.append(seen)
        self._seen_failed += seen.failed
        while self._seen[0].at <= seen.at - self._rules.window_s:
            self._seen_failed -= self._seen.popleft().failed

    def _turn_window(self, now: float) -> None:
        """Judge the window that ends: slow is one in which more than one call in a hundred was."""
        slow = sum(one.slow for one in self._seen)
        is_slow = len(self._seen) >= self._rules.requests_min and slow * 100 > len(self._seen)
        self._slow_windows = self._slow_windows + 1 if is_slow else 0
        self._window_began = now

    def _is_ill(self) -> bool:
        return (
            self._failures >= self._rules.failures_in_a_row
            or self._slow_windows >= self._rules.slow_windows
            or (
                len(self._seen) >= self._rules.requests_min
                and self._seen_failed >= self._rules.failed_share * len(self._seen)
            )
        )
