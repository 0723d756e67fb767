"""A breaker among callers, probers and an operator, in hundreds of interleavings.

What a breaker may do is told here by what could be seen from outside: which state followed which,
after how long, and how many were let through in it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest

from engarde_daemon.domain.breaker import Breaker, BreakerRules, BreakerState, Permit
from engarde_daemon.domain.failover import Failover, FailoverRules, Sight, ZeroDBState
from engarde_daemon.testing.interleaving import replay

SEEDS = 100
CALLS = 25
RULES = BreakerRules(open_s=2.0, open_max_s=8.0, successes_to_close=2, requests_min=6)
LEGAL = {
    (BreakerState.CLOSED, BreakerState.OPEN),
    (BreakerState.OPEN, BreakerState.HALF_OPEN),
    (BreakerState.HALF_OPEN, BreakerState.OPEN),
    (BreakerState.HALF_OPEN, BreakerState.CLOSED),
    (BreakerState.HELD_OPEN, BreakerState.HALF_OPEN),
    *((state, BreakerState.HELD_OPEN) for state in BreakerState),
}
LEGAL_TRUST = {
    (ZeroDBState.HEALTHY, ZeroDBState.DEGRADED),
    (ZeroDBState.HEALTHY, ZeroDBState.FAILED_OVER),
    (ZeroDBState.DEGRADED, ZeroDBState.HEALTHY),
    (ZeroDBState.DEGRADED, ZeroDBState.FAILED_OVER),
    (ZeroDBState.FAILED_OVER, ZeroDBState.RECOVERING),
    (ZeroDBState.RECOVERING, ZeroDBState.FAILED_OVER),
    (ZeroDBState.RECOVERING, ZeroDBState.HEALTHY),
}


class Outage:
    """One dependency that is away for a while, and everybody who asks it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"outage {seed}")
        self.states: list[tuple[float, BreakerState]] = []
        self.trust: list[ZeroDBState] = [ZeroDBState.HEALTHY]
        self.good = 0
        self.in_flight: Counter[int] = Counter()
        self._away = (self.chance.uniform(0, 5), self.chance.uniform(5, 40))

    async def live(self) -> None:
        """Let everybody ask until the dependency is well and trusted again."""
        self.clock = asyncio.get_running_loop().time
        self.breaker = Breaker(RULES, clock=self.clock, chance=self.chance.random)
        self.failover = Failover(FailoverRules(), clock=self.clock)
        async with anyio.create_task_group() as everybody:
            for ask in (self.breaker.permit, self.breaker.probe, self.breaker.probe):
                everybody.start_soon(self._call, ask)
            everybody.start_soon(self._hold)
        with anyio.fail_after(1000):
            while self.failover.state is not ZeroDBState.HEALTHY:
                await self._call(self.breaker.probe)

    def look(self) -> None:
        """Note what state it is in by now."""
        if not hasattr(self, "breaker"):
            return
        state = self.breaker.state
        if not self.states or self.states[-1][1] is not state:
            if state is BreakerState.CLOSED and self.states:
                assert self.good >= RULES.successes_to_close, "closed too early"
            self.states.append((self.clock(), state))
            self.good = 0
        step = self.failover.see(self._sight(state))
        if step is not None:
            self.trust.append(step.after)

    def _sight(self, state: BreakerState) -> Sight:
        return Sight(
            breaker=state,
            failures_in_a_row=self.breaker.failures_in_a_row,
            backlog_age_s=None,
            verified=20,
        )

    async def _call(self, ask: Callable[[], Permit | None]) -> None:
        is_probe = ask == self.breaker.probe
        for _ in range(CALLS):
            await anyio.sleep(self.chance.choice((0.0, 0.1, 1.0)))
            state, permit = self.breaker.state, ask()
            if permit is None:
                continue
            assert state is not BreakerState.OPEN, "let through while it is open"
            assert is_probe or state is BreakerState.CLOSED, "people are let through as probes"
            self.in_flight[permit.stretch] += 1
            if state is BreakerState.HALF_OPEN:
                assert self.in_flight[permit.stretch] <= RULES.probes_max, "too many probes"
            await self._answer(permit)

    async def _answer(self, permit: Permit) -> None:
        began = self.clock()
        await anyio.sleep(self.chance.choice((0.0, 0.1, 3.0)))
        self.in_flight[permit.stretch] -= 1
        if self.chance.random() < 0.1:
            self.breaker.forgo(permit)
            return
        failed = self._away[0] <= began <= self._away[1]
        self.good += not failed
        self.breaker.settle(permit, failed=failed)

    async def _hold(self) -> None:
        if self.chance.random() < 0.3:
            await anyio.sleep(self.chance.uniform(0, 30))
            self.breaker.hold()
            await anyio.sleep(self.chance.uniform(0, 10))
            self.breaker.release()


def explore() -> None:
    """Let an outage happen in every interleaving, and look at what it did."""
    for seed in range(SEEDS):
        outage = Outage(seed)
        replay(outage.live, seed=seed, after_step=outage.look)
        for (since, before), (until, after) in pairwise(outage.states):
            assert (before, after) in LEGAL, f"seed {seed}: {before} became {after}"
            if (before, after) == (BreakerState.OPEN, BreakerState.HALF_OPEN):
                assert until - since >= RULES.open_s, f"seed {seed}: open {until - since} s"
        assert set(pairwise(outage.trust)) <= LEGAL_TRUST, f"seed {seed}: {outage.trust}"
        assert outage.trust[-1] is ZeroDBState.HEALTHY


def test_it_opens_probes_and_closes_as_it_should():
    """Nobody passes an open breaker, probes come one at a time, and trust comes back in the end."""
    explore()


def trusts_one(breaker: Breaker, *, failed: bool) -> None:
    """Close at the first good answer."""
    breaker._probes -= 1
    breaker._open() if failed else breaker._enter(BreakerState.CLOSED)


MUTANTS: dict[str, tuple[str, Callable[..., object]]] = {
    "people pass at any time": ("permit", lambda breaker: breaker._permit()),
    "probes come all at once": (
        "probe",
        lambda b: None if b.state is BreakerState.OPEN else b._permit(),
    ),
    "one good probe closes it": ("_settle_probe", trusts_one),
    "a probe that says nothing is never given back": ("forgo", lambda *_: None),
}


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_the_breaker_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch):
    """In the same number of interleavings."""
    monkeypatch.setattr(Breaker, *MUTANTS[mistake])

    with pytest.raises((AssertionError, ExceptionGroup, TimeoutError)):
        explore()
