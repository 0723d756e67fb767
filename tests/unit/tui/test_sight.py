"""What the dashboard knows, put together from the news."""

import msgspec

from engarde_daemon.protocol import Missed, Severity
from tests.support.dashboard import scenes
from tui.feed import READ_ONLY, Linked, Lost
from tui.sight import EVENTS_MAX, HISTORY_S, SILENT_AFTER_S, Sight


def sight_of(*news: object) -> Sight:
    """What is known after all of this."""
    sight = Sight(lambda: 0.0)
    for piece in news:
        sight.take(piece)  # type: ignore[arg-type]
    return sight


def test_its_memory_has_bounds():
    """It may stay open for months."""
    event = scenes.event(0, "content.item.created", "one more")
    sight = sight_of(*[scenes.snapshot()] * (HISTORY_S + 5), *[event] * (EVENTS_MAX + 5))

    assert len(sight.events) == EVENTS_MAX
    assert {len(kept) for kept in (sight.reads, *sight.backlogs.values())} == {HISTORY_S}


def test_a_gap_in_the_events_is_told_as_one():
    """Nobody may take a list with a hole for a whole one."""
    sight = sight_of(scenes.snapshot(), Missed(count=3_000, why="you were too far behind"))

    gap = sight.events[-1]
    assert gap.severity is Severity.WARNING
    assert gap.text == "3,000 events were not told here: you were too far behind"


def test_what_was_known_stays_when_the_daemon_is_lost():
    """It is shown as of then, and not as of now."""
    sight = sight_of(Linked(), scenes.snapshot(), Lost("nothing answers there", 1.0))

    assert sight.snapshot == scenes.snapshot()
    assert sight.trouble == "There is no news from the daemon: nothing answers there."


def test_only_an_operators_key_may_act():
    """A daemon that does not say whose key it is lets every order decide."""
    assert sight_of(Linked("viewer")).read_only == READ_ONLY
    assert not sight_of(Linked("operator")).read_only
    assert not sight_of(Linked()).read_only


def test_the_daemon_it_is_attached_to_comes_first():
    """Its actors can be steered, those of others only looked at."""
    other = scenes.daemon(2)
    sight = sight_of(msgspec.structs.replace(scenes.snapshot(), others=[other]))

    assert [daemon.name for daemon in sight.daemons] == ["content-1", "content-2"]


def test_a_snapshot_that_is_told_again_is_no_news():
    """A daemon whose observer stands still shows its last one to whoever comes."""
    now_s = 0.0
    sight = Sight(lambda: now_s)
    sight.take(Linked())
    sight.take(scenes.snapshot())
    now_s = SILENT_AFTER_S + 1
    sight.take(scenes.snapshot())
    sight.watch()

    assert sight.trouble == "The daemon answers, but tells nothing new."

    sight.take(msgspec.structs.replace(scenes.snapshot(), at=scenes.ago(seconds=-1)))
    sight.watch()

    assert not sight.trouble
