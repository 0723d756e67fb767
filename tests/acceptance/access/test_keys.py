"""API keys over HTTP: a key never opens more than its maker may."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.content import created, draft, fields_of, problem_of
from tests.support.patience import PATIENCE_S

LOOK_S = 0.1
ENDS_WITHIN_S = 30.0
"""Far less than a memory without an end, and more than a busy machine needs."""


async def made(http: httpx.AsyncClient, **wish: Any) -> dict[str, Any]:
    """A key that was just made, with its secret."""
    answer = await http.post("/api/keys", json={"role": "editor", **wish})
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def ids(http: httpx.AsyncClient) -> set[str]:
    """The ids of the keys somebody sees."""
    return {key["id"] for key in (await http.get("/api/keys")).json()["data"]}


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ({}, {"role"}),
        ({"role": "king"}, {"role"}),
        ({"role": "editor", "name": "x" * 101}, {"name"}),
        ({"role": "editor", "brand_ids": []}, {"brand_ids"}),
        ({"role": "editor", "brand_ids": ["a b"]}, {"brand_ids[0]"}),
        ({"role": "editor", "expires_at": "2020-01-01T00:00:00Z"}, {"expires_at"}),
        ({"role": "editor", "expires_at": "tomorrow"}, {"expires_at"}),
        ({"role": "editor", "secret": "mine"}, {"secret"}),
        ({"role": "editor", "tenant_id": "another"}, {"tenant_id"}),
    ],
)
async def test_a_wish_that_cannot_be_met_is_named(
    admin: httpx.AsyncClient, wish: dict[str, Any], wrong: set[str]
):
    """422 with the fields."""
    assert fields_of(await admin.post("/api/keys", json=wish)) == wrong


async def test_a_new_key_works_at_once(house: House, admin: httpx.AsyncClient):
    """In the role and brand it was made for."""
    key = await made(admin, role="viewer", brand_id=house.other_brand, name="for reports")
    async with house.daemon.caller(key["api_key"]) as http:
        assert (await http.get("/api/content")).status_code == 200
        problem_of(await http.post("/api/content", json=draft()), 403)
        brands = (await http.get("/api/brands")).json()["data"]

    assert [brand["is_default"] for brand in brands if brand["id"] == house.other_brand] == [True]
    assert (key["name"], key["status"], key["brand_ids"]) == ("for reports", "active", None)


async def test_the_secret_is_shown_once(house: House, admin: httpx.AsyncClient):
    """No list shows it again, and neither log nor database holds it."""
    before = house.daemon.process.log.stat().st_size
    key = await made(admin)
    secret = key["api_key"].rpartition("_")[2]

    assert secret not in (await admin.get("/api/keys")).text
    assert secret.encode() not in await house.daemon.logged(before)
    assert await _rows_with(house, secret) == 0


async def test_a_deleted_key_ends_within_seconds(house: House, admin: httpx.AsyncClient):
    """And is still shown, as what it was."""
    key = await made(admin)
    async with house.daemon.caller(key["api_key"]) as http:
        await created(http)
        gone = await admin.delete(f"/api/keys/{key['id']}")
        with anyio.fail_after(ENDS_WITHIN_S):
            while (await http.get("/api/content")).status_code == 200:
                await anyio.sleep(LOOK_S)

    assert gone.json()["id"] == key["id"]
    (shown,) = [k for k in (await admin.get("/api/keys")).json()["data"] if k["id"] == key["id"]]
    assert (shown["status"], shown["revoked_at"]) == ("revoked", gone.json()["revoked_at"])


async def test_keys_are_listed_page_by_page(admin: httpx.AsyncClient):
    """The newest first, each once."""
    made_ids = [(await made(admin))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"pageSize": "2", "cursor": cursor}
        page = (await admin.get("/api/keys", params=params)).json()
        seen += [key["id"] for key in page["data"]]
        cursor = page["pagination"]["nextCursor"]

    assert seen[:5] == made_ids[::-1]
    assert len(seen) == len(set(seen)) == 6


async def test_deleting_a_key_twice_is_as_once(admin: httpx.AsyncClient):
    """The time of the first stays."""
    path = f"/api/keys/{(await made(admin))['id']}"

    assert (await admin.delete(path)).json() == (await admin.delete(path)).json()


async def test_a_key_ends_at_its_end(house: House, admin: httpx.AsyncClient):
    """`expires_at`, in any offset."""
    key = await _used_before_its_end(house, admin)
    async with house.daemon.caller(key["api_key"]) as http:
        with anyio.fail_after(PATIENCE_S):
            while (answer := await http.get("/api/content")).status_code == 200:
                await anyio.sleep(LOOK_S)

    problem_of(answer, 401)
    (shown,) = [k for k in (await admin.get("/api/keys")).json()["data"] if k["id"] == key["id"]]
    assert shown["status"] == "expired"


async def _used_before_its_end(house: House, admin: httpx.AsyncClient) -> Any:
    """A key that will soon have ended, and was good for a request; the slower we are, the later."""
    for life_s in (1, 4, 16, 64):
        end = datetime.now(UTC) + timedelta(seconds=life_s)
        answer = await admin.post(
            "/api/keys", json={"role": "editor", "expires_at": end.isoformat()}
        )
        if answer.status_code != 201:
            continue
        async with house.daemon.caller(answer.json()["api_key"]) as http:
            if (await http.get("/api/content")).status_code == 200:
                return answer.json()
    raise AssertionError("no key was ever good")


@pytest.mark.parametrize("role", ["operator"])
async def test_nobody_makes_a_key_above_themselves(admin: httpx.AsyncClient, role: str):
    """An administrator makes no operators."""
    problem_of(await admin.post("/api/keys", json={"role": role}), 403)


async def test_operators_keys_are_theirs(house: House, admin: httpx.AsyncClient):
    """Operators make them, see them and delete them; an administrator does not even see them."""
    operator_key = house.daemon.new_key(house.tenant, "operator").api_key
    async with house.daemon.caller(operator_key) as operator:
        key = await made(operator, role="operator")

        assert key["id"] in await ids(operator)
        assert key["id"] not in await ids(admin)
        problem_of(await admin.delete(f"/api/keys/{key['id']}"), 404)
        assert (await operator.delete(f"/api/keys/{key['id']}")).status_code == 200


async def test_an_admin_of_one_brand_makes_keys_for_it_alone(house: House):
    """Not for the whole tenant, not for another brand, not for both."""
    mine, other = house.tenant.brand_id, house.other_brand
    async with house.member(first="owner", second="member") as http:
        problem_of(await http.post("/api/keys", json={"role": "viewer"}), 403)
        for brand_ids in ([other], [mine, other]):
            wish = {"role": "viewer", "brand_ids": brand_ids}
            problem_of(await http.post("/api/keys", json=wish), 403)
        key = await made(http, brand_ids=[mine], role="admin")

        assert (key["brand_id"], key["brand_ids"]) == (mine, [mine])
        assert await ids(http) == {key["id"]}


async def test_a_key_of_another_brand_does_not_exist(house: House, admin: httpx.AsyncClient):
    """Neither in the list nor to be deleted."""
    key = await made(admin, brand_ids=[house.other_brand])
    async with house.member(first="owner") as http:
        assert await ids(http) == set()
        problem_of(await http.delete(f"/api/keys/{key['id']}"), 404)


async def test_a_brand_of_another_tenant_does_not_exist(house: House, admin: httpx.AsyncClient):
    """Neither as scope nor as default."""
    foreign = house.daemon.new_tenant().brand_id

    problem_of(await admin.post("/api/keys", json={"role": "viewer", "brand_id": foreign}), 404)
    problem_of(await admin.post("/api/keys", json={"role": "viewer", "brand_ids": [foreign]}), 404)


async def test_a_default_brand_lies_within_the_scope(house: House, admin: httpx.AsyncClient):
    """Or the key could open nothing without naming a brand."""
    wish = {
        "role": "viewer",
        "brand_ids": [house.other_brand],
        "brand_id": house.tenant.brand_id,
    }

    assert fields_of(await admin.post("/api/keys", json=wish)) == {"brand_id"}


@pytest.mark.parametrize("key_id", ["nobodys", "%00", "..%2f..", "a" * 200])
async def test_a_key_that_does_not_exist_is_not_deleted(admin: httpx.AsyncClient, key_id: str):
    """Whatever the id looks like."""
    problem_of(await admin.delete(f"/api/keys/{key_id}"), 404)


async def test_another_tenants_key_does_not_exist(house: House, admin: httpx.AsyncClient):
    """It is not shown, not deleted, and goes on working."""
    theirs = house.daemon.new_key(house.daemon.new_tenant())

    assert theirs.key_id not in await ids(admin)
    problem_of(await admin.delete(f"/api/keys/{theirs.key_id}"), 404)
    async with house.daemon.caller(theirs.api_key) as http:
        assert (await http.get("/api/content")).status_code == 200


async def test_a_request_for_a_key_that_comes_again_makes_no_second(admin: httpx.AsyncClient):
    """The secret cannot be shown again, so the answer says which key to delete."""
    wish, once = {"role": "viewer"}, {"Idempotency-Key": "one-key"}
    first = (await admin.post("/api/keys", json=wish, headers=once)).json()
    before = await ids(admin)

    again = problem_of(await admin.post("/api/keys", json=wish, headers=once), 409)

    assert first["id"] in again["detail"]
    assert "api_key" not in again
    assert await ids(admin) == before


async def test_the_last_use_of_a_key_is_noted_at_the_latest_when_the_registrar_stops(
    house: House, admin: httpx.AsyncClient
):
    """Coarsely, and not with each request."""
    key = await made(admin)
    async with house.daemon.caller(key["api_key"]) as http:
        await http.get("/api/content")

    await house.daemon.begin_anew("registrar")

    with anyio.fail_after(PATIENCE_S):
        while await _last_use(house, key["id"]) is None:
            await anyio.sleep(LOOK_S)


async def _last_use(house: House, key_id: str) -> datetime | None:
    link = await asyncpg.connect(house.daemon.dsn, timeout=PATIENCE_S)
    try:
        moment: datetime | None = await link.fetchval(
            "select last_used_at from engarde.api_keys where id = $1", key_id
        )
        return moment
    finally:
        await link.close(timeout=PATIENCE_S)


async def _rows_with(house: House, secret: str) -> int:
    link = await asyncpg.connect(house.daemon.dsn, timeout=PATIENCE_S)
    try:
        count = await link.fetchval(
            "select count(*) from engarde.api_keys k where k::text like '%' || $1 || '%'", secret
        )
        return int(count)
    finally:
        await link.close(timeout=PATIENCE_S)
