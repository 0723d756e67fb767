"""A dashboard on a scripted feed, driven by keys."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.pilot import Pilot

from engarde_daemon.protocol import Snapshot
from tests.support.dashboard import scenes
from tests.support.dashboard.feed import ScriptedFeed, settle
from tui.app import Dashboard
from tui.feed import News


class Desk:
    """An operator in front of the dashboard."""

    def __init__(self, pilot: Pilot[None], app: Dashboard, feed: ScriptedFeed) -> None:
        self.pilot = pilot
        self.app = app
        self.feed = feed

    async def press(self, *keys: str) -> None:
        """Press keys, each after what the one before has done."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def tell(self, *news: News) -> None:
        """Let this happen, and be shown."""
        self.feed.tell(*news)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything is on the screen."""
        await settle(self.pilot, self.feed)

    @property
    def page(self) -> str:
        """The page that is open."""
        return getattr(self.app.screen, "NAME", "")

    @property
    def text(self) -> str:
        """What stands on the screen."""
        lines = (strip.text for strip in self.app.screen._compositor.render_strips())
        return "\n".join(line.rstrip() for line in lines)

    @property
    def notices(self) -> list[str]:
        """What it was told beside the page."""
        return [notice.message for notice in self.app._notifications]


Sit = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def sit() -> Sit:
    """Sit down in front of a dashboard that shows a scene."""

    @asynccontextmanager
    async def seated(
        snapshot: Snapshot | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        role: str = "operator",
        notices: bool = False,
    ) -> AsyncIterator[Desk]:
        news = scenes.lately(snapshot or scenes.snapshot(), role=role, seconds=60)
        feed = ScriptedFeed([*news, *scenes.everyday()], tenants=scenes.tenants())
        app = Dashboard(feed)
        async with app.run_test(size=size, notifications=notices) as pilot:
            desk = Desk(pilot, app, feed)
            await desk.settle()
            yield desk

    return seated
