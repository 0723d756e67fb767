"""The rule of a rate: a minute's worth at once, then evenly spread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.api import rates
from engarde_daemon.api.rates import WINDOW_S, Rate, Rates
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import RateLimited


def caller(key_id: str = "k", tenant_id: str = "t") -> Principal:
    """Somebody who sends requests."""
    return Principal(
        key_id=key_id, tenant_id=tenant_id, brand_id="b", user_id="u", role=Role.EDITOR
    )


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def admitted(limits: Rates, principal: Principal) -> bool:
    """Whether a request passes."""
    try:
        limits.admit(principal)
    except RateLimited:
        return False
    return True


def test_without_limits_everything_passes():
    """And no header tells of any."""
    limits = Rates(per_principal=0, per_tenant=0, clock=Clock())

    assert all(admitted(limits, caller()) for _ in range(1000))
    assert limits.headers(caller()) == []


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 20), min_size=1, max_size=200),
)
def test_no_minute_admits_more_than_twice_the_rate(per_min: int, pauses: list[float]):
    """However requests come: what had been saved up, and what one minute brings."""
    clock = Clock()
    limits = Rates(per_principal=per_min, per_tenant=0, clock=clock)
    passed = []
    for pause in pauses:
        clock.now += pause
        if admitted(limits, caller()):
            passed.append(clock.now)

    for begin in passed:
        within = sum(begin <= moment < begin + WINDOW_S for moment in passed)
        assert within <= 2 * per_min


@given(st.integers(1, 1000))
def test_whoever_keeps_to_the_rate_is_never_refused(per_min: int):
    """Evenly spread requests pass for ever."""
    clock = Clock()
    limits = Rates(per_principal=per_min, per_tenant=0, clock=clock)
    for _ in range(3 * per_min):
        assert admitted(limits, caller())
        clock.now += WINDOW_S / per_min + 1e-6


@given(st.integers(1, 100))
def test_the_promised_moment_is_one(per_min: int):
    """After the time of `Retry-After` the next request passes."""
    clock = Clock()
    limits = Rates(per_principal=per_min, per_tenant=0, clock=clock)
    while admitted(limits, caller()):
        pass
    with pytest.raises(RateLimited) as refusal:
        limits.admit(caller())
    clock.now += refusal.value.after_s

    assert admitted(limits, caller())


def test_a_request_refused_for_its_tenant_costs_its_caller_nothing():
    """Both rates are asked before either is charged."""
    clock = Clock()
    limits = Rates(per_principal=3, per_tenant=2, clock=clock)
    for key_id in ("a", "b", "c", "c", "c", "c"):
        admitted(limits, caller(key_id))
    clock.now += WINDOW_S / 2

    assert admitted(limits, caller("c"))
    assert b'"principal";r=2' in dict(limits.headers(caller("c")))[b"ratelimit"]


def test_keys_of_two_tenants_are_two():
    """Ids of users are not the daemon's: two platforms could give the same."""
    limits = Rates(per_principal=1, per_tenant=0, clock=Clock())

    assert admitted(limits, caller("same", "t1"))
    assert admitted(limits, caller("same", "t2"))
    assert not admitted(limits, caller("same", "t1"))


def test_no_more_than_so_many_keys_are_remembered(monkeypatch: pytest.MonkeyPatch):
    """The one used longest ago starts afresh."""
    monkeypatch.setattr(rates, "KEYS_MAX", 3)
    rate = Rate("principal", 1)
    for key in ("a", "b", "c", "d"):
        rate.charge(key, 0.0)

    assert rate.wait_s("a", 0.0) == 0.0
    assert all(rate.wait_s(key, 0.0) > 0 for key in ("b", "c", "d"))
