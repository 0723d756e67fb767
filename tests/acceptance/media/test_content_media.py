"""Files and the content that shows them; and who may not."""

import json
import uuid
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, draft, fields_of, problem_of
from tests.acceptance.media.uploads import examined, send, uploaded
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.pictures import boasting_png, picture

NOWHERE = str(uuid.uuid4())


async def shown(http: httpx.AsyncClient, content_id: str) -> list[Any]:
    """The media of an item."""
    media: list[Any] = (await http.get(f"/api/content/{content_id}")).json()["media"]
    return media


async def test_an_item_shows_its_files_as_the_architecture_has_them(http: httpx.AsyncClient):
    """In the order in which it names them."""
    files = [await uploaded(http, picture(colour=n)) for n in range(2)]
    ready = [await examined(http, file["id"]) for file in files]
    made = await created(http, media=[files[1]["id"], files[0]["id"]])

    assert made["media"] == [files[1]["id"], files[0]["id"]]
    assert await shown(http, made["id"]) == [
        {
            "id": file["id"],
            "type": "image",
            "url": f"/api/media/{file['id']}/file",
            "thumbnail_url": f"/api/media/{file['id']}/thumbnail",
            "size_bytes": file["size_bytes"],
            "metadata": {"width": 64, "height": 48, "format": "png"},
        }
        for file in ready[::-1]
    ]


async def test_the_files_of_an_item_can_be_changed(http: httpx.AsyncClient):
    """As a whole list."""
    first, second = [(await uploaded(http, picture(colour=n)))["id"] for n in range(2)]
    made = await created(http, media=[first])
    await http.patch(f"/api/content/{made['id']}", json={"media": [second]})

    assert [file["id"] for file in await shown(http, made["id"])] == [second]


async def test_a_file_that_was_deleted_is_its_id_alone(http: httpx.AsyncClient):
    """The item does not forget that it had one."""
    file = await uploaded(http)
    made = await created(http, media=[file["id"]])
    await http.delete(f"/api/media/{file['id']}")

    assert await shown(http, made["id"]) == [{"id": file["id"]}]


async def test_files_that_are_not_ones_own_are_refused(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient
):
    """In every way of making or changing an item, and each is named by its place."""
    ours, theirs = (await uploaded(http))["id"], (await uploaded(stranger))["id"]
    item = f"/api/content/{(await created(http))['id']}"
    for foreign in (theirs, NOWHERE):
        media = [ours, foreign]
        assert fields_of(await http.post("/api/content", json=draft(media=media))) == {"media[1]"}
        assert fields_of(await http.patch(item, json={"media": media})) == {"media[1]"}
        bulk = await http.post("/api/content/bulk", json={"items": [draft(), draft(media=media)]})
        assert fields_of(bulk) == {"items[1].media[1]"}


async def test_a_file_that_failed_cannot_be_shown(http: httpx.AsyncClient):
    """There is nothing of it left."""
    file = await uploaded(http, boasting_png(90_000, 90_000))
    await examined(http, file["id"])

    assert fields_of(await http.post("/api/content", json=draft(media=[file["id"]]))) == {
        "media[0]"
    }


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("rest", ["", "/file", "/thumbnail"])
async def test_a_file_of_another_tenant_does_not_exist(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient, method: str, rest: str
):
    """Whatever is asked of it."""
    theirs = (await uploaded(stranger))["id"]
    await examined(stranger, theirs)
    answers = [
        await http.request(method, f"/api/media/{one}{rest}") for one in (theirs, NOWHERE, "a/b")
    ]

    seen = [(answer.status_code, answer.content) for answer in answers[:2]]
    assert seen[0] == seen[1]
    assert {answer.status_code for answer in answers} <= {404, 405}
    assert (await http.get("/api/media")).json()["data"] == []


async def test_a_file_of_another_brand_does_not_exist(daemon: SharedDaemon, tenant: Tenant):
    """For a caller who is of one brand alone."""
    other = await daemon.new_brand(tenant)
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as both:
        theirs = await uploaded(both, brand_id=other)
        wish = {"role": "editor", "brand_ids": [tenant.brand_id]}
        made = (await both.post("/api/keys", json=wish)).json()
        async with daemon.caller(made["api_key"]) as one:
            assert problem_of(await one.get(theirs["url"]), 404)
            assert problem_of(await one.delete(f"/api/media/{theirs['id']}"), 404)
            assert (await one.get("/api/media")).json()["data"] == []
            refused = await one.post("/api/content", json=draft(media=[theirs["id"]]))
            assert fields_of(refused) == {"media[0]"}
            problem_of(await send(one, brand_id=other), 404)


async def test_an_item_tells_nothing_of_a_file_of_another_brand(
    daemon: SharedDaemon, tenant: Tenant
):
    """An import keeps the ids that its lines name; only who is of both brands is shown the file."""
    other = await daemon.new_brand(tenant)
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as both:
        theirs = (await uploaded(both, brand_id=other))["id"]
        wish = {"role": "admin", "brand_ids": [tenant.brand_id]}
        made = (await both.post("/api/keys", json=wish)).json()
        async with daemon.caller(made["api_key"]) as one:
            line = draft(id="elsewhere", media=[theirs, NOWHERE])
            done = await one.post("/api/content/import", content=json.dumps(line).encode())
            assert done.json()["imported"] == 1, done.text
            (item,) = (await one.get("/api/content")).json()["data"]

            assert await shown(one, item["id"]) == [{"id": theirs}, {"id": NOWHERE}]
        assert (await shown(both, item["id"]))[0]["url"] == f"/api/media/{theirs}/file"


async def test_viewers_look_and_do_not_touch(
    daemon: SharedDaemon, http: httpx.AsyncClient, tenant: Tenant
):
    """They can neither upload nor delete."""
    made = await uploaded(http)
    async with daemon.caller(daemon.new_key(tenant, "viewer").api_key) as viewer:
        assert (await viewer.get(made["url"])).status_code == 200
        problem_of(await send(viewer), 403)
        problem_of(await viewer.delete(f"/api/media/{made['id']}"), 403)
