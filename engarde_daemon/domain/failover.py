"""From where bodies are read while ZeroDB is ill, and what must be true before it is trusted again.

    healthy ──▶ degraded ──▶ failed_over ──▶ recovering ──▶ healthy
                   └──▶ healthy       ◀───────────┘

Owns the rule of failback: a ZeroDB that answers again is read first only after everything that
waited for it has arrived, and a sample of what it held before was found unharmed. One that came
back empty therefore stays in `recovering` until it is restored.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from engarde_daemon.domain.breaker import BreakerState


class ZeroDBState(StrEnum):
    """How far ZeroDB is trusted."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It fails, and the archive stands in call by call."""
    FAILED_OVER = "failed_over"
    """It is not asked; staged bodies and the archive serve."""
    RECOVERING = "recovering"
    """It takes what waited for it; others still serve."""


class FailoverRules(msgspec.Struct, frozen=True, kw_only=True):
    """When ZeroDB is given up, and what brings it back."""

    degraded_failures: int = 3
    failover_after_s: float = 5.0
    dwell_s: float = 2.0
    verified_reads: int = 20


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of ZeroDB at one look.

    `backlog_age_s` is how long the oldest version has waited for it, None where none does.
    `verified` counts the sampled reads that were right in a row since it answers again; it is
    as high as it can be where there was too little to sample.
    """

    breaker: BreakerState
    failures_in_a_row: int
    backlog_age_s: float | None
    verified: int


class Transition(msgspec.Struct, frozen=True):
    """One step from a state to the next, and why."""

    before: ZeroDBState
    after: ZeroDBState
    reason: str


class Failover:
    """The state of one daemon's ZeroDB."""

    def __init__(self, rules: FailoverRules, *, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._since = clock()
        self.state = ZeroDBState.HEALTHY

    @property
    def lasts_s(self) -> float:
        """How long the present state has lasted."""
        return self._clock() - self._since

    @property
    def prefers_archive(self) -> bool:
        """Whether the archive is to be read before ZeroDB."""
        return self.state in (ZeroDBState.FAILED_OVER, ZeroDBState.RECOVERING)

    def see(self, sight: Sight) -> Transition | None:
        """Take a look into account, and give the step that follows from it."""
        step = self._step(sight)
        if step is None:
            return None
        after, reason = step
        before, self.state, self._since = self.state, after, self._clock()
        return Transition(before, after, reason)

    def has_drained(self, sight: Sight) -> bool:
        """Whether all has arrived that waited when ZeroDB answered again."""
        return sight.backlog_age_s is None or sight.backlog_age_s < self.lasts_s

    def _step(self, sight: Sight) -> tuple[ZeroDBState, str] | None:
        if self.state is ZeroDBState.HEALTHY:
            return self._from_healthy(sight)
        if self.state is ZeroDBState.DEGRADED:
            return self._from_degraded(sight)
        if self.state is ZeroDBState.RECOVERING:
            return self._from_recovering(sight)
        if sight.breaker is BreakerState.CLOSED:
            return ZeroDBState.RECOVERING, "ZeroDB answers again"
        return None

    def _from_healthy(self, sight: Sight) -> tuple[ZeroDBState, str] | None:
        if sight.breaker is BreakerState.HELD_OPEN:
            return ZeroDBState.FAILED_OVER, "an operator ordered it"
        if sight.breaker is not BreakerState.CLOSED:
            return ZeroDBState.DEGRADED, "ZeroDB failed too often and is left alone"
        if sight.failures_in_a_row >= self._rules.degraded_failures:
            return ZeroDBState.DEGRADED, f"{sight.failures_in_a_row} calls in a row failed"
        return None

    def _from_degraded(self, sight: Sight) -> tuple[ZeroDBState, str] | None:
        if sight.breaker is BreakerState.HELD_OPEN:
            return ZeroDBState.FAILED_OVER, "an operator ordered it"
        if sight.breaker is not BreakerState.CLOSED:
            if self.lasts_s >= self._rules.failover_after_s:
                return ZeroDBState.FAILED_OVER, f"no answer for {self.lasts_s:.0f} s"
            return None
        if sight.failures_in_a_row == 0 and self.lasts_s >= self._rules.dwell_s:
            return ZeroDBState.HEALTHY, "ZeroDB answers again"
        return None

    def _from_recovering(self, sight: Sight) -> tuple[ZeroDBState, str] | None:
        if sight.breaker is BreakerState.HELD_OPEN:
            return ZeroDBState.FAILED_OVER, "an operator ordered it"
        if sight.breaker is not BreakerState.CLOSED:
            return ZeroDBState.FAILED_OVER, "ZeroDB fails again"
        if self.has_drained(sight) and sight.verified >= self._rules.verified_reads:
            return ZeroDBState.HEALTHY, "nothing waits, and sampled reads were right"
        return None
