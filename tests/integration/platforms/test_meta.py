"""What Meta may answer on a bad day, and what is made of it."""

from datetime import date
from typing import Any

import pytest

from engarde_daemon.adapters.platforms.meta import platform as meta_platform
from engarde_daemon.domain.importing import DateRange
from engarde_daemon.ports.platforms import AdPlatform, FiguresPage, PlatformFault, PlatformTrouble
from engarde_daemon.testing.platforms import FakeMeta

CAMPAIGN = "7001"
JANUARY = DateRange(start=date(2026, 1, 1), end=date(2026, 1, 25))


def insight(number: int = 0, **told: Any) -> dict[str, Any]:
    """A day of an ad, as Meta writes it: numbers in texts."""
    row = {"ad_id": f"80{number}", "date_start": "2026-01-02", "impressions": "10", "spend": "1.5"}
    return {**row, **told}


def ad(number: int, *hashes: str) -> dict[str, Any]:
    """An ad of several pictures."""
    cards = [{"image_hash": one} for one in hashes]
    creative = {"id": "9", "object_story_spec": {"link_data": {"child_attachments": cards}}}
    return {"id": f"80{number}", "effective_status": "ACTIVE", "creative": creative}


async def pages(account: AdPlatform, most: int = 50) -> list[FiguresPage]:
    """The figures of the campaign, page by page."""
    found: list[FiguresPage] = []
    cursor: str | None = None
    for _ in range(most):
        found.append(await account.figures(CAMPAIGN, JANUARY, cursor))
        cursor = found[-1].cursor
        if cursor is None:
            break
    return found


async def test_a_report_that_never_ends_is_given_up(
    meta: FakeMeta, meta_account: AdPlatform, monkeypatch: pytest.MonkeyPatch
):
    """It is ordered anew some times; no import waits for ever."""
    monkeypatch.setattr(meta_platform, "LOOKS_MAX", 3)
    meta.report_looks = 1_000_000

    with pytest.raises(PlatformFault, match="failed 5 times") as fault:
        await pages(meta_account)

    assert fault.value.trouble is PlatformTrouble.REJECTED
    assert len([one for one in meta.asked if one.method == "POST"]) == 5


async def test_a_report_is_looked_at_ever_more_rarely(meta: FakeMeta, meta_account: AdPlatform):
    """Each look is one of the calls that Meta counts."""
    meta.report_looks = 8
    meta.insights = [insight()]

    waits = [page.wait_s for page in await pages(meta_account)]

    assert waits == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 0.0, 0.0]


async def test_pages_of_figures_shrink_when_meta_asks(meta: FakeMeta, meta_account: AdPlatform):
    """As those of ads do; each row comes once."""
    meta.insights = [insight(number) for number in range(150)]
    meta.rows_max = 100

    rows = [row.external_id for page in await pages(meta_account) for row in page.rows]

    assert rows == [f"80{number}" for number in range(150)]


@pytest.mark.parametrize(
    "told", [{"date_start": "2026-01-02 or so"}, {"spend": "NaN"}, {"impressions": "9" * 30}]
)
async def test_figures_that_are_none_are_a_fault_of_the_platform(
    meta: FakeMeta, meta_account: AdPlatform, told: dict[str, Any]
):
    """And never one of the importer, which would die of it each time it came to this import."""
    meta.insights = [insight(**told)]

    with pytest.raises(PlatformFault, match="not in the form"):
        await pages(meta_account)


@pytest.mark.parametrize("cursors", [{}, {"after": ""}, {"after": "c0"}, {"after": "x" * 5000}])
async def test_a_next_page_that_cannot_be_asked_for_is_a_fault(
    meta: FakeMeta, meta_account: AdPlatform, cursors: dict[str, str]
):
    """An end where Meta says there is more would lose ads; the same page again would never end."""
    meta.ads = [ad(1)]
    meta.paging = {"cursors": cursors, "next": "https://graph.facebook.com/?after=…"}

    with pytest.raises(PlatformFault, match="where the next page"):
        await meta_account.assets(CAMPAIGN, "c0")


async def test_many_pictures_are_asked_for_in_several_calls(
    meta: FakeMeta, meta_account: AdPlatform
):
    """The names of all would make an address that servers refuse."""
    names = [f"h{number:03}" for number in range(120)]
    meta.images = dict.fromkeys(names, "picture.png")
    meta.ads = [ad(n, *names[n * 60 : n * 60 + 60]) for n in range(2)]

    page = await meta_account.assets(CAMPAIGN, None)

    assert [len(asset.media) for asset in page.assets] == [60, 60]
    assert all(one.url is not None for asset in page.assets for one in asset.media)
    assert max(len(one.query.get("hashes", "")) for one in meta.asked) < 1000
