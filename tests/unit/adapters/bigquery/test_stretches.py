"""A long walk through the archive, cut into pieces."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.adapters.bigquery.reader import STRETCH_ROWS, stretches
from engarde_daemon.ports.archive import Span

FIRST = date(2026, 1, 1)
SPAN = Span(datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def day(number: int) -> date:
    """A day of that year."""
    return FIRST + timedelta(days=number)


def test_a_span_without_rows_has_no_stretches():
    """Nothing is asked where nothing is."""
    assert list(stretches(SPAN, [])) == []


def test_the_bounds_of_the_span_stay_its_bounds():
    """Half a day stays half a day."""
    (only,) = stretches(SPAN, [(day(0), 1), (day(3), 1)])

    assert only == Span(SPAN.since, datetime(2026, 1, 5, tzinfo=UTC))


@given(st.dictionaries(st.integers(0, 364), st.integers(1, 2 * STRETCH_ROWS), min_size=1))
def test_every_day_is_in_one_stretch_and_none_is_longer_than_it_must(counts: dict[int, int]):
    """Each row is read and paid for once; memory is bounded by a day more than a stretch."""
    days = [(day(number), counts[number]) for number in sorted(counts)]

    pieces = list(stretches(SPAN, days))

    for one, _ in days:
        noon = datetime(one.year, one.month, one.day, 12, tzinfo=UTC)
        assert sum(piece.since <= noon < piece.until for piece in pieces) == 1
    for piece in pieces:
        last = (piece.until - timedelta(days=1)).date()
        before_last = [count for one, count in days if piece.since.date() <= one < last]
        assert sum(before_last) < STRETCH_ROWS
