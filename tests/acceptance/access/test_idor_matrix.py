"""What belongs to another tenant, or to another brand, answers on every route as if it were not.

The routes are those of the API's own document: one without an entry in the table fails. Whatever
is asked, by whatever name it takes an id, the answer for another's thing, live or deleted, is that
for an id which nobody has: in status, headers and body.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from tests.acceptance.access.belongings import (
    SECRET,
    Belongings,
    condition_of,
    ended,
    furnish,
    nothing,
)
from tests.acceptance.access.conftest import House
from tests.acceptance.content import draft
from tests.acceptance.media.uploads import examined
from tests.support.daemon import SharedDaemon, Tenant

OF_THE_REQUEST = {"x-request-id", "date"}
IN_PATHS = {
    "content_id": "item",
    "key_id": "key",
    "webhook_id": "webhook",
    "media_id": "media",
    "upload_id": "upload",
    "erasure_id": "erasure",
    "space_id": "space",
    "brand_id": "brand",
    "job_id": "job",
    "import_id": "import",
    "tenant_id": "tenant",
}
"""What the names in paths stand for."""
NOBODYS = {
    "version": "1",
    "delivery_id": "1",
    "provider": "openai",
    "name": "delivery",
    "queue": "delivery",
}
"""Numbers within the thing that is named before them, and names that are the same for everyone."""


class Ask(msgspec.Struct, frozen=True):
    """A way to name a thing of a kind, by `$ID` or in the path; `$NEW` is nobody's; `own` is the answer to its owner."""

    kind: str
    own: int = 200
    given: dict[str, Any] = {}


def on(kind: str, own: int = 200, **given: Any) -> Ask:
    """Ask with these parts of a request."""
    return Ask(kind, own, given)


BRAND: dict[str, Any] = {"params": {"brand_id": "$ID"}}
BY_HEADER: dict[str, Any] = {"headers": {"X-Brand-ID": "$ID"}}
SPACE: dict[str, Any] = {"campaign_name": "A", "platform": "meta"}
LATE: dict[str, Any] = {"headers": {"If-Match": '"9"'}}
ORDERS = [
    on("tenant", 403, json={"tenant_id": "$ID"}),
    on("brand", 403, json={"brand_id": "$ID"}),
]
"""Only operators give orders, whoever owns the thing."""
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}
FORM: dict[str, Any] = {"headers": {"Content-Type": "multipart/form-data; boundary=B"}}
FIELD = '--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n$ID\r\n'
FILE = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\r\n--B--\r\n'
LINE = '{"id": "%s", "title": "t", "body": "b", "campaign_space_id": %s}\n'

BATCH: dict[str, Any] = {"target_count": 1, "generation_params": {"prompt_template": "Tea"}}
CAMPAIGN = {"platform": "meta", "external_campaign_id": "1"}
DRY: dict[str, Any] = {"params": {"dry_run": "true"}}

FIGURE: dict[str, Any] = {"platform": "meta", "date": "2026-03-01", "clicks": 1}
MATRIX: dict[str, list[Ask]] = {
    "approveGenerationJob": [on("job", 202)],
    "beginUpload": [on("brand", 201, headers=TUS | {"Upload-Length": "9", "X-Brand-ID": "$ID"})],
    "cancelGenerationJob": [on("job")],
    "cancelJob": [on("job", 403)],
    "cancelRecoveryJob": [on("job", 403)],
    "changePlan": [on("tenant", 403, json={"plan": "free"})],
    "continueUpload": [
        on("upload", 204, headers=BYTES | {"Upload-Offset": "0"}, content="%PDF"),
        on("upload", 409, headers=BYTES | {"Upload-Offset": "7"}),
    ],
    "createCampaignSpace": [
        on("brand", 201, json=SPACE | {"brand_id": "$ID"}),
        on("brand", 201, json=SPACE, **BY_HEADER),
    ],
    "createContent": [
        on("brand", 201, json=draft(brand_id="$ID")),
        on("brand", 201, json=draft(), **BY_HEADER),
        on("space", 201, json=draft(campaign_space_id="$ID")),
        on("media", 201, json=draft(media=["$ID"])),
    ],
    "createContentBulk": [
        on("brand", 201, json={"items": [draft(brand_id="$ID")]}),
        on("brand", 201, json={"items": [draft(brand_id="$ID")], "partial": True}),
        on("brand", 201, json={"items": [draft()]}, **BY_HEADER),
        on("space", 201, json={"items": [draft(campaign_space_id="$ID")], "partial": True}),
        on("media", 201, json={"items": [draft(media=["$ID"])], "partial": True}),
    ],
    "createKey": [
        on("brand", 201, json={"role": "viewer", "brand_ids": ["$ID"]}),
        on("brand", 201, json={"role": "viewer", "brand_id": "$ID"}),
    ],
    "createWebhook": [],
    "deleteContent": [
        on("item"),
        on("item", params={"permanent": "true"}),
        on("item", 412, **LATE),
    ],
    "deleteContentBulk": [
        on("item", json={"ids": ["$ID"]}),
        on("brand", 409, json={"filter": {"brand_id": "$ID"}, "confirm": 9999}),
        on("space", json={"filter": {"campaign_space_id": "$ID"}, "confirm": 0}),
    ],
    "deleteMedia": [on("media")],
    "deleteWebhook": [on("webhook", 204)],
    "diffVersions": [
        on("item", params={"against": "2"}),
        on("trashed", params={"against": "2", "trashed": "true"}),
    ],
    "downloadMedia": [
        on("media"),
        on("media", 206, headers={"Range": "bytes=0-9"}),
        on("media", 416, headers={"Range": "bytes=999999-"}),
    ],
    "downloadThumbnail": [on("media")],
    "endUpload": [on("upload", 204, headers=TUS)],
    "exportContent": [on("brand", **BRAND), on("item", params={"after": "$ID"})],
    "failBack": [],
    "failOver": [],
    "followEvents": [on("brand", **BRAND)],
    "followGenerationJob": [on("job"), on("job", headers={"Last-Event-ID": "1"})],
    "generateBatch": [
        on("brand", 202, json=BATCH | {"brand_id": "$ID"}),
        on("brand", 202, json=BATCH, **BY_HEADER),
        on("brand", json=BATCH | {"brand_id": "$ID"}, **DRY),
        on("space", 202, json=BATCH | {"campaign_space_id": "$ID"}),
        on("space", json=BATCH | {"campaign_space_id": "$ID"}, **DRY),
    ],
    "cancelImport": [on("import", 409)],
    "importCampaign": [
        on("space", 409, json=CAMPAIGN),
        on("space", 422, json={"platform": "file"}),
    ],
    "importCampaignFile": [on("space", 202, content='{"id": "1"}')],
    "importContent": [
        on("brand", content=LINE % ("$NEW", "null"), **BRAND),
        on("brand", content=LINE % ("$NEW", "null"), **BY_HEADER),
        on("item", content=LINE % ("$ID", "null")),
        on("space", content=LINE % ("$NEW", '"$ID"')),
    ],
    "listActors": [],
    "listAudit": [
        on("key", params={"principal_id": "$ID"}),
        on("user", params={"user_id": "$ID"}),
    ],
    "listBrands": [],
    "listCampaignSpaces": [on("brand", **BRAND)],
    "listContent": [
        on("brand", **BRAND),
        on("brand", params={"brand_id": "$ID", "search": SECRET, "trashed": "false"}),
        on("brand", params={"brand_id": "$ID", "trashed": "true"}),
        on("brand", **BY_HEADER),
        on("space", params={"campaign_space_id": "$ID"}),
    ],
    "listCredentials": [],
    "listGenerationItems": [on("job"), on("job", params={"state": "stored"})],
    "listGenerationJobs": [on("brand", **BRAND)],
    "listImportItems": [on("import"), on("import", params={"state": "imported"})],
    "listImports": [on("brand", **BRAND)],
    "listJobs": [on("tenant", 403, params={"tenant_id": "$ID"})],
    "listKeys": [],
    "listMedia": [on("brand", **BRAND)],
    "listTenants": [],
    "listVersions": [on("item"), on("trashed", params={"trashed": "true"})],
    "listWebhookDeliveries": [on("webhook")],
    "listWebhooks": [],
    "measureUpload": [on("upload", headers=TUS)],
    "orderMigration": [],
    "orderRestore": ORDERS,
    "orderVerify": ORDERS,
    "pauseActor": [],
    "putAnalytics": [on("item", json={"figures": [FIGURE | {"content_id": "$ID"}]})],
    "putCredential": [],
    "readAnalytics": [
        on("brand", **BRAND),
        on("item", params={"content_id": "$ID"}),
        on("space", params={"campaign_space_id": "$ID", "group_by": "campaign,content"}),
    ],
    "readCampaignSpace": [on("space")],
    "readContent": [on("item"), on("item", 304, headers={"If-None-Match": '"2"'})],
    "readContentAnalytics": [on("item"), on("trashed")],
    "readErasure": [on("erasure")],
    "readGenerationJob": [on("job")],
    "readImport": [on("import")],
    "readMedia": [on("media")],
    "readLog": [],
    "readOverview": [],
    "readQueues": [],
    "readQuota": [],
    "readRecovery": [],
    "readRecoveryJob": [on("job", 403)],
    "readUpload": [on("upload")],
    "readVersion": [on("item"), on("trashed", params={"trashed": "true"})],
    "readVoice": [on("brand"), on("brand", 304, headers={"If-None-Match": "*"})],
    "readWebhook": [on("webhook")],
    "reconcileQuota": [on("tenant", 403)],
    "removeCredential": [],
    "replaceVoice": [on("brand", json={"language": "de"}), on("brand", 412, json={}, **LATE)],
    "restartActor": [],
    "restoreContent": [on("trashed"), on("item", 409)],
    "restoreVersion": [on("item"), on("item", 412, **LATE)],
    "resumeActor": [],
    "retryGenerationJob": [on("job", 409), on("job", 409, json={"max_cost_usd": 5})],
    "retryJob": [on("job", 403)],
    "retryQueue": [],
    "retryWebhookDelivery": [on("webhook", 202)],
    "revokeKey": [on("key")],
    "rotateWebhookSecret": [on("webhook")],
    "setStatusBulk": [
        on("item", json={"ids": ["$ID"], "status": "published"}),
        on(
            "brand",
            409,
            json={"filter": {"brand_id": "$ID"}, "confirm": 9999, "status": "archived"},
        ),
    ],
    "setTagsBulk": [
        on("item", json={"ids": ["$ID"], "add": ["x"]}),
        on("brand", 409, json={"filter": {"brand_id": "$ID"}, "confirm": 9999, "add": ["x"]}),
    ],
    "testWebhook": [on("webhook", 202)],
    "updateContent": [
        on("item", json={"title": "stolen"}),
        on("item", 412, json={"title": "stolen"}, **LATE),
        on("item", 422, json={"title": 5}),
        on("space", json={"campaign_space_id": "$ID"}),
        on("media", json={"media": ["$ID"]}),
    ],
    "updateWebhook": [on("webhook", json={"description": "mine"})],
    "uploadMedia": [
        on("brand", 201, content=FIELD % "brand_id" + FILE, **FORM),
        on("brand", 201, content=FILE, headers=FORM["headers"] | BY_HEADER["headers"]),
        on("item", 201, content=FIELD % "content_id" + FILE, **FORM),
    ],
    "watchFeed": [],
}
"""By operation id: each way in which a thing can be named there."""

PAGED = {
    "listAudit",
    "listCampaignSpaces",
    "listContent",
    "listGenerationItems",
    "listGenerationJobs",
    "listImportItems",
    "listImports",
    "listKeys",
    "listMedia",
    "listVersions",
    "listWebhookDeliveries",
}
MADE: dict[str, dict[str, Any]] = {
    "createCampaignSpace": {"json": SPACE},
    "createContent": {"json": draft()},
    "createContentBulk": {"json": {"items": [draft()]}},
    "createKey": {"json": {"role": "viewer", "brand_ids": ["$ID"]}},
    "createWebhook": {"json": {"url": "http://127.0.0.1:9/"}},
    "generateBatch": {"json": BATCH},
    "uploadMedia": {"content": FILE, **FORM},
}
"""Routes that take an `Idempotency-Key`, each with something to be made."""
STREAMS = {"followEvents", "followGenerationJob", "watchFeed"}
ASKS = [
    pytest.param(name, ask, id=f"{name}-{number}-{ask.kind}")
    for name, asks in MATRIX.items()
    for number, ask in enumerate(asks)
]


class Street(msgspec.Struct, frozen=True, kw_only=True):
    """A caller, and what lies behind walls: next door, and in the next room."""

    house: House
    routes: Mapping[str, tuple[str, str]]
    admin: httpx.AsyncClient
    lodger: httpx.AsyncClient
    next_door: Belongings
    next_room: Belongings
    mine: Belongings  # to be read; what may be changed is made for each test
    unasked: tuple[Belongings, Belongings]  # more of both, whose ids nobody but their owners sends

    def quiet_walls(self) -> list[tuple[httpx.AsyncClient, Belongings]]:
        """The same for what is found, not asked for: even the audit log must not hold it."""
        return list(zip((self.admin, self.lodger), self.unasked, strict=True))

    def walls(self) -> list[tuple[httpx.AsyncClient, Belongings]]:
        """Who must not see what."""
        return [(self.admin, self.next_door), (self.lodger, self.next_room)]

    @asynccontextmanager
    async def furnished(self, name: str) -> AsyncIterator[dict[str, str]]:
        """Things of the caller's own, in the brand that the lodger may enter too, for a route."""
        if self.routes[name][0] == "GET":
            yield firsts(self.mine)
            return
        tenant = self.house.tenant
        things = await furnish(self.admin, brand_id=tenant.brand_id, **_persons(tenant))
        try:
            yield firsts(things)
        finally:
            await ended(things)


@pytest.fixture(scope="module")
async def street(token_daemon: SharedDaemon, shared_issuer: Any) -> AsyncIterator[Street]:
    """Two tenants, of which one has two brands; a lodger administers the first one only.

    Whatever was asked, in the end everything behind the walls is as it was.
    """
    here, there = token_daemon.new_tenant("enterprise"), token_daemon.new_tenant("enterprise")
    house = House(token_daemon, shared_issuer, here, await token_daemon.new_brand(here))
    admin = token_daemon.caller(token_daemon.new_key(here, "admin").api_key)
    neighbour = token_daemon.caller(token_daemon.new_key(there, "admin").api_key)
    async with admin, neighbour:
        wish = {"role": "admin", "brand_ids": [here.brand_id]}
        key = (await admin.post("/api/keys", json=wish)).json()["api_key"]
        doors = {"brand_id": there.brand_id, **_persons(there)}
        rooms = {"brand_id": house.other_brand, "user_id": nothing(), "tenant_id": nothing()}
        unnamed = {
            **doors,
            "tenant_id": nothing(),
        }  # the audit log names the tenant that is asked for
        async with token_daemon.caller(key) as lodger:
            street = Street(
                house=house,
                routes=await routes_of(admin),
                admin=admin,
                lodger=lodger,
                next_door=await furnish(neighbour, **doors),
                next_room=await furnish(admin, **rooms),
                unasked=(await furnish(neighbour, **unnamed), await furnish(admin, **rooms)),
                mine=await furnish(admin, brand_id=here.brand_id, **_persons(here)),
            )
            for owner, theirs in ((admin, street.mine), *[(w.owner, w) for _, w in street.walls()]):
                await examined(owner, theirs.ids["media"][0])
            before = [await condition_of(theirs) for _, theirs in street.walls()]
            yield street
            assert [await condition_of(theirs) for _, theirs in street.walls()] == before


def _persons(tenant: Tenant) -> dict[str, str]:
    """A tenant and its user."""
    return {"tenant_id": tenant.tenant_id, "user_id": tenant.user_id}


async def routes_of(http: httpx.AsyncClient) -> dict[str, tuple[str, str]]:
    """Method and path of each operation that needs a caller."""
    document: dict[str, Any] = (await http.get("/schema/openapi.json")).json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, operations in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in operations.items()
    }


def kinds_in(path: str) -> set[str]:
    """What a path names by id."""
    names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    return {IN_PATHS[name] for name in names - NOBODYS.keys()}


def filled(path: str, ids: Mapping[str, str]) -> str:
    """A path with an id for each of its names."""
    for name, kind in IN_PATHS.items():
        path = path.replace(f"{{{name}}}", ids.get(kind, ""))
    for name, number in NOBODYS.items():
        path = path.replace(f"{{{name}}}", number)
    return path


async def asked(
    http: httpx.AsyncClient, route: tuple[str, str], ask: Ask, ids: Mapping[str, str]
) -> httpx.Response:
    """Ask for one thing; a stream of events is not listened to."""
    raw = msgspec.json.encode(ask.given).replace(b"$ID", ids[ask.kind].encode())
    raw = raw.replace(b"$NEW", nothing().encode())
    path_ids = {**ids, "item": ids[ask.kind]} if ask.kind == "trashed" else ids
    request = http.build_request(
        route[0], filled(route[1], path_ids), **msgspec.json.decode(raw, type=dict[str, Any])
    )
    answer = await http.send(request, stream=True)
    if "event-stream" not in answer.headers.get("content-type", ""):
        await answer.aread()
    await answer.aclose()
    return answer


def seen(answer: httpx.Response, one: str) -> tuple[int, dict[str, str], str]:
    """All that a caller can tell an answer by, but the id that it sent itself."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_THE_REQUEST}
    return answer.status_code, headers, answer.text.replace(one, "ID")


def firsts(things: Belongings) -> dict[str, str]:
    """The live thing of each kind."""
    return {kind: ids[0] for kind, ids in things.ids.items()}


async def test_every_route_has_an_entry(street: Street):
    """And each that names a thing in its path is asked for another's."""
    assert set(street.routes) == set(MATRIX)
    for name, (_, path) in street.routes.items():
        kinds = {"item" if ask.kind == "trashed" else ask.kind for ask in MATRIX[name]}
        assert kinds_in(path) <= kinds, f"{name} is never asked for another's {kinds_in(path)}"


@pytest.mark.parametrize(("name", "ask"), ASKS)
async def test_what_is_anothers_does_not_exist(street: Street, name: str, ask: Ask):
    """Live or deleted, next door or in the next room; and what is one's own does."""
    route = street.routes[name]
    async with street.furnished(name) as mine:
        for caller, theirs in street.walls():
            for one in theirs.ids[ask.kind]:
                none = nothing()
                unknown = await asked(caller, route, ask, {**mine, ask.kind: none})
                foreign = await asked(caller, route, ask, {**mine, ask.kind: one})
                assert seen(foreign, one) == seen(unknown, none)
        own = await asked(street.admin, route, ask, mine)
        assert own.status_code == ask.own, own.text


async def test_no_answer_without_ids_shows_what_is_anothers(street: Street):
    """Lists, counts and exports hold one's own things alone."""
    listing = {
        name: path
        for name, (method, path) in street.routes.items()
        if method == "GET" and not kinds_in(path) and name not in STREAMS
    }
    assert len(listing) >= 8
    for caller, theirs in street.quiet_walls():
        for name, path in listing.items():
            text = (await caller.get(path)).text
            assert [one for one in theirs.all_ids() if one in text] == [], name


async def test_every_cursor_is_tried(street: Street):
    """Which routes take one, the routes say themselves; each of them is asked below."""
    paged = set()
    mine = firsts(street.mine)
    for name, (method, path) in street.routes.items():
        if method == "GET" and name != "followEvents":
            answer = await street.admin.get(filled(path, mine), params={"cursor": "!"})
            faults = answer.json()["errors"] if answer.status_code == 422 else []
            if any("unknown" not in fault["message"] for fault in faults):
                paged.add(name)

    assert paged == PAGED


@pytest.mark.parametrize("name", sorted(PAGED))
async def test_a_cursor_of_anothers_is_only_a_place(street: Street, name: str):
    """It opens nothing: what comes after it is one's own."""
    _, path = street.routes[name]
    async with street.furnished(name) as mine:
        for caller, theirs in street.quiet_walls():
            brand = {"brand_id": theirs.ids["brand"][0]} if name == "listContent" else {}
            there = filled(path, firsts(theirs))
            size = "limit" if name == "listVersions" else "pageSize"
            page = (await theirs.owner.get(there, params={size: 1, **brand})).json()["pagination"]
            cursor = page.get("nextCursor") or page.get("next_cursor")
            assert cursor
            answer = await caller.get(filled(path, mine), params={"cursor": cursor, size: 100})
            assert answer.status_code in {200, 403}
            shown = _but_for_what_was_asked(answer.text)
            assert [one for one in theirs.all_ids() if one in shown] == []


def _but_for_what_was_asked(text: str) -> str:
    """The audit log names what one asked for, other tests asked for what is another's."""
    return re.sub(r'"subject_id": ?"[^"]*"', "", text)


@pytest.mark.parametrize("name", MADE)
async def test_an_idempotency_key_of_anothers_is_free(street: Street, name: str):
    """The same request with the same key is somebody else's: it is neither replayed nor refused."""
    given = MADE[name]
    key = {"Idempotency-Key": f"everyones-{name}"}
    ask = Ask("brand", 201, given | {"headers": given.get("headers", {}) | key})
    answers = []
    callers = [
        (street.next_door.owner, street.next_door.ids["brand"][0]),
        (street.admin, street.house.tenant.brand_id),
        (street.lodger, street.house.tenant.brand_id),
    ]
    for caller, brand_id in callers:
        answers.append(await asked(caller, street.routes[name], ask, {"brand": brand_id}))

    barred = name == "createWebhook"  # which is the whole tenant's
    made = 202 if name == "generateBatch" else 201
    assert [answer.status_code for answer in answers] == [made, made, 403 if barred else made]
    ids = {answer.text.partition('id":')[2][:40] for answer in answers}
    assert len(ids) == len(answers)
    assert not any("idempotent-replayed" in answer.headers for answer in answers)
