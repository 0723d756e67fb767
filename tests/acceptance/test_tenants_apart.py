"""Another tenant's ids answer exactly like ids that do not exist, on every route.

Owns the meaning of "exactly": status, headers and body. Of an answer, only what differs between
any two requests may differ, and the id that the caller itself sent.
"""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import msgspec
import pytest

from tests.acceptance.content import created, draft, holds_nothing, listed, new_space, quota, titles
from tests.support.daemon import SharedDaemon, Tenant

NOWHERE = "00000000-0000-7000-8000-000000000000"
OF_THE_REQUEST = {"x-request-id", "date"}

Asking = tuple[str, dict[str, Any]]


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Another tenant and what it holds; `http` is its editor."""

    tenant: Tenant
    http: httpx.AsyncClient
    space: str
    live: dict[str, Any]
    deleted: dict[str, Any]


@pytest.fixture(scope="module")
async def neighbour(shared_daemon: SharedDaemon) -> AsyncIterator[Neighbour]:
    """The other tenant, with an item, a deleted one, and an idempotency key it has used."""
    tenant = shared_daemon.new_tenant()
    async with shared_daemon.caller(shared_daemon.new_key(tenant).api_key) as http:
        space = await new_space(http)
        fields = {"campaign_space_id": space, "tags": ["theirs"], "body": "their secret"}
        deleted = await created(http, **fields)
        await http.delete(f"/api/content/{deleted['id']}")
        live = await created(http, **fields)
        await http.post("/api/content", json=draft(), headers={"Idempotency-Key": "shared"})
        await shared_daemon.until_carried(tenant)  # an item tells when it was archived
        yield Neighbour(tenant=tenant, http=http, space=space, live=live, deleted=deleted)


def seen(answer: httpx.Response, *ids: str) -> tuple[int, dict[str, str], str]:
    """All that a caller can tell an answer by."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_THE_REQUEST}
    text = answer.text
    for one in ids:
        text = text.replace(one, NOWHERE)
    return answer.status_code, headers, text


ON_AN_ITEM: list[Asking] = [
    ("GET", {}),
    ("GET", {"headers": {"If-None-Match": '"1"'}}),
    ("GET", {"headers": {"If-None-Match": "*"}}),
    ("GET", {"params": {"include": "body"}}),
    ("PATCH", {"json": {"title": "stolen"}}),
    ("PATCH", {"json": {}}),
    ("PATCH", {"json": {"title": "stolen"}, "headers": {"If-Match": '"1"'}}),
    ("PATCH", {"json": {"title": "stolen"}, "headers": {"If-Match": '"7"'}}),
    ("PATCH", {"json": {"title": "stolen"}, "headers": {"If-Match": "*"}}),
    ("PATCH", {"json": {"title": 5}}),
    ("PATCH", {"json": {"body": "x" * 100_000}}),
    ("DELETE", {}),
    ("DELETE", {"headers": {"If-Match": '"1"'}}),
    ("DELETE", {"headers": {"If-Match": '"7"'}}),
    ("PUT", {}),
    ("OPTIONS", {}),
]


@pytest.mark.parametrize("which", ["live", "deleted"])
@pytest.mark.parametrize(("method", "rest"), ON_AN_ITEM)
async def test_an_item_of_another_tenant_does_not_exist(
    http: httpx.AsyncClient, neighbour: Neighbour, method: str, rest: dict[str, Any], which: str
):
    """Whatever is asked of it, and whether or not it was deleted."""
    theirs = getattr(neighbour, which)["id"]
    foreign = await http.request(method, f"/api/content/{theirs}", **rest)
    unknown = await http.request(method, f"/api/content/{NOWHERE}", **rest)

    assert seen(foreign, theirs) == seen(unknown)
    assert foreign.status_code not in {200, 304, 412}


@pytest.mark.parametrize(("method", "rest"), ON_AN_ITEM)
async def test_an_item_of_ones_own_that_was_deleted_does_not_exist(
    http: httpx.AsyncClient, method: str, rest: dict[str, Any]
):
    """Ids in the trash are told apart from none by nobody."""
    ours = (await created(http))["id"]
    await http.delete(f"/api/content/{ours}")
    deleted = await http.request(method, f"/api/content/{ours}", **rest)
    unknown = await http.request(method, f"/api/content/{NOWHERE}", **rest)

    assert seen(deleted, ours) == seen(unknown)


async def test_no_described_route_knows_a_foreign_item(
    http: httpx.AsyncClient, neighbour: Neighbour
):
    """Also the routes that this page does not name: the API's description does."""
    paths: dict[str, Any] = (await http.get("/schema")).json()["paths"]
    asked = [
        (method.upper(), re.sub(r"{(?!content_id)[^}]*}", "1", path))
        for path, operations in paths.items()
        for method in operations
        if "{content_id}" in path
    ]
    theirs = neighbour.live["id"]

    assert len(asked) >= 3
    for method, path in asked:
        foreign = await http.request(method, path.replace("{content_id}", theirs), json={})
        unknown = await http.request(method, path.replace("{content_id}", NOWHERE), json={})
        assert seen(foreign, theirs) == seen(unknown), (method, path)
        assert foreign.status_code >= 400


async def test_nothing_a_stranger_tries_changes_an_item(
    http: httpx.AsyncClient, neighbour: Neighbour
):
    """After every attempt it stands as it stood, and counts as it counted."""
    path = f"/api/content/{neighbour.live['id']}"
    before = (await neighbour.http.get(path)).json(), (await quota(neighbour.http))["usage"]
    for method, rest in ON_AN_ITEM:
        await http.request(method, path, **rest)

    after = (await neighbour.http.get(path)).json(), (await quota(neighbour.http))["usage"]
    assert after == before
    assert await holds_nothing(http)


BY_BRAND: list[Asking] = [
    ("GET", {"params": {"brand_id": "BRAND"}}),
    ("GET", {"params": {"brand_id": "BRAND", "search": "secret"}}),
    ("GET", {"params": {"brand_id": "BRAND", "include": "body", "tags": "theirs"}}),
    ("GET", {"headers": {"X-Brand-ID": "BRAND"}}),
    ("POST", {"json": draft(brand_id="BRAND")}),
    ("POST", {"json": draft(), "headers": {"X-Brand-ID": "BRAND"}}),
    ("POST", {"json": draft(brand_id="BRAND"), "headers": {"Idempotency-Key": "mine"}}),
]


def with_id(rest: Any, word: str, one: str) -> Any:
    """The same request with an id in the place of a word."""
    return msgspec.json.decode(msgspec.json.encode(rest).replace(word.encode(), one.encode()))


@pytest.mark.parametrize(("method", "rest"), BY_BRAND)
async def test_a_brand_of_another_tenant_does_not_exist(
    http: httpx.AsyncClient, neighbour: Neighbour, method: str, rest: dict[str, Any]
):
    """Neither to be listed nor to be written to."""
    theirs = neighbour.tenant.brand_id
    foreign = await http.request(method, "/api/content", **with_id(rest, "BRAND", theirs))
    unknown = await http.request(method, "/api/content", **with_id(rest, "BRAND", NOWHERE))

    assert seen(foreign, theirs) == seen(unknown)
    assert foreign.status_code == 404
    assert await holds_nothing(http)


@pytest.mark.parametrize(
    "params",
    [
        {"tags": "theirs"},
        {"search": "secret"},
        {"search": "secret", "tags": "theirs", "status": "draft"},
        {"content_type": "post"},
        {"date_from": "2020-01-01T00:00:00Z"},
        {"page": 2, "pageSize": 1},
    ],
)
async def test_no_filter_finds_or_counts_what_is_not_ones_own(
    http: httpx.AsyncClient, neighbour: Neighbour, params: dict[str, Any]
):
    """What its owner finds, a stranger neither sees nor counts."""
    if "page" not in params:
        assert (await listed(neighbour.http, **params))["pagination"]["total"] > 0
    page = await listed(http, **params)

    assert (page["data"], page["pagination"]["total"]) == ([], 0)


async def test_a_cursor_of_another_tenant_is_only_a_place(
    http: httpx.AsyncClient, neighbour: Neighbour
):
    """It shows one's own items, like a cursor with an id that nobody has."""
    for number in range(3):
        await created(http, title=str(number))
    page = await listed(neighbour.http, pageSize=1)
    theirs = page["pagination"]["nextCursor"]
    place = base64.urlsafe_b64decode(theirs + "==").decode()
    last = page["data"][0]["id"]
    assert last in place
    nowhere = base64.urlsafe_b64encode(place.replace(last, NOWHERE).encode()).decode().rstrip("=")

    asked = [await http.get("/api/content", params={"cursor": c}) for c in (theirs, nowhere)]
    assert seen(asked[0]) == seen(asked[1])
    assert set(await titles(http, cursor=theirs)) <= {"0", "1", "2"}


async def test_an_idempotency_key_of_another_tenant_is_free(
    http: httpx.AsyncClient, neighbour: Neighbour
):
    """Whether for the same request or for another one."""
    used = await http.post(
        "/api/content", json=draft(title="x"), headers={"Idempotency-Key": "shared"}
    )
    fresh = await http.post(
        "/api/content", json=draft(title="x"), headers={"Idempotency-Key": "unused"}
    )

    assert (used.status_code, used.headers.keys()) == (fresh.status_code, fresh.headers.keys())
    assert used.json()["id"] not in {neighbour.live["id"], neighbour.deleted["id"]}


async def test_a_campaign_of_another_tenant_does_not_exist(
    http: httpx.AsyncClient, neighbour: Neighbour
):
    """Neither to be named in an item nor to be listed or read."""
    ours = f"/api/content/{(await created(http))['id']}"
    for method, path, rest in [
        ("POST", "/api/content", {"json": {"campaign_space_id": "SPACE"} | draft()}),
        ("PATCH", ours, {"json": {"campaign_space_id": "SPACE"}}),
        ("GET", "/api/content", {"params": {"campaign_space_id": "SPACE"}}),
        ("GET", "/api/campaign-spaces/SPACE", {}),
    ]:
        foreign, unknown = [
            await http.request(method, path.replace("SPACE", one), **with_id(rest, "SPACE", one))
            for one in (neighbour.space, NOWHERE)
        ]
        assert seen(foreign, neighbour.space) == seen(unknown)
        assert neighbour.live["id"] not in foreign.text


async def test_readers_that_wait_together_are_answered_apart(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient, neighbour: Neighbour
):
    """Reads of several tenants share a round trip, and nothing else."""
    for caller, title in ((http, "ours"), (stranger, "strange")):
        await created(caller, title=title)
    expected = {http: ["ours"], stranger: ["strange"]}
    wrong: list[object] = []

    async def look(caller: httpx.AsyncClient) -> None:
        page, foreign = [
            await caller.get(path)
            for path in ("/api/content", f"/api/content/{neighbour.live['id']}")
        ]
        found = [item["title"] for item in page.json()["data"]]
        if found != expected[caller] or foreign.status_code != 404:
            wrong.append((found, foreign.status_code))

    async with anyio.create_task_group() as readers:
        for number in range(100):
            readers.start_soon(look, (http, stranger)[number % 2])

    assert wrong == []
