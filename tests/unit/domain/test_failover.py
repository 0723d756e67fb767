"""The states of ZeroDB, and what leads from one to the next."""

from typing import Any

import pytest

from engarde_daemon.domain.breaker import BreakerState
from engarde_daemon.domain.failover import Failover, FailoverRules, Sight, ZeroDBState
from tests.unit.domain.test_breaker import Hand

RULES = FailoverRules()
WELL: dict[str, Any] = {"verified": RULES.verified_reads}
OPEN: dict[str, Any] = {"breaker": BreakerState.OPEN}


class Story:
    """What is seen of ZeroDB, one look after the other."""

    def __init__(self) -> None:
        self.clock = Hand()
        self.failover = Failover(RULES, clock=self.clock)

    def see(self, *, after_s: float = 0.0, **seen: Any) -> ZeroDBState:
        """Look again after a while, and give the state that follows."""
        self.clock.now += after_s
        sight: dict[str, Any] = {
            "breaker": BreakerState.CLOSED,
            "failures_in_a_row": 0,
            "backlog_age_s": None,
            "verified": 0,
            **seen,
        }
        before = self.failover.state
        step = self.failover.see(Sight(**sight))
        assert (step is not None) == (before is not self.failover.state)
        return self.failover.state

    def recover(self) -> None:
        """Come as far as a ZeroDB that answers again."""
        self.see(**OPEN)
        self.see(after_s=RULES.failover_after_s, **OPEN)
        assert self.see() is ZeroDBState.RECOVERING


@pytest.fixture
def story() -> Story:
    """A ZeroDB that was well so far."""
    return Story()


def test_a_short_illness_is_no_failover(story: Story):
    """The archive stands in call by call, and nothing has to be verified afterwards."""
    assert story.see(failures_in_a_row=RULES.degraded_failures) is ZeroDBState.DEGRADED
    assert not story.failover.prefers_archive
    assert story.see(after_s=RULES.dwell_s / 2) is ZeroDBState.DEGRADED
    assert story.see(after_s=RULES.dwell_s / 2) is ZeroDBState.HEALTHY


def test_a_few_failures_are_none(story: Story):
    """Life."""
    assert story.see(failures_in_a_row=RULES.degraded_failures - 1) is ZeroDBState.HEALTHY


def test_a_long_one_is(story: Story):
    """It is given up only after a while."""
    assert story.see(**OPEN) is ZeroDBState.DEGRADED
    assert story.see(after_s=RULES.failover_after_s - 0.1, **OPEN) is ZeroDBState.DEGRADED
    assert story.see(after_s=0.1, **OPEN) is ZeroDBState.FAILED_OVER
    assert story.failover.prefers_archive


@pytest.mark.parametrize("is_ill", [False, True])
def test_an_operators_word_is_enough(story: Story, *, is_ill: bool):
    """At once, from any state."""
    if is_ill:
        story.see(**OPEN)

    assert story.see(breaker=BreakerState.HELD_OPEN) is ZeroDBState.FAILED_OVER


def test_an_operators_word_is_told_as_one(story: Story):
    """Also while ZeroDB recovers, which is no failure of its."""
    story.recover()
    sight = Sight(
        breaker=BreakerState.HELD_OPEN, failures_in_a_row=0, backlog_age_s=None, verified=0
    )
    step = story.failover.see(sight)

    assert step is not None
    assert step.reason == "an operator ordered it"


def test_probes_that_succeed_are_no_failback(story: Story):
    """Half open is not closed."""
    story.see(breaker=BreakerState.HELD_OPEN)

    assert story.see(breaker=BreakerState.HALF_OPEN, **WELL) is ZeroDBState.FAILED_OVER


def test_failback_waits_for_what_waited(story: Story):
    """Everything older than the return of ZeroDB must have arrived; what is newer may wait."""
    story.recover()

    assert story.see(after_s=3.0, backlog_age_s=60.0, **WELL) is ZeroDBState.RECOVERING
    assert story.see(backlog_age_s=3.0, **WELL) is ZeroDBState.RECOVERING
    assert story.failover.prefers_archive
    assert story.see(backlog_age_s=2.9, **WELL) is ZeroDBState.HEALTHY


def test_failback_waits_for_verified_reads(story: Story):
    """A ZeroDB that came back empty is not trusted, however long it answers."""
    story.recover()

    assert story.see(after_s=3600.0, verified=RULES.verified_reads - 1) is ZeroDBState.RECOVERING
    assert story.see(**WELL) is ZeroDBState.HEALTHY


def test_a_relapse_is_a_failover_at_once(story: Story):
    """Nothing is waited for: it had not come back yet."""
    story.recover()

    assert story.see(**OPEN) is ZeroDBState.FAILED_OVER


def test_while_it_does_not_answer_it_stays_given_up(story: Story):
    """However long."""
    story.see(**OPEN)
    story.see(after_s=RULES.failover_after_s, **OPEN)

    assert story.see(after_s=86_400.0, **OPEN) is ZeroDBState.FAILED_OVER
