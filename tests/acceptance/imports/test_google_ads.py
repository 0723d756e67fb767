"""A campaign of Google Ads comes in, whatever Google's mood."""

from typing import Any

import httpx
import pytest

from engarde_daemon.testing.platforms import FakeGoogleAds, Trouble
from tests.acceptance.content import problem_of
from tests.acceptance.imports.conftest import Fair, give_keys
from tests.support.importing import SPACES, asked, ended, items_of, new_space, picture_at

WISH: dict[str, Any] = {
    "external_campaign_id": "5001",
    "import_options": {"date_range": {"start": "2026-01-01", "end": "2026-01-20"}},
}
AD = "customers/1234567890/adGroupAds/2~3"


def furnish(google: FakeGoogleAds) -> None:
    """Let the campaign have an ad, a picture, a video and a headline that is used twice."""
    google.files["banner.png"] = picture_at("/google/banner")
    texts = {
        "headlines": [{"text": "Run further"}, {"text": "Run now"}],
        "descriptions": [{"text": "Light"}],
    }
    ad = {"id": "3", "type": "RESPONSIVE_SEARCH_AD", "finalUrls": ["https://x.example/"]}
    google.rows["ad_group_ad"] = [
        {
            "adGroupAd": {
                "resourceName": AD,
                "status": "ENABLED",
                "ad": ad | {"responsiveSearchAd": texts},
            }
        },
        {"adGroupAd": {"resourceName": f"{AD}9", "status": "PAUSED", "ad": ad}},
    ]
    google.rows["campaign_asset"] = [linked("campaignAsset", one) for one in assets()[:2]]
    google.rows["asset_group_asset"] = [
        linked("assetGroupAsset", one) for one in (assets()[2], assets()[2])
    ]
    google.rows["asset"] = [{"asset": one} for one in assets()]
    google.rows["campaign"] = [{"campaign": {"resourceName": "customers/1/campaigns/5001"}}]
    google.rows["customer"] = [{"customer": {"currencyCode": "EUR", "timeZone": "Europe/Berlin"}}]


def assets() -> list[dict[str, Any]]:
    """A picture, a video and a text, as Google writes them."""
    name = "customers/1234567890/assets/{}".format
    return [
        {
            "resourceName": name(11),
            "type": "IMAGE",
            "name": "Banner",
            "imageAsset": {"fullSize": {"widthPixels": "64", "url": "file:banner.png"}},
        },
        {
            "resourceName": name(12),
            "type": "YOUTUBE_VIDEO",
            "youtubeVideoAsset": {"youtubeVideoId": "abc", "youtubeVideoTitle": "Film"},
        },
        {"resourceName": name(13), "type": "TEXT", "textAsset": {"text": "Only today"}},
    ]


def linked(kind: str, asset: dict[str, Any]) -> dict[str, Any]:
    """An asset as it is used."""
    return {kind: {"fieldType": "HEADLINE", "status": "ENABLED"}, "asset": asset}


def figures(day: str, impressions: int) -> dict[str, Any]:
    """A day of the ad, with 64-bit numbers in texts."""
    return {
        "adGroupAd": {"resourceName": AD},
        "segments": {"date": day},
        "metrics": {"impressions": str(impressions), "clicks": "25", "costMicros": "12340000"},
    }


async def imported(http: httpx.AsyncClient, space_id: str, **wish: Any) -> dict[str, Any]:
    """The campaign's import, once it has ended."""
    return await ended(http, await asked(http, space_id, "google_ads", **{**WISH, **wish}))


async def test_a_campaign_comes_with_its_ads_assets_and_figures(
    fair: Fair, importer: httpx.AsyncClient
):
    """An ad, a picture, a video by its address and a text; figures by weeks; each thing once."""
    furnish(fair.google)
    fair.google.rows["figures"] = [figures(f"2026-01-{day:02}", day) for day in (1, 8, 20)]
    space_id = await new_space(importer)
    job = await imported(importer, space_id)
    items = {one["name"]: one for one in await items_of(importer, job["import_job_id"])}
    ad = (await importer.get(f"/api/content/{items['Run further']['content_id']}")).json()
    banner = (await importer.get(f"/api/content/{items['Banner']['content_id']}")).json()
    film = (await importer.get(f"/api/content/{items['Film']['content_id']}")).json()
    again = await imported(importer, space_id)

    assert (job["status"], job["estimated_assets"]) == ("completed", 5)
    assert (job["imported"], job["skipped"], job["performance_rows"]) == (4, 1, 3)
    assert ad["body"] == "# Run further | Run now\n\nLight"
    assert (ad["type"], banner["type"], film["type"]) == ("ad", "image", "video")
    assert film["metadata"]["link"] == "https://www.youtube.com/watch?v=abc"
    kept = (await importer.get(banner["media"][0]["url"])).content
    assert kept == picture_at("/google/banner")
    assert (again["unchanged"], again["imported"], again["performance_rows"]) == (4, 0, 3)
    assert fair.google.tokens_given <= 2  # one for who estimates, one for who imports


async def test_a_token_that_ran_out_is_renewed(fair: Fair, importer: httpx.AsyncClient):
    """At once, and only that one."""
    furnish(fair.google)
    space_id = await new_space(importer)
    await imported(importer, space_id, import_performance=False)
    given = fair.google.tokens_given
    fair.google.troubles.append(Trouble.STALE_TOKEN)
    job = await imported(importer, space_id, import_performance=False)

    assert (job["status"], job["unchanged"], job["estimated_assets"]) == ("completed", 4, 5)
    assert 1 <= fair.google.tokens_given - given <= 2  # all of them ran out at once


@pytest.mark.parametrize("trouble", [Trouble.THROTTLED, Trouble.BROKEN, Trouble.HALF])
async def test_troubles_that_pass_are_waited_out(
    fair: Fair, importer: httpx.AsyncClient, trouble: Trouble
):
    """The import goes on where it was."""
    furnish(fair.google)
    fair.google.troubles.extend([trouble, trouble])
    job = await imported(importer, await new_space(importer), import_performance=False)

    assert (job["status"], job["imported"], job["failed"]) == ("completed", 4, 0)
    assert not fair.google.troubles


async def test_a_picture_whose_address_ran_out_is_asked_for_anew(
    fair: Fair, importer: httpx.AsyncClient
):
    """By its name, which never changes."""
    furnish(fair.google)
    fair.google.stale_urls = 2  # one is given to whoever estimates, one to whoever lists
    job = await imported(importer, await new_space(importer), import_performance=False)

    assert (job["imported"], job["failed"]) == (4, 0)
    assert fair.google.fetched == ["banner.png"] * 2


async def test_a_revoked_credential_is_told_at_once(fair: Fair, importer: httpx.AsyncClient):
    """Nothing begins that cannot end."""
    furnish(fair.google)
    fair.google.refresh_token = "another"
    space_id = await new_space(importer)
    await give_keys(importer)
    wish = {"platform": "google_ads", **WISH}
    answer = await importer.post(f"{SPACES}/{space_id}/import-content", json=wish)

    assert "invalid_grant" in problem_of(answer, 409)["detail"]


async def test_an_id_is_never_a_part_of_a_query(fair: Fair, importer: httpx.AsyncClient):
    """What is no number is no campaign, and Google is not even asked."""
    space_id = await new_space(importer)
    wish = {"platform": "google_ads", "external_campaign_id": "1'OR'1'='1"}
    answer = await importer.post(f"{SPACES}/{space_id}/import-content", json=wish)

    problem_of(answer, 422)
    assert fair.google.asked == []
