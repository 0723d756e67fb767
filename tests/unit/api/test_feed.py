"""Those who watch share what they are shown, and cost nothing more than a place."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engarde_daemon.api.admin.feed import WATCHERS_MAX, WINDOW_EVENTS, Feed, Watcher
from engarde_daemon.api.admin.overview import Overview
from engarde_daemon.api.openapi.overview_examples import ANSWERS
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.protocol import FeedEvent, Missed, Severity, Snapshot, read_frame

SNAPSHOT: Snapshot = ANSWERS[Overview]


def event(number: int) -> FeedEvent:
    """An event that is known by its text."""
    at = datetime(2027, 5, 1, tzinfo=UTC)
    return FeedEvent(at=at, source="x", type="x", severity=Severity.OK, text=str(number))


def frames(watcher: Watcher) -> list[Any]:
    """What a watcher is shown, read as a dashboard does."""
    shown = []
    for block in watcher.take().decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        shown.append(read_frame(fields["event"], fields["data"]))
    return shown


def texts(shown: list[Any]) -> list[str]:
    """The texts of events, and of what was missed."""
    return [one.text if isinstance(one, FeedEvent) else one.why for one in shown]


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "\u0663", "", "1" * 30])
def test_an_id_that_never_was_is_of_another_life(number: str):
    """Whatever a header says, it is answered."""
    (missed,) = frames(Feed("life").watch(f"life.{number}"))

    assert isinstance(missed, Missed)


def test_a_place_more_than_there_are_is_refused():
    """And is free again when somebody goes."""
    feed = Feed("life")
    for _ in range(WATCHERS_MAX):
        feed.enter()
    with pytest.raises(Unavailable):
        feed.enter()
    feed.exit()
    feed.enter()

    assert feed.watchers == WATCHERS_MAX


def test_who_comes_sees_the_newest_snapshot_and_what_happens_from_then_on():
    """And nothing twice."""
    feed = Feed("life")
    feed.tell([event(1)])
    feed.show(SNAPSHOT)
    watcher = feed.watch(None)

    assert frames(watcher) == [
        Snapshot(**{f: getattr(SNAPSHOT, f) for f in Snapshot.__struct_fields__})
    ]
    feed.tell([event(2)])
    assert frames(watcher) == [event(2)]
    assert frames(watcher) == []


def test_who_comes_back_gets_what_happened_meanwhile():
    """By the id of the last event they got."""
    feed = Feed("life")
    feed.tell([event(number) for number in (1, 2, 3)])

    assert texts(frames(feed.watch("life.1"))) == ["2", "3"]
    assert frames(feed.watch("life.3")) == []


@pytest.mark.parametrize("id_", ["other.1", "life.99", "life.x", "nonsense"])
def test_who_comes_back_to_another_life_is_told_so(id_: str):
    """And gets all that this one knows."""
    feed = Feed("life")
    feed.tell([event(1)])
    first, second = frames(feed.watch(id_))

    assert isinstance(first, Missed)
    assert second == event(1)


def test_who_fell_behind_is_told_how_much_they_missed():
    """The window holds the newest and no more."""
    feed = Feed("life")
    watcher = feed.watch(None)
    feed.tell([event(number) for number in range(WINDOW_EVENTS + 7)])
    shown = frames(watcher)

    assert shown[0] == Missed(count=7, why="you were too far behind")
    assert len(shown) == WINDOW_EVENTS + 1


def test_that_there_was_too_much_is_told_in_its_place():
    """Between the events before and after."""
    feed = Feed("life")
    watcher = feed.watch(None)
    feed.tell([event(1)])
    feed.miss("too much")
    feed.tell([event(2)])

    assert texts(frames(watcher)) == ["1", "too much", "2"]
