"""How long to wait before a restart."""

from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.core import RestartPolicy

POLICY = RestartPolicy(backoff_s=0.5, backoff_max_s=4.0, jitter=0.25)


def test_the_delay_doubles_up_to_its_maximum():
    """Without luck, each restart in a row waits twice as long, within the bound."""
    assert [POLICY.delay(attempt, 0.0) for attempt in range(1, 6)] == [0.5, 1.0, 2.0, 4.0, 4.0]


def test_chance_only_shortens_the_delay():
    """The maximum is a maximum, whatever chance says."""
    assert POLICY.delay(1, 1.0) == 0.375


@given(attempt=st.integers(min_value=1), chance=st.floats(0.0, 1.0, exclude_max=True))
def test_the_delay_is_bounded_for_every_attempt(attempt: int, chance: float):
    """No number of attempts overflows or leaves the bounds."""
    assert 0.375 <= POLICY.delay(attempt, chance) <= 4.0
