"""One of everything that has an id, in a brand: what a stranger must not be able to tell from nothing.

Owns the ways in which tests make, watch and lose these things; the tests own what is asked of them.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
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


class Furnisher(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever makes things in a brand; `owner` is an administrator of its tenant."""

    owner: httpx.AsyncClient
    brand_id: str

    async def make(self, path: str, wish: dict[str, Any]) -> str:
        """The id of what a route made."""
        answer = await self.owner.post(path, json=wish)
        assert answer.is_success, answer.text
        made = answer.json()
        return str(made.get("id") or made["job_id"])

    async def items(self) -> dict[str, tuple[str, ...]]:
        """One that lives, in its second version, one in the trash and one that was erased."""
        item = draft(brand_id=self.brand_id, title=SECRET, tags=[SECRET])
        live, trashed, erased, _ = [await self.make("/api/content", item) for _ in range(4)]
        await self.owner.patch(f"/api/content/{live}", json={"title": f"{SECRET} again"})
        await self.owner.delete(f"/api/content/{trashed}")
        gone = await self.owner.delete(f"/api/content/{erased}", params={"permanent": "true"})
        assert gone.is_success, gone.text
        return {
            "item": (live, trashed, erased),
            "trashed": (trashed, live, erased),
            "erasure": (gone.json()["receipt_id"],),
        }

    async def keys(self) -> dict[str, tuple[str, ...]]:
        """One is revoked."""
        key = {"role": "viewer", "name": SECRET, "brand_ids": [self.brand_id]}
        ids = [await self.make("/api/keys", key) for _ in range(2)]
        await self.owner.delete(f"/api/keys/{ids[1]}")
        return {"key": tuple(ids)}

    async def webhooks(self) -> dict[str, tuple[str, ...]]:
        """One with deliveries; the other is deleted."""
        wish = {"url": ELSEWHERE, "types": ["*"]}
        ids = [await self.make("/api/webhooks", wish) for _ in range(2)]
        await self.owner.delete(f"/api/webhooks/{ids[1]}")
        for _ in range(2):
            await self.make(f"/api/webhooks/{ids[0]}/test", {})
        return {"webhook": tuple(ids)}

    async def files(self) -> dict[str, tuple[str, ...]]:
        """One is deleted."""
        files = [await uploaded(self.owner, name=SECRET, brand_id=self.brand_id) for _ in range(2)]
        await self.owner.delete(f"/api/media/{files[1]['id']}")
        return {"media": tuple(file["id"] for file in files)}

    async def uploads(self) -> dict[str, tuple[str, ...]]:
        """One is given up."""
        wish = {"brand_id": self.brand_id, "filename": SECRET}
        ids = [await begun(self.owner, 9, **wish) for _ in range(2)]
        await self.owner.delete(f"/api/media/uploads/{ids[1]}", headers=TUS)
        return {"upload": tuple(ids)}

    async def jobs(self) -> dict[str, tuple[str, ...]]:
        """One is cancelled."""
        batch = {**LIVE_BATCH, "brand_id": self.brand_id}
        ids = [await self.make("/api/content/generate-batch", batch) for _ in range(2)]
        await self.owner.post(f"{JOBS}/{ids[1]}/cancel")
        return {"job": tuple(ids)}

    async def spaces(self) -> dict[str, tuple[str, ...]]:
        """Two, and an import into the first."""
        space = {"campaign_name": SECRET, "platform": "meta", "brand_id": self.brand_id}
        ids = [await self.make("/api/campaign-spaces", space) for _ in range(2)]
        return {"space": tuple(ids), "import": (await imported(self.owner, ids[0]),)}


MAKERS: Mapping[Callable[[Furnisher], Awaitable[dict[str, tuple[str, ...]]]], frozenset[str]] = {
    Furnisher.items: frozenset({"item", "trashed", "erasure"}),
    Furnisher.keys: frozenset({"key"}),
    Furnisher.webhooks: frozenset({"webhook"}),
    Furnisher.files: frozenset({"media"}),
    Furnisher.uploads: frozenset({"upload"}),
    Furnisher.jobs: frozenset({"job"}),
    Furnisher.spaces: frozenset({"space", "import"}),
}
"""Who makes what."""
EVERYTHING = frozenset[str]().union(*MAKERS.values())


async def furnish(
    owner: httpx.AsyncClient,
    *,
    brand_id: str,
    tenant_id: str,
    user_id: str,
    kinds: AbstractSet[str],
) -> Belongings:
    """Make one of each of these kinds in a brand."""
    ids: dict[str, tuple[str, ...]] = {}
    furnisher = Furnisher(owner=owner, brand_id=brand_id)
    for make, made in MAKERS.items():
        if made & kinds:
            ids |= await make(furnisher)
    ids |= {"brand": (brand_id,), "tenant": (tenant_id,), "user": (user_id,)}
    return Belongings(owner=owner, ids=ids)


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
    for webhook_id in things.ids.get("webhook", ()):
        await things.owner.delete(f"/api/webhooks/{webhook_id}")
    for job_id in things.ids.get("job", ()):
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
    seen: list[object] = [_lasting((await theirs.owner.get(path)).json()) for path in watched]
    keys = await all_keys(theirs.owner)
    hooks = (await theirs.owner.get("/api/webhooks")).json()["data"]
    jobs = [(await theirs.owner.get(f"{JOBS}/{job_id}")).json() for job_id in theirs.ids["job"]]
    return [
        *seen,
        [(job["status"], job["items"].get("cancelled", 0)) for job in jobs],
        [key["status"] for key in keys if key["id"] in theirs.ids["key"]],
        [(h["url"], h["types"]) for h in hooks if h["id"] in theirs.ids["webhook"]],
    ]


def _lasting(document: dict[str, Any]) -> dict[str, Any]:
    """A thing without what becomes true of it by itself: that it was carried into the archive."""
    storage = document.get("storage", {})
    kept = {name: value for name, value in storage.items() if not name.startswith("bigquery")}
    return {**document, "storage": kept}
