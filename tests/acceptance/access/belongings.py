"""One of everything that has an id, in a brand: what a stranger must not be able to tell from nothing.

Owns the ways in which tests make, watch and lose these things; the tests own what is asked of them.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import msgspec

from tests.acceptance.content import draft
from tests.acceptance.media.resuming import TUS, begun
from tests.acceptance.media.uploads import uploaded
from tests.support.patience import PATIENCE_S

SECRET = "the-neighbours-secret"
JOBS = "/api/content/generation-jobs"
LIVE_BATCH = {  # it waits for an approval, until it is cancelled
    "target_count": 2,
    "preview": 1,
    "generation_params": {"prompt_template": SECRET},
}
ELSEWHERE = "http://127.0.0.1:9/"  # nobody listens there


class Belongings(msgspec.Struct, frozen=True, kw_only=True):
    """Ids by kind; the first of a kind is live, further ones were deleted, revoked or cancelled."""

    owner: httpx.AsyncClient
    ids: Mapping[str, tuple[str, ...]]

    def all_ids(self) -> set[str]:
        """Every one of them."""
        return {one for ids in self.ids.values() for one in ids}


async def furnish(
    owner: httpx.AsyncClient, *, brand_id: str, tenant_id: str, user_id: str
) -> Belongings:
    """Make one of everything in a brand; `owner` is an administrator of its tenant."""

    async def make(path: str, wish: dict[str, Any]) -> str:
        answer = await owner.post(path, json=wish)
        assert answer.is_success, answer.text
        made = answer.json()
        return str(made.get("id") or made["job_id"])

    space = {"campaign_name": SECRET, "platform": "meta", "brand_id": brand_id}
    item = draft(brand_id=brand_id, title=SECRET, tags=[SECRET])
    key = {"role": "viewer", "name": SECRET, "brand_ids": [brand_id]}
    batch = {**LIVE_BATCH, "brand_id": brand_id}
    live, trashed, erased, _ = [await make("/api/content", item) for _ in range(4)]
    await owner.patch(f"/api/content/{live}", json={"title": f"{SECRET} again"})
    await owner.delete(f"/api/content/{trashed}")
    gone = await owner.delete(f"/api/content/{erased}", params={"permanent": "true"})
    assert gone.is_success, gone.text
    key_ids = [await make("/api/keys", key) for _ in range(2)]
    await owner.delete(f"/api/keys/{key_ids[1]}")
    hooks = [await make("/api/webhooks", {"url": ELSEWHERE, "types": ["*"]}) for _ in range(2)]
    await owner.delete(f"/api/webhooks/{hooks[1]}")
    for _ in range(2):
        await make(f"/api/webhooks/{hooks[0]}/test", {})
    files = [(await uploaded(owner, name=SECRET, brand_id=brand_id))["id"] for _ in range(2)]
    await owner.delete(f"/api/media/{files[1]}")
    uploads = [await begun(owner, 9, brand_id=brand_id, filename=SECRET) for _ in range(2)]
    await owner.delete(f"/api/media/uploads/{uploads[1]}", headers=TUS)
    jobs = [await make("/api/content/generate-batch", batch) for _ in range(2)]
    await owner.post(f"{JOBS}/{jobs[1]}/cancel")
    spaces = [await make("/api/campaign-spaces", space) for _ in range(2)]
    return Belongings(
        owner=owner,
        ids={
            "item": (live, trashed, erased),
            "trashed": (trashed, live, erased),
            "erasure": (gone.json()["receipt_id"],),
            "key": tuple(key_ids),
            "webhook": tuple(hooks),
            "media": tuple(files),
            "upload": tuple(uploads),
            "space": tuple(spaces),
            "import": (await imported(owner, spaces[0]),),
            "job": tuple(jobs),
            "brand": (brand_id,),
            "tenant": (tenant_id,),
            "user": (user_id,),
        },
    )


async def imported(owner: httpx.AsyncClient, space_id: str) -> str:
    """The id of an import that is through: its two ads are not active, so nothing comes of it."""
    rows = "id,name,status\n" + "".join(f"{n},{SECRET},paused\n" for n in range(2))
    made = await owner.post(f"/api/campaign-spaces/{space_id}/import-file", content=rows)
    assert made.is_success, made.text
    job_id: str = made.json()["import_job_id"]
    with anyio.fail_after(PATIENCE_S):
        while not (await owner.get(f"/api/import-jobs/{job_id}")).json()["completed_at"]:
            await anyio.sleep(0.02)
    return job_id


async def ended(things: Belongings) -> None:
    """Let go what a tenant may have so many of: twenty webhooks, ten live jobs."""
    for webhook_id in things.ids["webhook"]:
        await things.owner.delete(f"/api/webhooks/{webhook_id}")
    for job_id in things.ids["job"]:
        await things.owner.post(f"{JOBS}/{job_id}/cancel")


def nothing() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())


async def all_keys(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every key of a tenant, page by page."""
    keys: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked: dict[str, str | int] = {"pageSize": 100, "cursor": cursor}
        page = (await http.get("/api/keys", params=asked)).json()
        keys += page["data"]
        cursor = page["pagination"]["nextCursor"]
    return keys


async def condition_of(theirs: Belongings) -> list[object]:
    """How the things stand, as their owner sees it: what no stranger may have changed."""
    watched = [
        f"/api/content/{theirs.ids['item'][0]}",
        f"/api/content/{theirs.ids['item'][0]}/versions",
        f"/api/content/{theirs.ids['trashed'][0]}/versions?trashed=true",
        f"/api/media/{theirs.ids['media'][0]}",
        f"/api/media/uploads/{theirs.ids['upload'][0]}",
        f"/api/campaign-spaces/{theirs.ids['space'][0]}",
        f"/api/import-jobs/{theirs.ids['import'][0]}",
        f"/api/brands/{theirs.ids['brand'][0]}/voice",
    ]
    seen: list[object] = [(await theirs.owner.get(path)).json() for path in watched]
    keys = await all_keys(theirs.owner)
    hooks = (await theirs.owner.get("/api/webhooks")).json()["data"]
    jobs = [(await theirs.owner.get(f"{JOBS}/{job_id}")).json() for job_id in theirs.ids["job"]]
    return [
        *seen,
        [(job["status"], job["items"].get("cancelled", 0)) for job in jobs],
        [key["status"] for key in keys if key["id"] in theirs.ids["key"]],
        [(h["url"], h["types"]) for h in hooks if h["id"] in theirs.ids["webhook"]],
    ]
