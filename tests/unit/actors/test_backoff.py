"""How long is waited after calls that failed."""

import pytest

from actors.backoff import Backoff

BACKOFF = Backoff(first_s=0.5, longest_s=60.0)


@pytest.mark.parametrize(
    ("attempts", "longest_s"), [(0, 0.5), (1, 1.0), (6, 32.0), (7, 60.0), (10_000, 60.0)]
)
def test_the_wait_doubles_up_to_its_bound(attempts: int, longest_s: float):
    """Also after more attempts than a number of floating point has room for."""
    assert BACKOFF.wait_s(attempts, 0.0) == longest_s / 2
    assert BACKOFF.wait_s(attempts, 0.5) == longest_s * 0.75
    assert BACKOFF.wait_s(attempts, 1.0) == longest_s
