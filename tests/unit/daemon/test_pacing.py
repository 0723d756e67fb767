"""When background work rests."""

import msgspec
import pytest

from engarde_daemon.daemon.pacing import Pace, PaceRules
from engarde_daemon.domain.vitals import Vitals, Waiting

RULES = PaceRules(
    window_s=1.0, burst_writes=10, burst_reads=10, rest_s=0.5, breath_s=0.1, patience_s=30.0
)


class Moment:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


class Readers:
    """Those who read, and how much so far."""

    def __init__(self, count: int = 0) -> None:
        self.count = count

    def __call__(self) -> int:
        """What was answered to them."""
        return self.count


@pytest.fixture
def moment() -> Moment:
    """A clock in the test's hand."""
    return Moment()


def pace_of(moment: Moment, readers: Readers | None = None, *, oldest_age_s: float = 0.0) -> Pace:
    """A pace under which the oldest version waits for so long."""
    waiting = {"zerodb": Waiting(1, oldest_age_s)}
    vitals = msgspec.structs.replace(Vitals(), waiting=waiting)
    return Pace(moment, vitals=lambda: vitals, reads=readers or Readers(), rules=RULES)


def test_nothing_rests_while_nobody_writes(moment: Moment):
    """A quiet daemon works at once."""
    assert pace_of(moment).rest_s("zerodb") == 0.0


def test_a_few_writes_are_no_burst(moment: Moment):
    """They are delivered within milliseconds."""
    pace = pace_of(moment)

    pace.note_writes(9)

    assert pace.rest_s("zerodb") == 0.0


def test_a_burst_makes_it_rest(moment: Moment):
    """Also when it came in pieces, and in two windows."""
    pace = pace_of(moment)

    pace.note_writes(5)
    moment.now += 1.0
    pace.note_writes(5)

    assert pace.rest_s("zerodb") == 0.5


@pytest.mark.parametrize("seconds", [2.0, 60.0])
def test_a_burst_is_forgotten(moment: Moment, seconds: float):
    """Two windows later it is over."""
    pace = pace_of(moment)
    pace.note_writes(100)

    moment.now += seconds
    pace.rest_s("zerodb")
    moment.now += 1.0

    assert pace.rest_s("zerodb") == 0.0


def test_what_waits_too_long_rests_no_more(moment: Moment):
    """A promise to deliver outweighs the burst."""
    pace = pace_of(moment, oldest_age_s=30.5)

    pace.note_writes(100)

    assert pace.rest_s("zerodb") == 0.0


def test_what_waits_for_one_destination_does_not_hurry_another(moment: Moment):
    """An archive that is away for long does not end all giving way."""
    pace = pace_of(moment, oldest_age_s=30.5)

    pace.note_writes(100)

    assert pace.rest_s("search") == 0.5


@pytest.mark.parametrize("oldest_age_s", [0.0, 30.5])
def test_many_who_read_make_it_take_a_breath(moment: Moment, oldest_age_s: float):
    """Also where what waits has waited for long: it goes on in between."""
    readers = Readers(1000)
    pace = pace_of(moment, readers, oldest_age_s=oldest_age_s)

    readers.count += 10
    moment.now += 1.0

    assert pace.rest_s("zerodb") == 0.1


def test_a_few_who_read_do_not(moment: Moment):
    """Nor do as many as make a burst, over a longer time."""
    readers = Readers()
    pace = pace_of(moment, readers)

    readers.count += 19
    moment.now += 2.0

    assert pace.rest_s("zerodb") == 0.0


def test_who_writes_makes_it_rest_as_long_as_ever_beside_readers(moment: Moment):
    """The longer of the two holds."""
    readers = Readers()
    pace = pace_of(moment, readers)

    readers.count += 10
    moment.now += 1.0
    pace.note_writes(10)

    assert pace.rest_s("zerodb") == 0.5


def test_readers_who_left_are_forgotten(moment: Moment):
    """A window in which nobody reads ends it."""
    readers = Readers()
    pace = pace_of(moment, readers)
    readers.count += 100
    moment.now += 1.0
    assert pace.rest_s("zerodb") == 0.1

    moment.now += 1.0

    assert pace.rest_s("zerodb") == 0.0
