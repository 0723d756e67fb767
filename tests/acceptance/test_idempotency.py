"""`Idempotency-Key`: two requests with one key are one creation."""

from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import draft, listed, problem_of, quota
from tests.acceptance.test_create import CAMPAIGN
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant


async def create(http: httpx.AsyncClient, key: str, **fields: Any) -> httpx.Response:
    """Ask for a creation under a key."""
    return await http.post("/api/content", json=draft(**fields), headers={"Idempotency-Key": key})


async def test_the_same_request_is_answered_as_before(http: httpx.AsyncClient):
    """The same status, body, ETag and Location, and a header that tells it is a repeat."""
    first, again = [await create(http, "once", **CAMPAIGN) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    for header in ("location", "etag", "content-type"):
        assert first.headers[header] == again.headers[header]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_repeat_makes_and_counts_nothing(http: httpx.AsyncClient):
    """One item, and its bytes once."""
    for _ in range(5):
        await create(http, "once", body="12345")

    assert (await listed(http))["pagination"]["total"] == 1
    assert (await quota(http))["usage"]["total_storage_bytes"] == 5


async def test_another_request_under_the_same_key_is_refused(http: httpx.AsyncClient):
    """422, and the first item stays as it was."""
    first = await create(http, "once", title="first")
    problem = problem_of(await create(http, "once", title="second"), 422)

    assert problem["type"].endswith("idempotency_key_reused")
    assert (await http.get(first.headers["location"])).json()["title"] == "first"
    assert (await listed(http))["pagination"]["total"] == 1


async def test_another_brand_is_another_request(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Also when the brand is only in a header."""
    brand_id = await daemon.new_brand(tenant)
    await create(http, "once")
    answer = await http.post(
        "/api/content", json=draft(), headers={"Idempotency-Key": "once", "X-Brand-ID": brand_id}
    )

    problem_of(answer, 422)


async def test_a_repeat_shows_the_item_as_it_was_made(http: httpx.AsyncClient):
    """Not as it was changed since."""
    first = await create(http, "once", title="before")
    await http.patch(first.headers["location"], json={"title": "now", "body": "other"})
    again = await create(http, "once", title="before")

    assert again.json() == first.json()
    assert (await http.get(first.headers["location"])).json()["version"] == 2


async def test_a_repeat_does_not_bring_back_what_was_deleted(http: httpx.AsyncClient):
    """It only tells again what was done then."""
    first = await create(http, "once")
    await http.delete(first.headers["location"])
    again = await create(http, "once")

    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (await listed(http))["pagination"]["total"] == 0


async def test_keys_of_two_tenants_are_apart(http: httpx.AsyncClient, stranger: httpx.AsyncClient):
    """The same key and request of a stranger makes an item of its own."""
    ours = await create(http, "once")
    theirs = await create(stranger, "once")

    assert ours.json()["id"] != theirs.json()["id"]
    assert "idempotent-replayed" not in theirs.headers
    assert (await listed(stranger))["pagination"]["total"] == 1


async def test_a_key_belongs_to_one_caller(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Another API key of the same tenant may use the same word."""
    async with daemon.caller(daemon.new_key(tenant).api_key) as colleague:
        ours, theirs = await create(http, "once"), await create(colleague, "once")

    assert ours.json()["id"] != theirs.json()["id"]


async def test_fifty_at_once_make_one_item(http: httpx.AsyncClient):
    """Whoever comes first; all get the same answer, and all but one know it is a repeat."""
    answers: list[httpx.Response] = []

    async def try_it() -> None:
        answers.append(await create(http, "once", body="12345"))

    async with anyio.create_task_group() as crowd:
        for _ in range(50):
            crowd.start_soon(try_it)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49
    assert (await listed(http))["pagination"]["total"] == 1
    assert (await quota(http))["usage"]["total_storage_bytes"] == 5


async def test_of_fifty_different_requests_one_wins(http: httpx.AsyncClient):
    """The others are told that the key is taken."""
    statuses: list[int] = []

    async def try_it(number: int) -> None:
        statuses.append((await create(http, "once", title=str(number))).status_code)

    async with anyio.create_task_group() as crowd:
        for number in range(50):
            crowd.start_soon(try_it, number)

    assert sorted(statuses) == [201] + [422] * 49
    assert (await listed(http))["pagination"]["total"] == 1


async def test_a_refused_creation_leaves_its_key_free(daemon: SharedDaemon):
    """What was not made may be tried again under the same key, when there is room."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
        blocker = await create(http, "blocker", body="x" * TINY_PLAN_BYTES)
        problem_of(await create(http, "once", body="y"), 403)
        problem_of(await create(http, "once", title=""), 422)
        await http.delete(blocker.headers["location"])
        answer = await create(http, "once", body="y")

    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("key", ["k" * 255, "!#$%&'*+-.^_`|~", '"quoted-as-in-the-draft"', "\\"])
async def test_any_printable_word_is_a_key(http: httpx.AsyncClient, key: str):
    """Up to 255 characters, quoted or not."""
    assert (await create(http, key)).status_code == 201
    assert (await create(http, key)).headers["idempotent-replayed"] == "true"
