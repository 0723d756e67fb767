"""The text of the screen in each state; a person reads every change of it.

`ENGARDE_RENEW=1` writes the files anew.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.tui.conftest import Desk, Sit
from tests.support.dashboard import scenes
from tests.support.dashboard.pictures import REPORT
from tui.page import PAGES

FOLDER = Path(__file__).parent / "screens"
STATES = {
    "healthy": scenes.snapshot(),
    "degraded": scenes.degraded(),
    "failed-over": scenes.failed_over(),
    "recovering": scenes.recovering(),
    "empty": scenes.empty(),
}
SIZES = {"120x40": (120, 40), "80x24": (80, 24)}


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def compare(desk: Desk, name: str) -> None:
    """Hold the screen against the file of this name."""
    seen = desk.text + "\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("ENGARDE_RENEW"):
        file.write_text(seen, encoding="utf-8")

    assert seen == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_the_overview_is_as_it_was_read(sit: Sit, state: str, size: str):
    """Nothing on it moved without anybody having looked."""
    async with sit(STATES[state], size=SIZES[size]) as desk:
        compare(desk, f"overview-{state}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_other_pages_are_as_they_were_read(sit: Sit, size: str):
    """One after the other, while ZeroDB recovers."""
    async with sit(scenes.recovering(), size=SIZES[size]) as desk:
        desk.feed.reported = REPORT
        desk.feed.parked_rows = scenes.parked()
        desk.feed.log_pages = [scenes.log()]
        for number, page in enumerate(PAGES, 1):
            if page != "overview":
                await desk.press(str(number))
                compare(desk, f"{page}-{size}")
