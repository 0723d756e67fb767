"""`DELETE /api/content/{id}`: into the trash, out of every answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, holds_nothing, listed, problem_of
from tests.support.daemon import SharedDaemon, Tenant


async def delete(http: httpx.AsyncClient, item: dict[str, Any], **headers: str) -> httpx.Response:
    """Ask for an item to go."""
    return await http.delete(f"/api/content/{item['id']}", headers=headers)


async def test_the_answer_of_the_architecture(http: httpx.AsyncClient):
    """A sentence, the id and the moment, and nothing else."""
    made = await created(http)
    answer = await delete(http, made)
    gone = answer.json()

    assert (answer.status_code, gone.keys()) == (200, {"message", "id", "deleted_at"})
    assert (gone["message"], gone["id"]) == ("Content deleted successfully", made["id"])
    at = datetime.fromisoformat(gone["deleted_at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_what_was_deleted_is_not_there(http: httpx.AsyncClient, method: str):
    """Neither to be read nor changed nor deleted again."""
    made = await created(http)
    await delete(http, made)
    wish = {"title": "x"} if method == "PATCH" else None

    problem_of(await http.request(method, f"/api/content/{made['id']}", json=wish), 404)


async def test_what_was_deleted_takes_no_room(http: httpx.AsyncClient):
    """List and quota are as if it had never been."""
    made = await created(http, body="x" * 1000)
    await delete(http, made)

    assert await holds_nothing(http)


async def test_what_was_deleted_is_not_found_by_its_words(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Neither at once nor when the index has caught up."""
    made = await created(http, title="vanishing")
    await delete(http, made)
    at_once = await listed(http, search="vanishing")
    await daemon.until_carried(tenant)
    later = await listed(http, search="vanishing")

    assert [page["pagination"]["total"] for page in (at_once, later)] == [0, 0]


async def test_a_stale_version_is_not_deleted(http: httpx.AsyncClient):
    """`If-Match` guards a deletion as it guards a change."""
    made = await created(http)
    await http.patch(f"/api/content/{made['id']}", json={"title": "newer"})

    assert problem_of(await delete(http, made, **{"If-Match": '"1"'}), 412)["current_version"] == 2
    assert (await delete(http, made, **{"If-Match": '"2"'})).status_code == 200
