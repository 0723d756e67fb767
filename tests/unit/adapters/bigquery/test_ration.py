"""How many load jobs a table is given."""

import pytest

from engarde_daemon.adapters.bigquery.loading import RATION_JOBS, RATION_REFILL_S, Ration
from engarde_daemon.domain.errors import Unavailable


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The present moment."""
        return self.now


def test_jobs_that_are_used_up_come_back_one_by_one():
    """The refusal says when."""
    clock = Clock()
    ration = Ration(clock)
    for _ in range(RATION_JOBS):
        ration.take()

    with pytest.raises(Unavailable) as refused:
        ration.take()

    assert refused.value.after_s == pytest.approx(RATION_REFILL_S)
    clock.now += RATION_REFILL_S
    ration.take()
    with pytest.raises(Unavailable):
        ration.take()


def test_a_day_stays_below_what_bigquery_allows():
    """1,500 load jobs a table and day, failed ones included."""
    clock, taken = Clock(), 0
    ration = Ration(clock)
    for second in range(0, 86_400, 10):
        clock.now = float(second)
        try:
            ration.take()
        except Unavailable:
            continue
        taken += 1

    assert 1300 < taken < 1500
