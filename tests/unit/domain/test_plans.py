"""Where one level of a plan ends and the next begins, and when a write still fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.plans import (
    GB,
    Level,
    Plan,
    fits,
    level,
    plan_named,
    storage_phrase,
    upgrade_suggestion,
)

limits = st.integers(min_value=1, max_value=2**62)


def plan(name: str, storage_gb: float | None) -> Plan:
    """A plan of which only the storage matters."""
    return Plan(
        name=name,
        storage_bytes=None if storage_gb is None else int(storage_gb * GB),
        retention_days=None,
        monthly_items=None,
    )


FREE, STARTER, TEAM, LARGE = (
    plan("free", 1),
    plan("starter", 10),
    plan("big_team", 99.5),
    plan("x", None),
)
PLANS = [LARGE, STARTER, FREE, TEAM]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (0, Level.NORMAL),
        (699, Level.NORMAL),
        (700, Level.WARNING),
        (849, Level.WARNING),
        (850, Level.CRITICAL),
        (1000, Level.CRITICAL),
        (1001, Level.EXCEEDED),
    ],
)
def test_a_level_begins_exactly_at_its_share(used: int, expected: Level):
    """70 % is a warning, 85 % is critical, and only above the limit is it exceeded."""
    assert level(used, 1000) is expected


@given(used=st.integers(min_value=0, max_value=2**63))
def test_a_plan_without_limit_is_never_full(used: int):
    """Nothing is refused and nothing is warned about."""
    assert level(used, None) is Level.NORMAL
    assert fits(used, None)


@given(limit=limits)
def test_the_last_byte_may_be_used(limit: int):
    """A write that fills the plan exactly is admitted, one byte more is not."""
    assert fits(limit, limit)
    assert not fits(limit + 1, limit)


@given(used=st.integers(min_value=0, max_value=2**63), limit=limits)
def test_what_fits_is_never_called_exceeded(used: int, limit: int):
    """The refusal and the level come from the same line."""
    assert fits(used, limit) == (level(used, limit) is not Level.EXCEEDED)


@given(limit=limits, used=st.integers(min_value=0, max_value=2**62), more=st.integers(0, 2**62))
def test_a_level_never_falls_while_usage_grows(limit: int, used: int, more: int):
    """Levels are in the order of their names, also where a share is no whole byte."""
    order = list(Level)

    assert order.index(level(used, limit)) <= order.index(level(used + more, limit))


@pytest.mark.parametrize(
    ("current", "needed_gb", "suggestion"),
    [
        (FREE, 1.5, "Upgrade to Starter plan for 10 GB storage"),
        (FREE, 10, "Upgrade to Starter plan for 10 GB storage"),
        (FREE, 11, "Upgrade to Big Team plan for 99.5 GB storage"),
        (TEAM, 1, "Upgrade to X plan for unlimited storage"),
        (LARGE, 1, None),
    ],
)
def test_the_smallest_larger_plan_is_suggested(current: Plan, needed_gb: float, suggestion: str):
    """It must hold what is needed and be larger than what the tenant has."""
    assert upgrade_suggestion(current, PLANS, int(needed_gb * GB)) == suggestion


@pytest.mark.parametrize(
    ("size_gb", "said"), [(2**20, "1048576 GB"), (0.5, "0.5 GB"), (1234567.25, "1234567.25 GB")]
)
def test_a_limit_is_said_as_people_say_it(size_gb: float, said: str):
    """Without a power of ten, however large it is."""
    assert storage_phrase(int(size_gb * GB)) == said


def test_nothing_is_suggested_that_would_not_do():
    """Where even the largest plan is too small, there is no suggestion."""
    assert upgrade_suggestion(FREE, [FREE, STARTER], 11 * GB) is None


def test_a_plan_nobody_configured_allows_what_free_allows():
    """A tier that only the platform knows must not open the gates."""
    plans = {plan.name: plan for plan in PLANS}

    assert plan_named("starter", plans) is STARTER
    assert plan_named("platinum", plans) is FREE
