"""The trash: what lies in it, out of it again, or gone for good."""

from typing import Any

import anyio
import httpx
import pytest

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from tests.acceptance.content import created, fields_of, listed, problem_of, quota
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def admin(daemon: SharedDaemon, tenant: Tenant):
    """An administrator of the tenant."""
    async with daemon.caller(daemon.new_key(tenant, role="admin").api_key) as http:
        yield http


async def trashed(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """An item in the trash."""
    item = await created(http, **fields)
    assert (await http.delete(f"/api/content/{item['id']}")).status_code == 200
    return item


async def test_what_was_never_deleted_cannot_be_restored(http: httpx.AsyncClient):
    """It is a conflict that names the reason."""
    item = await created(http)

    problem = problem_of(await http.post(f"/api/content/{item['id']}/restore"), 409)

    assert problem["type"].endswith("not_in_trash")


async def test_a_strangers_trash_does_not_exist(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient
):
    """Neither to be restored nor to be seen."""
    item = await trashed(http)

    problem_of(await stranger.post(f"/api/content/{item['id']}/restore"), 404)
    assert (await listed(stranger, trashed="true"))["data"] == []


async def test_the_trash_shows_the_last_thrown_first(http: httpx.AsyncClient):
    """And nothing that lives."""
    await created(http, title="lives")
    for title in ("first", "second"):
        await trashed(http, title=title)

    page = await listed(http, trashed="true")

    assert [item["title"] for item in page["data"]] == ["second", "first"]
    assert page["pagination"]["total"] == 2


async def test_the_trash_is_walked_by_cursor(http: httpx.AsyncClient):
    """Each item once."""
    made = [(await trashed(http))["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"trashed": "true", "pageSize": "2"} | ({"cursor": cursor} if cursor else {})
        page = await listed(http, **params)
        seen += [item["id"] for item in page["data"]]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            break

    assert seen == made[::-1]


async def test_a_restored_item_is_as_it_was(http: httpx.AsyncClient):
    """Title, body and tags, one version on, and it counts again."""
    item = await trashed(http, body="words that return", tags=["kept"])

    back = (await http.post(f"/api/content/{item['id']}/restore")).json()

    assert (back["body"], back["tags"], back["version"]) == ("words that return", ["kept"], 3)
    assert (await quota(http))["usage"]["total_storage_bytes"] == len("words that return")
    assert [i["id"] for i in (await listed(http))["data"]] == [item["id"]]


async def test_only_an_administrator_deletes_for_good(http: httpx.AsyncClient):
    """An editor is told so, and nothing is lost."""
    item = await created(http)

    problem_of(await http.delete(f"/api/content/{item['id']}", params={"permanent": "true"}), 403)

    assert (await http.get(f"/api/content/{item['id']}")).status_code == 200


async def test_a_flag_is_true_or_false(http: httpx.AsyncClient):
    """Anything else is refused by name."""
    item = await created(http)

    answer = await http.delete(f"/api/content/{item['id']}", params={"permanent": "perhaps"})

    assert fields_of(answer) == {"permanent"}


@pytest.mark.parametrize("deleted_before", [True, False])
async def test_an_erased_item_is_gone_and_leaves_a_receipt(
    admin: httpx.AsyncClient, *, deleted_before: bool
):
    """From list, trash, search and quota; the receipt says nothing of what it said."""
    item = await (trashed if deleted_before else created)(admin, title="unspeakable", body="secret")

    answer = await admin.delete(f"/api/content/{item['id']}", params={"permanent": "true"})
    receipt = (await admin.get(f"/api/erasures/{answer.json()['receipt_id']}")).json()

    problem_of(await admin.get(f"/api/content/{item['id']}"), 404)
    problem_of(await admin.post(f"/api/content/{item['id']}/restore"), 404)
    for params in ({}, {"trashed": "true"}, {"search": "unspeakable"}):
        assert (await listed(admin, **params))["data"] == []
    assert (await quota(admin))["usage"]["total_storage_bytes"] == 0
    assert receipt["content_id"] == item["id"]
    assert "unspeakable" not in str(receipt)


async def test_an_erased_body_leaves_zerodb(
    daemon: SharedDaemon, tenant: Tenant, admin: httpx.AsyncClient
):
    """All of its versions, also those that were delivered long before."""
    item = await created(admin, body="one")
    await admin.patch(f"/api/content/{item['id']}", json={"body": "two"})
    await daemon.until_carried(tenant)

    answer = await admin.delete(f"/api/content/{item['id']}", params={"permanent": "true"})

    assert answer.json()["versions"] == 2
    async with EmbeddedZeroDB(daemon.process.data_dir / "zerodb") as store:
        with anyio.fail_after(PATIENCE_S):
            while [record async for record in store.scan(tenant.tenant_id)]:
                await anyio.sleep(0.05)


async def test_a_receipt_is_its_tenants_alone(admin: httpx.AsyncClient, daemon: SharedDaemon):
    """Another tenant's administrator gets the answer of a receipt that does not exist."""
    item = await created(admin)
    answer = await admin.delete(f"/api/content/{item['id']}", params={"permanent": "true"})
    receipt_id = answer.json()["receipt_id"]

    async with daemon.caller(daemon.new_key(daemon.new_tenant(), role="admin").api_key) as other:
        problem_of(await other.get(f"/api/erasures/{receipt_id}"), 404)
