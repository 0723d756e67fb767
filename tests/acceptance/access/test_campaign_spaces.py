"""Campaign spaces: the campaigns that content belongs to."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.content import created, draft, fields_of, problem_of
from tests.support.patience import PATIENCE_S

NOWHERE = "00000000-0000-7000-8000-000000000000"


def wish(**fields: Any) -> dict[str, Any]:
    """The least that makes a space, and whatever else is given."""
    return {"campaign_name": "Spring", "platform": "meta", **fields}


async def made(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """A space that was just made."""
    answer = await http.post("/api/campaign-spaces", json=wish(**fields))
    assert answer.status_code == 201, answer.text
    space: dict[str, Any] = answer.json()
    return space


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"campaign_name": ""}, {"campaign_name"}),
        ({"campaign_name": "x" * 256}, {"campaign_name"}),
        ({"campaign_name": None}, {"campaign_name"}),
        ({"campaign_name": "a\x00b"}, {"campaign_name"}),
        ({"platform": "myspace"}, {"platform"}),
        ({"platform": None, "campaign_name": 7}, {"platform", "campaign_name"}),
        ({"external_campaign_id": ""}, {"external_campaign_id"}),
        ({"brand_id": "a b"}, {"brand_id"}),
        ({"budget": 7}, {"budget"}),
    ],
)
async def test_a_space_that_makes_no_sense_is_refused(
    admin: httpx.AsyncClient, fields: dict[str, Any], wrong: set[str]
):
    """Every field at once, and nothing is made."""
    assert fields_of(await admin.post("/api/campaign-spaces", json=wish(**fields))) == wrong
    assert (await admin.get("/api/campaign-spaces")).json()["data"] == []


async def test_a_space_is_read_as_it_was_made(house: House, admin: httpx.AsyncClient):
    """By the address that the answer names, and in the list."""
    fields = {"platform": "google_ads", "external_campaign_id": "customers/1/campaigns/2"}
    answer = await admin.post("/api/campaign-spaces", json=wish(**fields))
    space = answer.json()

    assert (await admin.get(answer.headers["location"])).json() == space
    assert (await admin.get("/api/campaign-spaces")).json()["data"] == [space]
    assert {name: space[name] for name in wish(**fields)} == wish(**fields)
    assert space["brand_id"] == house.tenant.brand_id
    assert space["created_at"] == space["updated_at"]


@pytest.mark.parametrize("platform", ["tiktok", "other", "amazon_ads", "youtube"])
async def test_every_ad_platform_can_be_named(admin: httpx.AsyncClient, platform: str):
    """Those of the platform's own type."""
    assert (await made(admin, platform=platform))["platform"] == platform


async def test_a_space_that_is_asked_for_again_is_made_once(admin: httpx.AsyncClient):
    """Under one Idempotency-Key; another wish under it is refused."""
    once = {"Idempotency-Key": "one-space"}
    first = await admin.post("/api/campaign-spaces", json=wish(), headers=once)
    again = await admin.post("/api/campaign-spaces", json=wish(), headers=once)
    other = await admin.post("/api/campaign-spaces", json=wish(platform="tiktok"), headers=once)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    problem_of(other, 422)
    assert len((await admin.get("/api/campaign-spaces")).json()["data"]) == 1


async def test_idempotency_keys_of_others_are_others(house: House, admin: httpx.AsyncClient):
    """The same key of another caller makes another space."""
    once = {"Idempotency-Key": "one-space"}
    mine = (await admin.post("/api/campaign-spaces", json=wish(), headers=once)).json()
    async with house.member(first="member") as colleague:
        theirs = (await colleague.post("/api/campaign-spaces", json=wish(), headers=once)).json()

    assert mine["id"] != theirs["id"]


async def test_a_list_is_filtered_and_paged(house: House, admin: httpx.AsyncClient):
    """By brand and ad platform, newest first, by cursor."""
    ids = [(await made(admin))["id"] for _ in range(5)]
    there = await made(admin, brand_id=house.other_brand, platform="tiktok")
    seen: list[str] = []
    params: dict[str, Any] | None = {"pageSize": 2, "brand_id": house.tenant.brand_id}
    while params is not None:
        page = (await admin.get("/api/campaign-spaces", params=params)).json()
        seen += [space["id"] for space in page["data"]]
        cursor = page["pagination"]["nextCursor"]
        params = {**params, "cursor": cursor} if cursor else None

    assert seen == ids[::-1]
    found = (await admin.get("/api/campaign-spaces", params={"platform": "tiktok"})).json()
    assert [space["id"] for space in found["data"]] == [there["id"]]


async def test_a_space_of_another_brand_does_not_exist(house: House, admin: httpx.AsyncClient):
    """Neither alone, nor in the list, nor to be made, nor to put content into."""
    there = await made(admin, brand_id=house.other_brand)
    mine = await made(admin)
    async with house.member(first="member") as http:
        answers = [await http.get(f"/api/campaign-spaces/{i}") for i in (there["id"], NOWHERE)]
        listed = (await http.get("/api/campaign-spaces")).json()["data"]
        elsewhere = await http.post("/api/campaign-spaces", json=wish(brand_id=house.other_brand))
        filtered = await http.get("/api/campaign-spaces", params={"brand_id": house.other_brand})
        writing = await http.post("/api/content", json=draft(campaign_space_id=there["id"]))

    assert problem_of(answers[0], 404) == problem_of(answers[1], 404)
    assert [space["id"] for space in listed] == [mine["id"]]
    problem_of(elsewhere, 404)
    problem_of(filtered, 404)
    assert fields_of(writing) == {"campaign_space_id"}


async def test_a_space_of_another_tenant_does_not_exist(house: House, admin: httpx.AsyncClient):
    """It is answered like one that nobody has."""
    key = house.daemon.new_key(house.daemon.new_tenant(), "admin").api_key
    async with house.daemon.caller(key) as stranger:
        theirs = await made(stranger)

    path = "/api/campaign-spaces/"
    mine, nobodys = [await admin.get(path + i) for i in (theirs["id"], NOWHERE)]
    assert problem_of(mine, 404) == problem_of(nobodys, 404)
    assert (await admin.get("/api/campaign-spaces")).json()["data"] == []


async def test_a_space_of_the_platform_without_a_brand_is_every_brands(
    house: House, admin: httpx.AsyncClient
):
    """The platform's own rows may name none."""
    space = await made(admin, brand_id=house.other_brand)
    await _change(house, "update public.campaign_spaces set brand_id = null where id = $1", space)
    async with house.member(first="member") as http:
        assert (await http.get(f"/api/campaign-spaces/{space['id']}")).status_code == 200
        assert len((await http.get("/api/campaign-spaces")).json()["data"]) == 1
        await created(http, campaign_space_id=space["id"])


async def test_a_space_that_the_platform_deleted_is_gone(house: House, admin: httpx.AsyncClient):
    """`deleted_at` is the platform's way to delete."""
    space = await made(admin)
    await _change(
        house, "update public.campaign_spaces set deleted_at = now() where id = $1", space
    )

    problem_of(await admin.get(f"/api/campaign-spaces/{space['id']}"), 404)
    assert (await admin.get("/api/campaign-spaces")).json()["data"] == []


async def test_content_belongs_to_a_space_of_its_tenant(house: House, admin: httpx.AsyncClient):
    """On create and on change; an id of another tenant's space is 422 like one of nothing."""
    key = house.daemon.new_key(house.daemon.new_tenant(), "admin").api_key
    async with house.daemon.caller(key) as stranger:
        theirs = await made(stranger)
    space = await made(admin)
    item = await created(admin, campaign_space_id=space["id"])
    path = f"/api/content/{item['id']}"

    refusals = []
    for space_id in (theirs["id"], NOWHERE):
        fields = {"campaign_space_id": space_id}
        assert fields_of(await admin.patch(path, json=fields)) == {"campaign_space_id"}
        refusals.append(problem_of(await admin.post("/api/content", json=draft(**fields)), 422))
    assert refusals[0] == refusals[1]
    unset = await admin.patch(path, json={"campaign_space_id": None})
    assert (item["campaign_space_id"], unset.json()["campaign_space_id"]) == (space["id"], None)
    again = await admin.patch(path, json={"campaign_space_id": space["id"]})
    assert again.json()["campaign_space_id"] == space["id"]


@pytest.mark.parametrize("space_id", ["%00", "a" * 300, "%ff", "..%2f.."])
async def test_an_id_of_nothing_is_nothing(admin: httpx.AsyncClient, space_id: str):
    """Whatever it looks like."""
    problem_of(await admin.get(f"/api/campaign-spaces/{space_id}"), 404)


async def _change(house: House, statement: str, space: dict[str, Any]) -> None:
    link = await asyncpg.connect(house.daemon.dsn, timeout=PATIENCE_S)
    try:
        await link.execute(statement, space["id"])
    finally:
        await link.close(timeout=PATIENCE_S)
