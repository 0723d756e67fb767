"""`make pictures`: the pictures of the dashboard in `docs/pictures`, drawn from scenes."""

import os
import sys
import time
from functools import partial
from pathlib import Path

import anyio

from engarde_daemon.protocol import Snapshot
from tests.support.dashboard import scenes
from tests.support.dashboard.feed import ScriptedFeed, settle
from tui.app import Dashboard
from tui.feed import Finding, Report

WIDE = (120, 40)
SMALL = (80, 24)
PICTURES: dict[str, tuple[Snapshot, str, tuple[int, int], bool]] = {
    "healthy": (scenes.snapshot(), "overview", WIDE, False),
    "healthy-light": (scenes.snapshot(), "overview", WIDE, True),
    "degraded": (scenes.degraded(), "overview", WIDE, False),
    "failed-over": (scenes.failed_over(), "overview", WIDE, False),
    "failed-over-80x24": (scenes.failed_over(), "overview", SMALL, False),
    "recovering": (scenes.recovering(), "overview", WIDE, False),
    "empty": (scenes.empty(), "overview", WIDE, False),
    "queues": (scenes.failed_over(), "queues", WIDE, False),
    "tenants": (scenes.snapshot(), "tenants", WIDE, False),
    "jobs": (scenes.snapshot(), "jobs", WIDE, False),
    "replication": (scenes.failed_over(), "replication", WIDE, False),
    "recovery": (scenes.recovering(), "recovery", WIDE, False),
    "events": (scenes.snapshot(), "events", WIDE, False),
    "log": (scenes.snapshot(), "log", WIDE, False),
}
REPORT = Report(
    versions=7_800,
    waiting=2_310,
    restored=3,
    counts={"postgresql": 7_800, "zerodb": 7_797, "archive_rows": 7_800},
    differences=[
        Finding(
            store="zerodb", kind="missing row", tenant_id="acme", content_id="01a2-5b75", version=2
        )
    ],
    differences_total=3,
)


async def draw(snapshot: Snapshot, page: str, size: tuple[int, int], *, light: bool) -> str:
    """The dashboard as it looks in a scene, as SVG."""
    used = snapshot.safety.versions > 0
    news = [*scenes.lately(snapshot), *(scenes.everyday() if used else ())]
    feed = ScriptedFeed(news, tenants=scenes.tenants())
    feed.reported = REPORT
    feed.parked_rows = scenes.parked()
    feed.log_pages = [scenes.log()]
    app = Dashboard(feed, light=light)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, feed)
        app.action_open(page)
        await settle(pilot, feed)
        return app.export_screenshot(title="engarde tui")


def main(folder: Path) -> None:
    """Draw all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (snapshot, page, size, light) in PICTURES.items():
        picture = anyio.run(partial(draw, snapshot, page, size, light=light))
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    main(Path(sys.argv[1]))
