"""The page of the daemon's log."""

import msgspec
import pytest

from engarde_daemon.protocol import LogPage
from tests.integration.tui.conftest import Sit
from tests.support.dashboard import scenes
from tui.feed import Refused
from tui.pages import log


async def test_lines_are_filtered_by_level_and_word(sit: Sit):
    """Like events; a word is looked for in the fields, too."""
    async with sit() as desk:
        desk.feed.log_pages = [scenes.log()]
        await desk.press("8")
        assert "settings.reloaded" in desk.text

        await desk.press("l")
        assert "settings.reloaded" not in desk.text
        assert "zerodb.probe.failed" in desk.text
        await desk.press("l", "l", "slash", *"delivery", "enter")

        assert "crashed" in desk.text
        assert "zerodb.probe.failed" not in desk.text


async def test_it_goes_on_where_the_last_answer_ended(sit: Sit):
    """Page by page, until there is nothing new."""
    later = LogPage(data=[scenes.log_line(1, "one more")], cursor="5b1c9e2f.9999")
    async with sit() as desk:
        desk.feed.log_pages = [scenes.log(), later]
        await desk.press("8")

        assert desk.feed.log_cursors[:3] == ["", "5b1c9e2f.9880", "5b1c9e2f.9999"]
        assert "one more" in desk.text


async def test_a_gap_is_shown_as_one(sit: Sit):
    """Whether lines fell out, or the daemon was started again."""
    later = LogPage(data=[scenes.log_line(1, "one more")], cursor="5b1c9e2f.9999", missed=12)
    other = LogPage(data=[scenes.log_line(0, "ready")], cursor="77aa.1", missed=None)
    async with sit() as desk:
        desk.feed.log_pages = [scenes.log(), later, other]
        await desk.press("8")

        assert "12 lines missed" in desk.text
        assert "The daemon was started again" in desk.text


async def test_a_held_list_stands_still_and_misses_nothing(sit: Sit):
    """What was logged meanwhile is there when it runs again."""
    later = LogPage(data=[scenes.log_line(1, "meanwhile")], cursor="5b1c9e2f.9999")
    async with sit() as desk:
        desk.feed.log_pages = [scenes.log()]
        await desk.press("8", "h")
        desk.feed.log_pages = [later]
        await desk.press("1", "8")
        assert "meanwhile" not in desk.text

        await desk.press("h")

        assert "meanwhile" in desk.text


async def test_a_line_is_opened_with_its_traceback(sit: Sit):
    """And nothing in it steers the terminal."""
    page = scenes.log()
    evil = msgspec.structs.replace(page.data[1], event="\x1b[2Jcrashed")
    async with sit() as desk:
        desk.feed.log_pages = [msgspec.structs.replace(page, data=[evil])]
        await desk.press("8", "enter")

        assert "Traceback (most recent call last):" in desk.text
        assert "ReadError: the connection broke" in desk.text
        assert "\x1b" not in desk.text

        await desk.press("escape")
        assert desk.page == "log"


async def test_a_daemon_that_tells_no_log_is_said_so(sit: Sit):
    """As one that is older than the dashboard."""
    async with sit() as desk:
        desk.feed.refusal = Refused("The daemon answered with 404.")
        await desk.press("8")

        assert "The daemon answered with 404." in desk.text


async def test_it_is_asked_only_while_the_page_is_open(sit: Sit):
    """A log that nobody reads costs the daemon nothing."""
    async with sit() as desk:
        await desk.press("7")

        assert desk.feed.log_cursors == []


async def test_brackets_in_a_line_are_shown_and_not_obeyed(sit: Sit):
    """As markup they would be swallowed, or end the dashboard."""
    page = scenes.log()
    line = msgspec.structs.replace(page.data[1], event="[Errno 111] lost [/]")
    async with sit() as desk:
        desk.feed.log_pages = [msgspec.structs.replace(page, data=[line])]
        await desk.press("8", "enter")

        assert "─ [Errno 111] lost [/] ─" in desk.text


async def test_a_daemon_that_never_stops_logging_is_read_a_part_at_a_time(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise each answer would bring the next question, as fast as both can."""
    monkeypatch.setattr(log, "LOOK_EVERY_S", 3_600.0)
    endless = LogPage(data=[scenes.log_line(1, "one more")], cursor="5b1c9e2f.1")
    async with sit() as desk:
        desk.feed.log_pages = [endless] * 50
        await desk.press("8")

        assert len(desk.feed.log_cursors) == log.PAGES_PER_LOOK
