"""`GET /api/content/{id}`, as the platform's architecture writes it."""

import httpx
import pytest

from tests.acceptance.content import created, problem_of
from tests.acceptance.test_create import CAMPAIGN, FIELDS
from tests.support.daemon import SharedDaemon, Tenant

UNCACHED = "a body too large for the cache " * 160_000


async def read(http: httpx.AsyncClient, content_id: str, **headers: str) -> httpx.Response:
    """Ask for one item."""
    return await http.get(f"/api/content/{content_id}", headers=headers)


async def test_an_item_comes_back_as_it_was_made(http: httpx.AsyncClient):
    """Every field of the architecture, with the values of the creation."""
    made = await created(http, **CAMPAIGN)
    item = (await read(http, made["id"])).json()

    assert item.keys() == FIELDS | {
        "versions", "published_at", "brand_id", "campaign_space_id"
    }  # fmt: skip
    assert item == made | {"versions": item["versions"]}


async def test_the_history_names_who_did_what_and_when(http: httpx.AsyncClient, tenant: Tenant):
    """One entry a version, the oldest first."""
    made = await created(http)
    changed = await http.patch(f"/api/content/{made['id']}", json={"status": "published"})
    item = (await read(http, made["id"])).json()

    assert item["versions"] == [
        {
            "version": 1,
            "created_at": item["created_at"],
            "changed_by": tenant.user_id,
            "change_type": "create",
        },
        {
            "version": 2,
            "created_at": changed.json()["updated_at"],
            "changed_by": tenant.user_id,
            "change_type": "publish",
        },
    ]


async def test_a_version_that_the_caller_has_is_not_sent_again(http: httpx.AsyncClient):
    """`If-None-Match` with the present ETag answers 304 without a body."""
    made = await created(http)
    answer = await read(http, made["id"], **{"If-None-Match": '"7", W/"1"'})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"1"'


async def test_a_version_that_the_caller_has_not_is_sent(http: httpx.AsyncClient):
    """`If-None-Match` with another ETag is an ordinary read."""
    made = await created(http)
    answer = await read(http, made["id"], **{"If-None-Match": '"2"'})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')


async def test_the_answer_says_where_the_body_came_from(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """From PostgreSQL until ZeroDB has it, from ZeroDB or memory then."""
    made = await created(http, body=UNCACHED)
    at_once = await read(http, made["id"])
    await daemon.until_carried(tenant)
    later = await read(http, made["id"])

    assert at_once.headers["x-served-from"] in {"staged", "zerodb"}
    assert later.headers["x-served-from"] == "zerodb"
    assert at_once.json()["body"] == later.json()["body"] == UNCACHED


async def test_a_small_body_is_at_hand_after_its_delivery(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Nobody asks ZeroDB for what was written a moment ago."""
    made = await created(http)
    await daemon.until_carried(tenant)

    assert (await read(http, made["id"])).headers["x-served-from"] == "cache"


async def test_every_answer_carries_a_request_id(http: httpx.AsyncClient):
    """One of the daemon's own, which is another every time."""
    first, second = await http.get("/api/content"), await http.get("/healthz")

    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_the_callers_request_id_is_kept(http: httpx.AsyncClient):
    """Also on a refusal, so that it can be followed through several systems."""
    answer = await read(http, "nope", **{"X-Request-ID": "studio-42.a_b"})

    assert answer.headers["x-request-id"] == "studio-42.a_b"


@pytest.mark.parametrize("sent", ["a b", "x" * 65, "a\tb", '"<script>"', ""])
async def test_a_request_id_that_could_harm_a_log_is_replaced(http: httpx.AsyncClient, sent: str):
    """By one of the daemon's own."""
    answer = await read(http, "nope", **{"X-Request-ID": sent})

    assert answer.headers["x-request-id"] not in {sent, ""}


async def test_an_unknown_id_is_a_problem(http: httpx.AsyncClient):
    """404, and nothing about what else there may be."""
    problem = problem_of(await read(http, "00000000-0000-0000-0000-000000000000"), 404)

    assert problem["type"].endswith("not_found")
