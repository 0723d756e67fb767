"""A campaign of Meta comes in, whatever Meta's mood."""

from typing import Any

import anyio
import httpx

from engarde_daemon.testing.platforms import FakeMeta, Trouble
from tests.acceptance.content import problem_of
from tests.acceptance.imports.conftest import Fair, give_keys
from tests.support.importing import SPACES, asked, ended, items_of, job_of, new_space, picture_at
from tests.support.patience import PATIENCE_S

WISH = {"external_campaign_id": "7001"}


def furnish(meta: FakeMeta, ads: int = 3) -> None:
    """Let the campaign have ads, each with a picture, and the first with a video too."""
    for number in range(ads):
        meta.files[f"{number}.png"] = picture_at(f"/meta/{number}")
        meta.images[f"h{number}"] = f"{number}.png"
        meta.ads.append(
            {
                "id": f"80{number}",
                "name": f"Ad {number}",
                "status": "ACTIVE",
                "effective_status": "ACTIVE",
                "creative": {
                    "id": f"90{number}",
                    "image_hash": f"h{number}",
                    "object_story_spec": {
                        "link_data": {
                            "message": f"Text {number}",
                            "name": f"Headline {number}",
                            "link": "https://shop.example/",
                            "call_to_action": {"type": "SHOP_NOW"},
                        }
                    },
                },
            }
        )


def insight(ad: int, day: str, impressions: int) -> dict[str, Any]:
    """A day of an ad, as Meta writes it: numbers in texts."""
    return {
        "ad_id": f"80{ad}",
        "date_start": day,
        "date_stop": day,
        "impressions": str(impressions),
        "clicks": "5",
        "spend": "1.5",
        "actions": [{"action_type": "purchase", "value": "2"}],
    }


async def imported(http: httpx.AsyncClient, space_id: str, **wish: Any) -> dict[str, Any]:
    """The campaign's import, once it has ended."""
    return await ended(http, await asked(http, space_id, "meta", **{**WISH, **wish}))


async def test_the_request_of_the_architecture(fair: Fair, importer: httpx.AsyncClient):
    """Field for field; ads, pictures and figures are there at the end."""
    furnish(fair.meta)
    fair.meta.insights = [insight(0, "2026-01-02", 1000), insight(1, "2026-01-02", 500)]
    space_id = await new_space(importer, "meta")
    answer = await importer.post(
        f"{SPACES}/{space_id}/import-content",
        json={
            "platform": "meta",
            "external_campaign_id": "7001",
            "import_assets": True,
            "import_performance": True,
            "import_options": {
                "include_inactive": False,
                "date_range": {"start": "2026-01-01", "end": "2026-01-25"},
            },
        },
    )
    made = answer.json()
    job = await ended(importer, made["import_job_id"])
    items = {one["external_id"]: one for one in await items_of(importer, made["import_job_id"])}
    content = (await importer.get(f"/api/content/{items['800']['content_id']}")).json()

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/import-jobs/{made['import_job_id']}"
    assert set(made) == {
        "import_job_id",
        "status",
        "campaign_space_id",
        "platform",
        "estimated_assets",
        "created_at",
    }
    assert (made["status"], made["estimated_assets"]) == ("pending", 3)
    assert (job["status"], job["imported"], job["performance_rows"]) == ("completed", 3, 2)
    assert content["body"] == "# Headline 0\n\nText 0\n\n\n**SHOP_NOW**"
    assert content["platforms"] == ["meta"]
    kept = (await importer.get(content["media"][0]["url"])).content
    assert kept == picture_at("/meta/0")
    ordered = next(one for one in fair.meta.asked if one.method == "POST")
    assert ordered.form["time_range"] == '{"since": "2026-01-01", "until": "2026-01-25"}'


async def test_pages_go_on_by_cursor_and_shrink_when_meta_asks(
    fair: Fair, importer: httpx.AsyncClient
):
    """Each ad comes once."""
    furnish(fair.meta, 9)
    space_id = await new_space(importer, "meta")
    fair.meta.limit_max = 4
    job = await imported(importer, space_id, import_performance=False)
    ads = [one for one in fair.meta.asked if "creative" in one.query.get("fields", "")]
    limits = [one.query["limit"] for one in ads]

    assert (job["total_assets"], job["imported"]) == (9, 9)
    assert limits == ["4"] * 3


async def test_troubles_that_pass_are_waited_out(fair: Fair, importer: httpx.AsyncClient):
    """Throttling, an answer that breaks off, an error of Meta's own, and reports that fail."""
    furnish(fair.meta)
    fair.meta.rest_minutes = 1 / 120
    fair.meta.failing_reports = 2
    fair.meta.insights = [insight(0, "2026-01-02", 1000)]
    space_id = await new_space(importer, "meta")
    fair.meta.troubles.extend([Trouble.BROKEN, Trouble.THROTTLED, Trouble.HALF, Trouble.HALF])
    fair.meta.troubles.append(Trouble.SAID_WITH_200)
    days = {"date_range": {"start": "2026-01-01", "end": "2026-01-03"}}
    job = await imported(importer, space_id, import_options=days)

    assert (job["status"], job["imported"], job["performance_rows"]) == ("completed", 3, 1)
    assert not fair.meta.troubles


async def test_addresses_that_ran_out_are_asked_for_anew(fair: Fair, importer: httpx.AsyncClient):
    """A signed address that is refused is not the end of a picture."""
    furnish(fair.meta, 2)
    fair.meta.videos["55"] = "1.png"
    fair.meta.ads[1]["creative"] = {"id": "901", "video_id": "55"}
    fair.meta.stale_urls = 1
    space_id = await new_space(importer, "meta")
    job = await imported(importer, space_id, import_performance=False)
    assert (job["imported"], job["failed"]) == (2, 0)
    assert sorted(fair.meta.fetched) == ["0.png", "0.png", "1.png"]


async def test_a_dead_token_pauses_imports_until_it_is_set_anew(
    fair: Fair, importer: httpx.AsyncClient
):
    """Nothing is asked that cannot be answered; then the import goes on by itself."""
    furnish(fair.meta)
    space_id = await new_space(importer, "meta")
    fair.meta.troubles.extend([Trouble.HALF, Trouble.DEAD_TOKEN])
    job_id = await asked(importer, space_id, "meta", **WISH)
    with anyio.fail_after(PATIENCE_S):
        while not (job := await job_of(importer, job_id))["waiting_reason"]:
            await anyio.sleep(0.05)
    refused = await importer.post(
        f"{SPACES}/{space_id}/import-content", json={"platform": "meta", **WISH}
    )
    listed = (await importer.get("/api/credentials")).json()["data"]
    await give_keys(importer)
    job = await ended(importer, job_id)

    assert job["status"] == "completed"
    assert refused.status_code == 202
    assert "Session has expired" in str(listed)


async def test_a_campaign_that_is_not_there_is_refused_at_once(
    fair: Fair, importer: httpx.AsyncClient
):
    """Before there is an import; and so is one without a credential."""
    space_id = await new_space(importer, "meta")
    wish = {"platform": "meta", "external_campaign_id": "404"}
    missing = await importer.post(f"{SPACES}/{space_id}/import-content", json=wish)
    await importer.delete("/api/credentials/meta")
    keyless = await importer.post(f"{SPACES}/{space_id}/import-content", json=wish)

    assert problem_of(missing, 422)["errors"][0]["field"] == "external_campaign_id"
    assert "PUT /api/credentials/meta" in problem_of(keyless, 409)["detail"]
    assert (await importer.get("/api/import-jobs")).json()["data"] == []


async def test_tokens_never_reach_the_log(fair: Fair, importer: httpx.AsyncClient):
    """Whatever goes wrong with a request that holds one."""
    furnish(fair.meta)
    before = fair.daemon.process.log.stat().st_size
    fair.meta.troubles.extend([Trouble.HALF, Trouble.BROKEN])
    await imported(importer, await new_space(importer, "meta"), import_performance=False)

    assert b"EAAB" not in fair.daemon.log_bytes(before)
