"""The window of the log that is kept for those who look from elsewhere."""

from datetime import UTC, datetime

import pytest

from engarde_daemon.protocol import LogLevel, LogPage
from engarde_daemon.recent_log import (
    LINES_MAX,
    STORY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    RecentLog,
)

AT = datetime(2027, 3, 1, tzinfo=UTC)


def said(log: RecentLog, *events: str, level: str = "info", **fields: str) -> None:
    """Log these, one after the other."""
    for event in events:
        log.keep(level=level, at=AT, event=event, fields=fields)


def newest(log: RecentLog, most: int = 100, *, word: str = "") -> LogPage:
    """The newest lines."""
    return log.newest(most, least=LogLevel.DEBUG, word=word)


def after(
    log: RecentLog, cursor: str, most: int = 100, *, least: LogLevel = LogLevel.DEBUG
) -> LogPage:
    """The lines after a cursor."""
    return log.after(cursor, most, least=least, word="")


def events(page: LogPage) -> list[str]:
    """What the lines of a page say."""
    return [line.event for line in page.data]


@pytest.fixture
def log() -> RecentLog:
    """Nothing was logged yet."""
    return RecentLog("run")


@pytest.mark.parametrize("cursor", ["other.1", "run.", "run.x", "run.9", "."])
def test_a_cursor_of_another_life_begins_anew_with_a_gap(log: RecentLog, cursor: str):
    """Nobody knows how much was logged in between."""
    said(log, "one", "two")

    page = after(log, cursor)

    assert (events(page), page.missed) == (["one", "two"], None)


def test_lines_that_fell_out_are_counted(log: RecentLog):
    """So that a gap is shown as one."""
    said(log, "read")
    cursor = newest(log).cursor
    said(log, *map(str, range(LINES_MAX + 5)))

    page = after(log, cursor, LINES_MAX)

    assert page.missed == 5
    assert events(page) == [str(number) for number in range(5, LINES_MAX + 5)]


def test_page_by_page_every_line_is_told_once(log: RecentLog):
    """Those that do not pass the filter do not hold it up."""
    said(log, "start")
    cursor = newest(log).cursor
    for number in range(10):
        said(log, f"{number}", level="warning" if number % 2 else "debug")

    told = []
    for _ in range(4):
        page = after(log, cursor, 2, least=LogLevel.WARNING)
        told += events(page)
        cursor = page.cursor

    assert told == ["1", "3", "5", "7", "9"]
    assert cursor == newest(log).cursor


def test_a_word_is_looked_for_in_all_that_a_line_says(log: RecentLog):
    """Whatever its case."""
    said(log, "Delivery failed", "quiet")
    said(log, "with a field", path="root/pipelines/Delivery")

    assert events(newest(log, word="delivery")) == ["Delivery failed", "with a field"]


def test_without_a_cursor_the_newest_are_told(log: RecentLog):
    """The oldest of them first, and the cursor goes on after all."""
    said(log, "one", "two", "three")

    page = newest(log, 2)

    assert (events(page), page.cursor, page.missed) == (["two", "three"], "run.3", 0)
    assert events(after(log, page.cursor)) == []


def test_memory_is_bounded_whatever_is_logged(log: RecentLog):
    """Of a traceback the end is kept, which says what happened."""
    story = "x" * 10_000 + "the end"
    said(log, "e" * 10_000, value="v" * 10_000, exception=story)

    (line,) = newest(log).data

    assert len(line.event) == TEXT_CHARACTERS_MAX
    assert len(line.fields["value"]) == TEXT_CHARACTERS_MAX
    assert line.fields["exception"] == story[-STORY_CHARACTERS_MAX:]


def test_a_level_that_nobody_knows_is_an_error(log: RecentLog):
    """Rather shown too loudly than lost."""
    said(log, "odd", level="notset")

    (line,) = newest(log).data
    assert line.level is LogLevel.ERROR
