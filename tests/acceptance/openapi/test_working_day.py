"""A working day of Content Studio, by a client that has read the API's document and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from tests.acceptance.openapi.studio_client import StudioClient, Undocumented
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def studio(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[StudioClient]:
    """Content Studio, as an administrator of a tenant of its own."""
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as http:
        yield await StudioClient.meet(http)


async def written(studio: StudioClient, title: str, body: str, **fields: Any) -> Any:
    """An item that was just written."""
    told = await studio.call("createContent", body={"title": title, "body": body, **fields})
    assert told.status == 201
    return told.body


async def found(studio: StudioClient, **query: Any) -> list[str]:
    """The titles that a list shows."""
    page = (await studio.call("listContent", query)).body
    return [item["title"] for item in page["data"]]


async def test_a_working_day(studio: StudioClient):
    """From the first draft to what the day has brought, while somebody watches the events."""
    async with studio.follow("followEvents", {"types": ["content.*"]}) as events:
        launch = await _write_and_edit(studio)
        await _schedule(studio, launch)
        await _search(studio)
        await _tag_in_bulk(studio)
        await _throw_away_and_restore(studio, launch)
        with anyio.fail_after(PATIENCE_S):
            seen = await _until_restored(events)

    assert seen_types([event for event in seen if event["data"]["id"] == launch]) == [
        "content.created",
        "content.updated",
        "content.updated",
        "content.published",
        "content.updated",
        "content.restored",
        "content.deleted",
        "content.restored",
    ]
    usage = (await studio.call("readQuota")).body["usage"]
    assert usage["total_content_items"] == 3


async def _write_and_edit(studio: StudioClient) -> str:
    """Two editors change one item, and the late one learns of it."""
    item = await written(studio, "Spring launch", "Our shoes are light.", tags=["spring"])
    one = {"content_id": item["id"]}
    read = await studio.call("readContent", one)
    guard = {**one, "If-Match": read.headers["etag"]}
    wish = {"body": "Our shoes are light and dry."}

    assert (await studio.call("updateContent", guard, body=wish)).status == 200
    late = await studio.call("updateContent", guard, body={"title": "Too late"})
    assert (late.status, late.body["current_version"]) == (412, 2)
    unchanged = {**one, "If-None-Match": '"2"'}
    assert (await studio.call("readContent", unchanged)).status == 304
    return str(item["id"])


async def _schedule(studio: StudioClient, content_id: str) -> None:
    """It is published by itself at its time."""
    soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    one = {"content_id": content_id}
    wish = {"status": "scheduled", "scheduled_at": soon}

    assert (await studio.call("updateContent", one, body=wish)).body["status"] == "scheduled"
    with anyio.fail_after(PATIENCE_S):
        while (await studio.call("readContent", one)).body["status"] != "published":
            await anyio.sleep(0.05)
    back = await studio.call("updateContent", one, body={"status": "scheduled"})
    assert (back.status, back.body["present_status"]) == (409, "published")


async def _search(studio: StudioClient) -> None:
    """By words, with what must not be in it."""
    await written(studio, "Autumn sale", "Boots that are dry and warm.")
    await written(studio, "Umbrellas", "Stay dry.")

    assert set(await found(studio, search="dry")) == {"Spring launch", "Autumn sale", "Umbrellas"}
    assert await found(studio, search='dry -boots "shoes"') == ["Spring launch"]
    page = await studio.call("listContent", {"search": "boots", "pageSize": 1})
    assert "<mark>Boots</mark>" in page.body["data"][0]["highlight"]


async def _tag_in_bulk(studio: StudioClient) -> None:
    """Only as many as were looked at."""
    wish = {"filter": {"search": "dry"}, "confirm": 2, "add": ["rain"]}
    refused = await studio.call("setTagsBulk", body=wish)
    assert (refused.status, refused.body["matching"]) == (409, 3)

    told = await studio.call("setTagsBulk", body={**wish, "confirm": 3})
    assert (told.status, len(told.body["data"])) == (200, 3)
    assert len(await found(studio, tags=["rain"])) == 3


async def _throw_away_and_restore(studio: StudioClient, content_id: str) -> None:
    """A version from this morning, and an item from the trash."""
    one = {"content_id": content_id}
    history = (await studio.call("listVersions", one)).body["data"]
    assert [version["change_type"] for version in history][-1] == "create"
    diff = await studio.call("diffVersions", {**one, "version": 2})
    assert diff.body[0]["op"] == "replace"
    first = await studio.call("restoreVersion", {**one, "version": 1})
    assert first.body["body"] == "Our shoes are light."

    assert (await studio.call("deleteContent", one)).status == 200
    assert (await studio.call("readContent", one)).status == 404
    assert await found(studio, trashed=True) == ["Spring launch"]
    assert (await studio.call("restoreContent", one)).body["title"] == "Spring launch"


async def _until_restored(events: AsyncIterator[Any]) -> list[Any]:
    """Everything until the item is back from the trash."""
    seen: list[Any] = []
    while "content.deleted" not in seen_types(seen) or seen_types(seen)[-1] != "content.restored":
        seen.append(await anext(events))
    return seen


def seen_types(events: list[Any]) -> list[str]:
    """What happened, in order."""
    return [event["type"] for event in events]


async def test_what_leaves_comes_in_again(studio: StudioClient):
    """An export is lines that an import takes, and takes once."""
    await written(studio, "One", "First.")
    lines = await studio.lines("exportContent")
    told = await studio.call("importContent", body=lines)

    assert lines[-1]["complete"]
    assert (told.body["imported"] + told.body["unchanged"], told.body["checksum"]) == (1, "right")


async def test_the_client_sends_nothing_undocumented(studio: StudioClient):
    """A client that sent anything would prove nothing."""
    with pytest.raises(Undocumented, match="no parameter colour"):
        await studio.call("listContent", {"colour": "red"})
    with pytest.raises(Undocumented, match="pageSize of listContent"):
        await studio.call("listContent", {"pageSize": 1000})
    with pytest.raises(Undocumented, match="a body that is sent"):
        await studio.call("createContent", body={"title": "no body"})
