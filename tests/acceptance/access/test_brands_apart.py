"""Inside a tenant, what belongs to a brand that is not the caller's is as good as not there.

The same holds for a user with a token and for a key that was made for some brands only.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.content import created, draft, listed, problem_of, titles

NOWHERE = "00000000-0000-7000-8000-000000000000"
OF_THE_REQUEST = {"x-request-id", "date"}


class Case(msgspec.Struct, frozen=True):
    """A caller of the first brand, and what lies in the second."""

    house: House
    http: httpx.AsyncClient
    live: str
    trashed: str
    mine: str


def seen(answer: httpx.Response, id_: str) -> tuple[int, dict[str, str], str]:
    """All that a caller can tell an answer by, but the id it sent itself."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_THE_REQUEST}
    return answer.status_code, headers, answer.text.replace(id_, NOWHERE)


@pytest.fixture(params=["a token", "a key"])
async def case(
    request: pytest.FixtureRequest, house: House, admin: httpx.AsyncClient
) -> AsyncIterator[Case]:
    """An editor of the first brand, and an item, live or trashed, of each brand."""
    there = {"brand_id": house.other_brand, "title": "theirs", "tags": ["theirs"]}
    trashed = await created(admin, **there)
    await admin.delete(f"/api/content/{trashed['id']}")
    live, mine = await created(admin, **there), await created(admin, title="mine")
    if request.param == "a token":
        caller = house.bearer(house.token(await house.user(first="member")))
    else:
        wish = {"role": "editor", "brand_ids": [house.tenant.brand_id]}
        made = (await admin.post("/api/keys", json=wish)).json()
        caller = house.daemon.caller(made["api_key"])
    async with caller as http:
        yield Case(house, http, live["id"], trashed["id"], mine["id"])


ON_AN_ITEM: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("GET", "", {"headers": {"If-None-Match": '"1"'}}),
    ("PATCH", "", {"json": {"title": "stolen"}}),
    ("PATCH", "", {"json": {"title": "stolen"}, "headers": {"If-Match": '"9"'}}),
    ("PATCH", "", {"json": {"title": 7}}),
    ("DELETE", "", {}),
    ("POST", "/restore", {}),
    ("GET", "/versions", {}),
    ("GET", "/versions/1", {}),
    ("GET", "/versions/1/diff", {"params": {"against": "1"}}),
    ("POST", "/versions/1/restore", {}),
]


@pytest.mark.parametrize("which", ["live", "trashed"])
@pytest.mark.parametrize(("method", "rest", "given"), ON_AN_ITEM)
async def test_an_item_of_another_brand_does_not_exist(
    case: Case, which: str, method: str, rest: str, given: dict[str, Any]
):
    """Every route answers as for an id that nobody has, and changes nothing."""
    theirs = getattr(case, which)
    answer = await case.http.request(method, f"/api/content/{theirs}{rest}", **given)
    nothing = await case.http.request(method, f"/api/content/{NOWHERE}{rest}", **given)

    assert seen(answer, theirs) == seen(nothing, NOWHERE)
    assert 400 <= answer.status_code < 500


async def test_an_item_of_the_own_brand_is_there(case: Case):
    """Or the refusals above would mean nothing."""
    path = f"/api/content/{case.mine}"

    assert (await case.http.get(path)).status_code == 200
    assert (await case.http.patch(path, json={"title": "changed"})).status_code == 200
    assert (await case.http.delete(path)).status_code == 200


@pytest.mark.parametrize("by_header", [False, True])
async def test_another_brand_is_one_that_does_not_exist(case: Case, *, by_header: bool):
    """For lists and for writes, named in either way."""
    answers = []
    for brand_id in (case.house.other_brand, NOWHERE):
        headers = {"X-Brand-ID": brand_id} if by_header else {}
        named = {} if by_header else {"brand_id": brand_id}
        listing = await case.http.get("/api/content", params=named, headers=headers)
        writing = await case.http.post("/api/content", json=draft(**named), headers=headers)
        answers.append([seen(one, brand_id) for one in (listing, writing)])

    assert answers[0] == answers[1]
    assert [status for status, _, _ in answers[0]] == [404, 404]


async def test_lists_and_searches_show_the_own_brand_alone(case: Case):
    """Whatever is filtered by."""
    assert await titles(case.http) == ["mine"]
    for filters in (
        {"tags": "theirs"},
        {"search": "theirs"},
        {"status": "draft", "tags": "theirs"},
    ):
        assert await titles(case.http, **filters) == []
    assert (await listed(case.http))["pagination"]["total"] == 1


async def test_the_voice_of_another_brand_does_not_exist(case: Case):
    """Neither to read nor to write."""
    for brand_id in (case.house.other_brand, NOWHERE):
        problem_of(await case.http.get(f"/api/brands/{brand_id}/voice"), 404)


async def test_only_the_own_brands_are_listed(case: Case):
    """With the role the caller has in each."""
    brands = (await case.http.get("/api/brands")).json()["data"]

    assert [(brand["id"], brand["role"]) for brand in brands] == [
        (case.house.tenant.brand_id, "editor")
    ]


async def test_a_viewer_of_the_brand_is_told_that_it_may_not(
    house: House, admin: httpx.AsyncClient
):
    """What one may see but not change is 403, not 404, even for an editor of another brand."""
    made = await created(admin)
    async with house.member(first="viewer", second="owner") as http:
        path = f"/api/content/{made['id']}"

        assert (await http.get(path)).status_code == 200
        problem_of(await http.patch(path, json={"title": "changed"}), 403)
        problem_of(await http.delete(path), 403)
        problem_of(await http.delete(path, params={"permanent": "true"}), 403)


async def test_an_editor_of_the_brand_erases_nothing(house: House, admin: httpx.AsyncClient):
    """Erasing needs an administrator of the brand, not of some other one."""
    made = await created(admin)
    async with house.member(first="member", second="owner") as http:
        answer = await http.delete(f"/api/content/{made['id']}", params={"permanent": "true"})

    problem_of(answer, 403)
    assert (await admin.get(f"/api/content/{made['id']}")).status_code == 200
