"""`GET /api/content/export`: everything, in order, with a proof that it is everything."""

import gzip
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, fields_of, problem_of
from tests.acceptance.transfer.carrying import EXPORT, exported, fill
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.oracle import eventually

NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_only_an_administrator_may(daemon: SharedDaemon, tenant: Tenant, role: str):
    """Of the whole tenant or of one brand."""
    async with daemon.caller(daemon.new_key(tenant, role).api_key) as http:
        problem_of(await http.get(EXPORT), 403)
        problem_of(await http.get(EXPORT, params={"brand_id": tenant.brand_id}), 403)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"brand_id": NOWHERE}, 404),
        ({"after": NOWHERE}, 404),
        ({"brand_id": "a b"}, 422),
        ({"format": "csv"}, 422),
    ],
)
async def test_what_is_not_there_is_not_exported(
    admin: httpx.AsyncClient, params: dict[str, str], status: int
):
    """A problem document, not an empty file."""
    problem_of(await admin.get(EXPORT, params=params), status)


async def test_a_strangers_ids_are_not_there(
    admin: httpx.AsyncClient, elsewhere: Tenant, other_admin: httpx.AsyncClient
):
    """Neither a brand to export nor an item to go on after."""
    theirs = await created(other_admin)

    problem_of(await admin.get(EXPORT, params={"brand_id": elsewhere.brand_id}), 404)
    problem_of(await admin.get(EXPORT, params={"after": theirs["id"]}), 404)


async def test_nothing_is_whole_too(admin: httpx.AsyncClient):
    """An export without items has its last line."""
    assert (await exported(admin))[0] == []


async def test_an_item_has_all_its_fields(
    daemon: SharedDaemon, tenant: Tenant, admin: httpx.AsyncClient
):
    """Those that an import takes in, and what proves the body."""
    made = await fill(admin, 3)
    await daemon.until_carried(tenant)
    items, _ = await exported(admin)

    for item, read in zip(items, made, strict=True):
        shared = item.keys() & read.keys()
        assert {name: item[name] for name in shared} == {name: read[name] for name in shared}
        assert item.keys() - shared == {"user_id", "size_bytes", "sha256"}
        assert item["size_bytes"] == read["storage"]["size_bytes"] == len(item["body"].encode())


async def test_every_live_item_is_there_once_the_oldest_first(
    daemon: SharedDaemon, tenant: Tenant, admin: httpx.AsyncClient
):
    """More than one step of the walk; what is in the trash is not."""
    other = await daemon.new_brand(tenant)
    made = await fill(admin, 450)
    await fill(admin, 5, brand_id=other)
    gone = made.pop(7)
    await admin.delete(f"/api/content/{gone['id']}")
    ours, _ = await exported(admin, brand_id=tenant.brand_id)
    everything, _ = await exported(admin)

    order = sorted(made, key=lambda item: (item["created_at"], item["id"]))
    assert [item["id"] for item in ours] == [item["id"] for item in order]
    assert {item["brand_id"] for item in everything} == {tenant.brand_id, other}
    assert len({item["id"] for item in everything}) == len(everything) == 454


async def test_it_goes_on_after_any_item(
    daemon: SharedDaemon, tenant: Tenant, admin: httpx.AsyncClient
):
    """Across brands, also after one that is in the trash by now."""
    other = await daemon.new_brand(tenant)
    await fill(admin, 3)
    await fill(admin, 3, brand_id=other)
    everything, _ = await exported(admin)
    ids = [item["id"] for item in everything]
    await admin.delete(f"/api/content/{ids[1]}")

    for place in range(6):
        rest, _ = await exported(admin, after=ids[place])
        assert [item["id"] for item in rest] == [i for i in ids[place + 1 :] if i != ids[1]]


async def test_it_is_compressed_for_those_who_ask(admin: httpx.AsyncClient):
    """The same bytes; others get them as they are."""
    await fill(admin, 20)

    async def raw(accept: str) -> tuple[Any, bytes]:
        async with admin.stream("GET", EXPORT, headers={"Accept-Encoding": accept}) as answer:
            content = b"".join([chunk async for chunk in answer.aiter_raw()])
        return answer.headers.get("content-encoding"), content

    encoding, compressed = await raw("br, GZIP;q=0.5")
    plain = await raw("gzip;q=0, identity")

    assert (encoding, plain[0]) == ("gzip", None)
    assert gzip.decompress(compressed) == plain[1] == (await raw(""))[1]
    assert len(compressed) < len(plain[1])


async def test_an_unknown_parameter_is_named(admin: httpx.AsyncClient):
    """As everywhere."""
    assert fields_of(await admin.get(EXPORT, params={"page": "1"})) == {"page"}


async def test_it_is_written_down_who_took_everything(admin: httpx.AsyncClient):
    """An export is a read, but not one like others."""
    await exported(admin)

    async def is_written_down() -> bool:
        answer = await admin.get("/api/audit", params={"operation": "exportContent"})
        return [entry["status"] for entry in answer.json()["data"]] == [200]

    await eventually(is_written_down)
