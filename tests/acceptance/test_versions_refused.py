"""Versions that are not there, not the caller's, or asked for wrongly."""

import httpx
import pytest

from tests.acceptance.content import created, fields_of, problem_of, quota
from tests.acceptance.histories import changed, got, history_of
from tests.support.daemon import SharedDaemon, Tenant

NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "path",
    ["/2", "/0", "/-1", "/2147483648", "/99999999999999999999", "/one", "/2/diff", "/1/diff"],
)
async def test_a_version_that_is_not_there_is_not_found(http: httpx.AsyncClient, path: str):
    """The first one has none before it to be compared with."""
    item = await created(http)

    problem_of(await http.get(f"{history_of(item)}{path}"), 404)


@pytest.mark.parametrize("number", ["2", "0", "2147483648"])
async def test_a_version_that_is_not_there_cannot_be_restored(http: httpx.AsyncClient, number: str):
    """Nothing is written."""
    item = await created(http)

    problem_of(await http.post(f"{history_of(item)}/{number}/restore"), 404)

    assert (await got(http, f"/api/content/{item['id']}"))["version"] == 1


async def test_a_version_to_compare_with_must_be_there(http: httpx.AsyncClient):
    """The version itself is."""
    item = await created(http)

    problem_of(await http.get(f"{history_of(item)}/1/diff", params={"against": 2}), 404)


@pytest.mark.parametrize("against", ["0", "-1", "x", "", "1.5", "2147483648"])
async def test_what_is_no_version_is_a_wrong_field(http: httpx.AsyncClient, against: str):
    """It is named."""
    item = await created(http)

    answer = await http.get(f"{history_of(item)}/1/diff", params={"against": against})

    assert fields_of(answer) == {"against"}


async def test_all_wrong_fields_of_a_page_are_named(http: httpx.AsyncClient):
    """At once."""
    item = await created(http)
    wrong = {"limit": "101", "cursor": "x", "trashed": "perhaps", "other": "1"}

    assert fields_of(await http.get(history_of(item), params=wrong)) == wrong.keys()


@pytest.mark.parametrize("path", ["", "/1", "/1/diff?against=1", "/1/restore"])
async def test_a_strangers_versions_do_not_exist(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient, path: str
):
    """They answer exactly like those of an item that does not exist."""
    item = await created(http)
    verb = stranger.post if path.endswith("restore") else stranger.get

    theirs = await verb(f"{history_of(item)}{path}")
    nobodys = await verb(f"/api/content/{NOWHERE}/versions{path}")

    problem_of(theirs, 404)
    assert theirs.text == nobodys.text


@pytest.mark.parametrize("path", ["", "/1", "/2/diff"])
async def test_versions_of_a_trashed_item_are_shown_on_request(http: httpx.AsyncClient, path: str):
    """Like the item itself."""
    item = await created(http)
    await http.delete(f"/api/content/{item['id']}")
    url = f"{history_of(item)}{path}"

    problem_of(await http.get(url), 404)
    problem_of(await http.get(url, params={"trashed": "false"}), 404)
    assert (await http.get(url, params={"trashed": "true"})).status_code == 200


async def test_a_trashed_item_has_no_version_restored(http: httpx.AsyncClient):
    """It must be taken out of the trash first."""
    item = await created(http)
    await http.delete(f"/api/content/{item['id']}")

    problem_of(await http.post(f"{history_of(item)}/1/restore"), 404)


async def test_a_viewer_may_read_versions_and_not_restore_them(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Restoring is writing."""
    item = await created(http)
    async with daemon.caller(daemon.new_key(tenant, role="viewer").api_key) as viewer:
        assert (await viewer.get(history_of(item))).status_code == 200
        problem_of(await viewer.post(f"{history_of(item)}/1/restore"), 403)


async def test_a_restore_that_comes_too_late_is_refused(http: httpx.AsyncClient):
    """`If-Match` names the version that the item is at now."""
    item = await changed(http, await created(http), title="Newer")

    late = await http.post(f"{history_of(item)}/1/restore", headers={"If-Match": '"1"'})

    assert problem_of(late, 412)["current_version"] == 2


async def test_a_restore_asks_for_its_room(daemon: SharedDaemon):
    """A version that was larger may have none any more."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
        item = await changed(http, await created(http, body="x" * 8_000), body="x")
        await created(http, body="x" * 8_000)

        problem_of(await http.post(f"{history_of(item)}/1/restore"), 403)

        assert (await quota(http))["usage"]["total_storage_bytes"] == 8_001
