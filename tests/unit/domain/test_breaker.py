"""The breaker: who may ask a dependency, and when."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engarde_daemon.domain.breaker import Breaker, BreakerRules, BreakerState, Permit

RULES = BreakerRules(jitter=0.0)


class Hand:
    """A clock that stands until it is moved, or goes on by a step whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step_s = 0.0

    def __call__(self) -> float:
        """The time."""
        now, self.now = self.now, self.now + self.step_s
        return now


class Rig:
    """A breaker, its clock, and calls through it."""

    def __init__(self, rules: BreakerRules = RULES, chance: float = 0.0) -> None:
        self.clock = Hand()
        self.breaker = Breaker(rules, clock=self.clock, chance=lambda: chance)

    def state(self) -> BreakerState:
        """How the breaker stands now."""
        return self.breaker.state

    def call(self, *, failed: bool, took_s: float = 0.0) -> None:
        """One call for somebody's sake."""
        permit = self.breaker.permit()
        assert permit is not None
        self.clock.now += took_s
        self.breaker.settle(permit, failed=failed)

    def probe(self, *, failed: bool) -> None:
        """One call that only looks."""
        permit = self.breaker.probe()
        assert permit is not None
        self.breaker.settle(permit, failed=failed)

    def fail(self, times: int = RULES.failures_in_a_row) -> None:
        """Let calls fail in a row."""
        for _ in range(times):
            self.call(failed=True)

    def recover(self) -> None:
        """Wait until probes may look, and let them find all well."""
        self.clock.now += self.breaker.retry_after_s
        for _ in range(RULES.successes_to_close):
            self.probe(failed=False)


class TestOpening:
    """What is enough to leave a dependency alone, and what is not."""

    def test_failures_in_a_row_open_it(self):
        """Neither people nor probes may ask then."""
        rig = Rig()
        rig.fail(RULES.failures_in_a_row - 1)
        assert rig.state() is BreakerState.CLOSED

        rig.call(failed=True)

        assert rig.state() is BreakerState.OPEN
        assert (rig.breaker.permit(), rig.breaker.probe()) == (None, None)

    def test_a_success_between_failures_counts(self):
        """A few calls that fail are life."""
        rig = Rig()
        rig.fail(4)
        rig.call(failed=False)
        rig.fail(4)

        assert rig.state() is BreakerState.CLOSED

    def test_half_of_many_requests_open_it(self):
        """Though no five of them failed in a row."""
        rig = Rig()
        for number in range(RULES.requests_min - 1):
            rig.call(failed=number % 2 == 0)
        assert rig.state() is BreakerState.CLOSED

        rig.call(failed=False)

        assert rig.state() is BreakerState.OPEN

    def test_failures_of_another_window_are_forgotten(self):
        """A share is a share of what happens now."""
        rig = Rig()
        for number in range(RULES.requests_min - 1):
            rig.call(failed=number % 2 == 0)
        rig.clock.now += RULES.window_s
        rig.call(failed=False)

        assert rig.state() is BreakerState.CLOSED

    def test_each_failure_is_forgotten_once(self):
        """What is left of a share is counted as calls come and go, not anew at each of them."""
        rig = Rig()
        for second in range(100):
            rig.clock.now += 0.25
            rig.call(failed=second % 3 == 0)

        assert rig.state() is BreakerState.CLOSED

    def test_three_slow_windows_open_it(self):
        """More than one call in a hundred is too slow, three windows in a row."""
        rig = Rig()
        for _ in range(RULES.slow_windows):
            assert rig.state() is BreakerState.CLOSED
            rig.call(failed=False, took_s=RULES.slow_s + 0.5)
            for _ in range(RULES.requests_min):
                rig.call(failed=False)
            rig.clock.now += RULES.window_s
        rig.call(failed=False)

        assert rig.state() is BreakerState.OPEN

    def test_a_late_report_from_before_the_outage_counts_for_nothing(self):
        """Neither as the success of a probe nor as its failure."""
        rig = Rig()
        late = rig.breaker.permit()
        assert late is not None
        rig.fail()
        rig.clock.now += rig.breaker.retry_after_s
        assert rig.state() is BreakerState.HALF_OPEN

        rig.breaker.settle(late, failed=True)

        assert rig.state() is BreakerState.HALF_OPEN


class TestClosing:
    """Only probes find out whether it is back."""

    def test_people_stay_out_while_probes_look(self):
        """They would pay for each failure with their time."""
        rig = Rig()
        rig.fail()
        rig.clock.now += rig.breaker.retry_after_s

        assert rig.breaker.permit() is None
        assert rig.breaker.probe() is not None
        assert rig.breaker.probe() is None, "one at a time"

    def test_successes_in_a_row_close_it(self):
        """One is luck."""
        rig = Rig()
        rig.fail()
        rig.recover()

        assert rig.state() is BreakerState.CLOSED

    def test_each_relapse_doubles_the_wait_up_to_a_bound(self):
        """A dependency that comes and goes is asked ever more rarely."""
        rig, waits = Rig(), []
        rig.fail()
        for _ in range(6):
            waits.append(rig.breaker.retry_after_s)
            rig.clock.now += rig.breaker.retry_after_s
            rig.probe(failed=True)

        assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]

    def test_calm_makes_it_forget_a_relapse_at_a_time(self):
        """Not all of them at once."""
        rig = Rig()
        for _ in range(3):
            rig.fail()
            rig.recover()
        rig.clock.now += RULES.calm_s
        rig.fail()

        assert rig.breaker.retry_after_s == 20.0, "without the calm it would be 40"

    def test_chance_spreads_the_return(self):
        """Daemons that lost it together do not come back together."""
        rig = Rig(BreakerRules(jitter=0.5), chance=0.5)
        rig.fail()

        assert rig.breaker.retry_after_s == 6.25

    def test_nobody_waits_for_less_than_nothing(self):
        """The time may come between two looks at the clock."""
        rig = Rig()
        rig.fail()
        rig.clock.now += RULES.open_s - 0.5
        rig.clock.step_s = 1.0

        assert rig.breaker.retry_after_s == 0.0

    def test_a_probe_that_was_cut_off_leaves_its_place(self):
        """Or nobody would ever look again."""
        rig = Rig()
        rig.fail()
        rig.clock.now += rig.breaker.retry_after_s
        permit = rig.breaker.probe()
        assert permit is not None
        rig.breaker.forgo(permit)

        assert rig.breaker.probe() is not None


class TestLatch:
    """An operator's word stands above what probes see."""

    def test_successes_do_not_close_what_is_held_open(self):
        """Probes may look all the same."""
        rig = Rig()
        rig.breaker.hold()
        for _ in range(10):
            rig.probe(failed=False)

        assert rig.state() is BreakerState.HELD_OPEN
        assert rig.breaker.permit() is None

    def test_once_released_probes_decide(self):
        """It does not simply close."""
        rig = Rig()
        rig.breaker.hold()
        rig.breaker.release()
        assert rig.state() is BreakerState.HALF_OPEN
        rig.recover()

        assert rig.state() is BreakerState.CLOSED

    def test_what_is_not_held_is_not_released(self):
        """An open breaker has its time."""
        rig = Rig()
        rig.fail()
        rig.breaker.release()

        assert rig.state() is BreakerState.OPEN


@given(st.lists(st.booleans(), max_size=600), st.floats(0.1, 3.0))
def test_a_dependency_that_flaps_is_rarely_asked(outcomes: list[bool], step_s: float):
    """However it comes and goes, it opens no more often than its waits allow."""
    rig, openings, was = Rig(), 0, BreakerState.CLOSED
    for failed in outcomes:
        permit = rig.breaker.permit() or rig.breaker.probe()
        if permit is not None:
            rig.breaker.settle(permit, failed=failed)
        now = rig.state()
        openings += now is BreakerState.OPEN and was is not BreakerState.OPEN
        was = now
        rig.clock.now += step_s

    assert openings <= 1 + rig.clock.now / RULES.open_s


class Machine(RuleBasedStateMachine):
    """Any order of calls, probes, waits and words of an operator."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.under_way: list[Permit] = []

    @rule(probe=st.booleans())
    def begin(self, *, probe: bool) -> None:
        """Ask for leave."""
        state = self.rig.breaker.state
        permit = self.rig.breaker.probe() if probe else self.rig.breaker.permit()
        if permit is not None:
            assert state is BreakerState.CLOSED or (probe and state is not BreakerState.OPEN)
            self.under_way.append(permit)

    @precondition(lambda self: self.under_way)
    @rule(place=st.integers(0, 50), failed=st.booleans())
    def end(self, place: int, *, failed: bool) -> None:
        """Report one of the calls under way, not always the oldest."""
        permit = self.under_way.pop(place % len(self.under_way))
        self.rig.breaker.settle(permit, failed=failed)

    @rule(s=st.floats(0.0, 70.0))
    def wait(self, s: float) -> None:
        """Let time pass."""
        self.rig.clock.now += s

    @rule()
    def hold(self) -> None:
        """An operator says so."""
        self.rig.breaker.hold()

    @rule()
    def release(self) -> None:
        """And takes it back."""
        self.rig.breaker.release()

    @invariant()
    def open_has_an_end(self) -> None:
        """No wait is longer than the longest, and only an open breaker waits."""
        wait_s = self.rig.breaker.retry_after_s
        assert 0.0 <= wait_s <= RULES.open_max_s
        assert (wait_s > 0) == (self.rig.state() is BreakerState.OPEN)

    @invariant()
    def people_ask_only_through_a_closed_one(self) -> None:
        """Whatever happened before."""
        breaker = self.rig.breaker
        assert (breaker.permit() is not None) == (breaker.state is BreakerState.CLOSED)


TestMachine = Machine.TestCase


def test_failures_are_counted_until_a_call_succeeds():
    """For whoever wants to know before it opens."""
    rig = Rig()
    rig.fail(2)
    assert rig.breaker.failures_in_a_row == 2
    rig.call(failed=False)
    assert rig.breaker.failures_in_a_row == 0


def test_a_permit_of_an_earlier_state_gives_no_place_back():
    """The probes of today are not counted by the calls of yesterday."""
    rig = Rig()
    old = rig.breaker.permit()
    assert old is not None
    rig.fail()
    rig.clock.now += rig.breaker.retry_after_s
    probes = [rig.breaker.probe() for _ in range(RULES.probes_max)]
    rig.breaker.forgo(old)

    assert None not in probes
    assert rig.breaker.probe() is None
