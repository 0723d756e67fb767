"""An export of any platform is uploaded and becomes content, once, however often it comes."""

import hashlib
import json
from typing import Any

import httpx

from tests.acceptance.content import problem_of
from tests.acceptance.imports.conftest import Fair
from tests.support.importing import (
    IMPORTS,
    SPACES,
    ended,
    items_of,
    new_space,
    picture_at,
    uploaded,
)


def lines(*rows: dict[str, Any]) -> str:
    """Rows as lines of JSON."""
    return "".join(json.dumps(row) + "\n" for row in rows)


async def states(http: httpx.AsyncClient, job_id: str) -> dict[str, str]:
    """What became of each asset."""
    return {item["external_id"]: item["state"] for item in await items_of(http, job_id)}


async def test_an_export_becomes_content_with_its_pictures(fair: Fair, importer: httpx.AsyncClient):
    """Texts, pictures by their hash, tags and the campaign: all of it is where Content Studio looks."""
    space_id = await new_space(importer, external_campaign_id="c-1")
    export = (
        "Ad ID,Ad name,Status,Headline,Primary text,CTA,Final URL,Image URL,Tags\r\n"
        f'a1,Run further,ACTIVE,Run,"Light ""shoes"",\r\nfor all",Buy now,https://x.example/,{fair.url}/1.png,shoes;summer\r\n'
        "a2,Sit still,ACTIVE,Sit,,,,,\r\n"
    )
    made = await uploaded(importer, space_id, export, external_campaign_id="c-1")
    job = await ended(importer, made["import_job_id"])
    items = {one["external_id"]: one for one in await items_of(importer, job["import_job_id"])}
    content = (await importer.get(f"/api/content/{items['a1']['content_id']}")).json()

    assert (job["status"], job["imported"], job["failed"]) == ("completed", 2, 0)
    assert (made["estimated_assets"], job["total_assets"], job["progress"]) == (2, 2, 100)
    assert content["title"] == "Run further"
    assert content["body"] == '# Run\n\nLight "shoes",\r\nfor all\n\n\n**Buy now**'
    assert (content["type"], content["status"]) == ("ad", "published")
    assert content["campaign_space_id"] == space_id
    assert content["tags"] == ["shoes", "summer"]
    assert content["metadata"]["external_asset_id"] == "a1"
    (media,) = content["media"]
    kept = (await importer.get(media["url"])).content
    assert hashlib.sha256(kept).hexdigest() == hashlib.sha256(picture_at("/1.png")).hexdigest()


async def test_the_same_again_changes_nothing_and_fetches_nothing(
    fair: Fair, importer: httpx.AsyncClient
):
    """Not even a version; a signed address that is another today makes no difference."""
    space_id = await new_space(importer)
    row = {
        "external_id": "a1",
        "text": "Tea",
        "media_ids": ["p"],
        "media_urls": [f"{fair.url}/t.png"],
    }
    first = await ended(importer, (await uploaded(importer, space_id, lines(row)))["import_job_id"])
    row["media_urls"] = [f"{fair.url}/signed-anew.png"]
    again = await ended(importer, (await uploaded(importer, space_id, lines(row)))["import_job_id"])
    (item,) = await items_of(importer, again["import_job_id"])
    versions = (await importer.get(f"/api/content/{item['content_id']}/versions")).json()["data"]

    assert (first["imported"], again["imported"], again["unchanged"]) == (1, 0, 1)
    assert len(versions) == 1
    assert fair.pictures.asked == ["/t.png"]


async def test_what_changed_is_updated_and_what_others_added_stays(
    fair: Fair, importer: httpx.AsyncClient
):
    """A new text is a new version of the same content; another picture takes the place of the old."""
    space_id = await new_space(importer)
    row = {"external_id": "a1", "text": "Tea", "media_urls": [f"{fair.url}/old.png"]}
    await ended(importer, (await uploaded(importer, space_id, lines(row)))["import_job_id"])
    (item,) = (await importer.get("/api/content")).json()["data"]
    await importer.patch(f"/api/content/{item['id']}", json={"tags": ["ours"]})
    row |= {"text": "Green tea", "media_urls": [f"{fair.url}/new.png"]}
    job = await ended(importer, (await uploaded(importer, space_id, lines(row)))["import_job_id"])
    after = (await importer.get(f"/api/content/{item['id']}")).json()

    assert (job["updated"], job["imported"]) == (1, 0)
    assert (after["body"], after["tags"], after["version"]) == ("Green tea", ["ours"], 3)
    assert len((await importer.get("/api/content")).json()["data"]) == 1
    kept = (await importer.get(after["media"][0]["url"])).content
    assert kept == picture_at("/new.png")


async def test_the_same_bytes_are_one_file(fair: Fair, importer: httpx.AsyncClient):
    """Whatever they are called: the plan is charged once."""
    space_id = await new_space(importer)
    rows = [
        {"external_id": f"a{n}", "media_ids": [f"p{n}"], "media_urls": [f"{fair.url}/same.png"]}
        for n in range(6)
    ]
    job = await ended(importer, (await uploaded(importer, space_id, lines(*rows)))["import_job_id"])
    files = (await importer.get("/api/media")).json()["data"]
    shown = set()
    for item in await items_of(importer, job["import_job_id"]):
        content = (await importer.get(f"/api/content/{item['content_id']}")).json()
        shown |= {one["id"] for one in content["media"]}

    assert job["imported"] == 6
    assert shown == {file["id"] for file in files}
    assert len(files) == 1


async def test_inactive_ads_come_only_when_they_are_wanted(importer: httpx.AsyncClient):
    """Skipped with a reason; with include_inactive they come as archived."""
    space_id = await new_space(importer)
    export = lines(
        {"external_id": "on", "status": "ENABLED"}, {"external_id": "off", "status": "PAUSED"}
    )
    first = await uploaded(importer, space_id, export)
    job = await ended(importer, first["import_job_id"])
    skipped = [one for one in await items_of(importer, job["import_job_id"]) if one["reason"]]
    whole = await uploaded(importer, space_id, export, include_inactive="true")
    await ended(importer, whole["import_job_id"])
    content = (await importer.get("/api/content")).json()["data"]

    assert (job["imported"], job["skipped"]) == (1, 1)
    assert "include_inactive" in skipped[0]["reason"]
    assert {one["title"]: one["status"] for one in content} == {
        "on": "published",
        "off": "archived",
    }


async def test_what_lies_in_the_trash_or_was_erased_stays_there(
    fair: Fair, importer: httpx.AsyncClient
):
    """An import never brings back what somebody put away."""
    key = await fair.daemon.quick_tenant()
    admin_key = fair.daemon.new_key(key, "admin").api_key
    async with fair.daemon.caller(admin_key) as admin:
        space_id = await new_space(admin)
        export = lines({"external_id": "trashed"}, {"external_id": "erased"})
        job = await ended(admin, (await uploaded(admin, space_id, export))["import_job_id"])
        ids = {
            i["external_id"]: i["content_id"] for i in await items_of(admin, job["import_job_id"])
        }
        await admin.delete(f"/api/content/{ids['trashed']}")
        await admin.delete(f"/api/content/{ids['erased']}", params={"permanent": "true"})
        changed = export.replace('"trashed"}', '"trashed", "text": "new"}')
        again = await ended(admin, (await uploaded(admin, space_id, changed))["import_job_id"])
        left = (await admin.get("/api/content")).json()["data"]

    assert (again["skipped"], left) == (2, [])


async def test_a_file_that_nobody_gives_fails_its_asset_alone(
    fair: Fair, importer: httpx.AsyncClient
):
    """The others come; the failure says why, and the next import makes it good."""
    fair.pictures.refuse = {"/gone.png": 403}
    space_id = await new_space(importer)
    export = lines(
        {"external_id": "a1", "media_urls": [f"{fair.url}/gone.png"]},
        {"external_id": "a2", "media_urls": [f"{fair.url}/here.png"]},
    )
    job = await ended(importer, (await uploaded(importer, space_id, export))["import_job_id"])
    fair.pictures.refuse = {}
    again = await ended(importer, (await uploaded(importer, space_id, export))["import_job_id"])

    assert (job["status"], job["imported"], job["failed"]) == ("completed", 1, 1)
    assert "403" in job["errors"][0]["reason"]
    assert job["errors"][0]["external_id"] == "a1"
    assert (again["imported"], again["unchanged"]) == (1, 1)


async def test_a_row_that_nobody_understands_refuses_the_export(importer: httpx.AsyncClient):
    """By its number; nothing of it becomes content."""
    space_id = await new_space(importer)
    export = lines(*[{"external_id": f"a{n}"} for n in range(450)], {"name": "nameless"})
    answer = await importer.post(f"{SPACES}/{space_id}/import-file", content=export)
    (job,) = (await importer.get(IMPORTS)).json()["data"]
    job = await ended(importer, job["import_job_id"])

    assert "row 451" in problem_of(answer, 422)["detail"]
    assert (job["status"], job["imported"]) == ("cancelled", 0)
    assert (await importer.get("/api/content")).json()["data"] == []


async def test_an_import_of_another_tenant_is_none(importer: httpx.AsyncClient, fair: Fair):
    """Neither to be seen nor to be cancelled."""
    space_id = await new_space(importer)
    made = await uploaded(importer, space_id, lines({"external_id": "a"}))
    key = await fair.daemon.quick_key(await fair.daemon.quick_tenant())
    async with fair.daemon.caller(key.api_key) as stranger:
        job = f"{IMPORTS}/{made['import_job_id']}"
        for answer in (await stranger.get(job), await stranger.post(f"{job}/cancel")):
            problem_of(answer, 404)
        assert (await stranger.get(IMPORTS)).json()["data"] == []
