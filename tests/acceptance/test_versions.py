"""Versions: what each changed, the state it led to, and the way back to one."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import jsonpatch
import pytest

from tests.acceptance.content import created, quota
from tests.acceptance.histories import changed, got, history_of
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S

PATCH_TYPE = "application/json-patch+json"
ARTICLE = "\n".join(f"Line {number} of a long article." for number in range(2_000))
EDITS: list[dict[str, Any]] = [
    {"body": ARTICLE.replace("Line 7 of", "Line seven of")},
    {"title": "Better", "tags": ["b", "c"]},
    {"status": "published"},
    {"body": "Short now", "metadata": {"by": {"whom": ["me"]}}},
    {"status": "archived", "type": "document"},
]
SUMMARIES = [
    "type, status changed",
    "metadata changed; body +2 −12000 words",
    "status, published_at changed",
    "title, tags changed",
    "body +1 −1 words",
    "created",
]
KINDS = ["archive", "update", "publish", "update", "update", "create"]
RESTORED = ("title", "body", "type", "platforms", "tags", "hashtags", "mentions", "metadata")
_HOLD = """
    create function public.{name}() returns trigger language plpgsql as
    $$ begin new.leased_until := 'infinity'; return new; end $$;
    create trigger {name} before insert on engarde.outbox for each row
    when (new.tenant_id = '{tenant}' and new.destination = 'zerodb') execute function public.{name}()
"""
_LET_GO = "update engarde.outbox set leased_until = '-infinity' where tenant_id = $1"


class Held:
    """A tenant whose versions are not delivered until they are let go."""

    def __init__(self, daemon: SharedDaemon, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self._daemon = daemon
        self._tenant = tenant
        self._sql = sql

    async def let_go(self) -> None:
        """Let delivery have them, and wait until it is done."""
        await self._sql.execute(_LET_GO, self._tenant.tenant_id)
        await self._daemon.until_carried(self._tenant)


@pytest.fixture
async def held(daemon: SharedDaemon, tenant: Tenant, dsn: str) -> AsyncIterator[Held]:
    """Hold back what the test's tenant writes."""
    name = f"hold_{uuid.uuid4().hex}"
    sql = await asyncpg.connect(dsn, timeout=PATIENCE_S, command_timeout=20)
    await sql.execute(_HOLD.format(name=name, tenant=tenant.tenant_id))
    yield Held(daemon, tenant, sql)
    await sql.execute(f"drop function public.{name} cascade")
    await sql.execute(_LET_GO, tenant.tenant_id)
    await sql.close(timeout=PATIENCE_S)


async def edited(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """An item after each of its edits, the newest first."""
    states = [await created(http, body=ARTICLE, tags=["a", "b"], type="article")]
    for edit in EDITS:
        states.append(await changed(http, states[-1], **edit))
    return states[::-1]


async def everything(http: httpx.AsyncClient, item: dict[str, Any]) -> dict[str, Any]:
    """All that can be read of an item's versions."""
    url = history_of(item)
    page = await got(http, url)
    numbers = [version["version"] for version in page["data"]]
    return {
        "page": page,
        "versions": [await got(http, f"{url}/{n}") for n in numbers],
        "diffs": [
            await got(http, f"{url}/{n}/diff", against=m) for n in numbers for m in numbers[::2]
        ],
    }


def document_of(version: dict[str, Any]) -> dict[str, Any]:
    """The document that a diff applies to: the snapshot, its body as a list of lines."""
    snapshot = version["content_snapshot"]
    return {**snapshot, "content_body": snapshot["content_body"].split("\n")}


class TestBeforeAndAfterDelivery:
    """Five edits, told by the daemon that has them and by the store that got them."""

    async def test_versions_read_the_same_before_they_are_delivered_and_after(
        self, http: httpx.AsyncClient, held: Held
    ):
        """Whoever read them before need not read them again."""
        newest = (await edited(http))[0]
        before = await everything(http, newest)

        await held.let_go()

        assert await everything(http, newest) == before

    @pytest.mark.parametrize("delivered", [False, True])
    async def test_each_version_says_what_it_changed(
        self, http: httpx.AsyncClient, tenant: Tenant, held: Held, *, delivered: bool
    ):
        """In words, and by whom and when."""
        states = await edited(http)
        if delivered:
            await held.let_go()

        versions = (await got(http, history_of(states[0])))["data"]

        assert [version["version"] for version in versions] == [6, 5, 4, 3, 2, 1]
        assert [version["change_type"] for version in versions] == KINDS
        assert [version["changes_summary"] for version in versions] == SUMMARIES
        assert {version["changed_by"] for version in versions} == {tenant.user_id}
        assert [version["created_at"] for version in versions] == [
            state["updated_at"] for state in states
        ]

    @pytest.mark.parametrize("delivered", [False, True])
    async def test_each_version_shows_the_state_it_led_to(
        self, http: httpx.AsyncClient, held: Held, *, delivered: bool
    ):
        """As the item was answered when it was written."""
        states = await edited(http)
        if delivered:
            await held.let_go()

        for state in states:
            version = await got(http, f"{history_of(state)}/{state['version']}")
            snapshot = version["content_snapshot"]
            assert snapshot["content_body"] == state["body"]
            assert [snapshot[name] for name in ("title", "content_type", "status")] == [
                state[name] for name in ("title", "type", "status")
            ]
            assert snapshot["metadata"]["tags"] == state["tags"]
            assert snapshot["metadata"].get("metadata", {}) == state["metadata"]

    async def test_the_diffs_lead_from_each_version_to_each_other(
        self, http: httpx.AsyncClient, held: Held
    ):
        """Forwards and backwards, by any client that knows RFC 6902."""
        url = history_of((await edited(http))[0])
        await held.let_go()
        versions = {number: await got(http, f"{url}/{number}") for number in range(1, 7)}

        for target, version in versions.items():
            for source, other in versions.items():
                patch = await got(http, f"{url}/{target}/diff", against=source)
                assert jsonpatch.apply_patch(document_of(other), patch) == document_of(version)


class TestDiffs:
    """RFC 6902, small for small changes."""

    async def test_one_word_in_a_long_article_is_one_small_operation(self, http: httpx.AsyncClient):
        """The diff is sent as what it is."""
        item = await created(http, body=ARTICLE)
        await changed(http, item, body=ARTICLE.replace("Line 1000 of", "Line thousand of"))

        answer = await http.get(f"{history_of(item)}/2/diff")

        assert answer.headers["content-type"] == PATCH_TYPE
        assert answer.json() == [
            {
                "op": "replace",
                "path": "/content_body/1000",
                "value": "Line thousand of a long article.",
            }
        ]

    async def test_a_diff_is_against_the_version_before_unless_said_otherwise(
        self, http: httpx.AsyncClient
    ):
        """And equal to what the version says of itself."""
        item = await changed(http, await created(http), title="Second")
        await changed(http, item, title="Third")
        url = f"{history_of(item)}/3"

        version = await got(http, url)

        assert await got(http, f"{url}/diff") == version["diff_from_previous"]
        assert await got(http, f"{url}/diff", against=2) == version["diff_from_previous"]
        assert await got(http, f"{url}/diff", against=3) == []

    async def test_the_first_version_has_an_empty_diff(self, http: httpx.AsyncClient):
        """There was nothing before it."""
        item = await created(http)

        (version,) = (await got(http, history_of(item)))["data"]

        assert version["diff_from_previous"] == []


class TestPages:
    """The newest first, a page at a time."""

    async def test_cursors_lead_through_all_versions_once(self, http: httpx.AsyncClient):
        """Also while the item goes on changing."""
        item = await created(http)
        for number in range(2, 8):
            await changed(http, item, title=f"Title {number}")
        met, cursor = [], None
        while True:
            params = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
            page = await got(http, history_of(item), **params)
            met += [version["version"] for version in page["data"]]
            cursor = page["pagination"]["nextCursor"]
            assert page["pagination"]["hasNext"] is (cursor is not None)
            if cursor is None:
                break
            await changed(http, item, title="Newer still")

        assert met == [7, 6, 5, 4, 3, 2, 1]

    @pytest.mark.usefixtures("held")
    async def test_the_last_of_a_page_is_compared_with_the_first_of_the_next(
        self, http: httpx.AsyncClient
    ):
        """A page is cut, the history is not."""
        item = await changed(http, await created(http), title="Second")

        page = await got(http, history_of(item), limit=1)

        assert page["data"][0]["changes_summary"] == "title changed"

    async def test_a_page_of_large_bodies_is_shorter_than_wanted(self, http: httpx.AsyncClient):
        """Telling a version takes its body, and only so many fit into memory."""
        item = await created(http, body="1" * 7_000_000)
        for digit in "23":
            await changed(http, item, body=digit * 7_000_000)

        first = await got(http, history_of(item), limit=3)
        cursor = first["pagination"]["nextCursor"]
        second = await got(http, history_of(item), limit=3, cursor=cursor)

        assert [version["version"] for version in first["data"]] == [3, 2]
        assert [version["version"] for version in second["data"]] == [1]

    async def test_only_one_version_has_its_whole_state(self, http: httpx.AsyncClient):
        """A page tells what changed."""
        item = await created(http)

        (version,) = (await got(http, history_of(item)))["data"]

        assert version.keys() == {
            "version",
            "change_type",
            "changed_by",
            "changes_summary",
            "diff_from_previous",
            "created_at",
        }
        assert (await got(http, f"{history_of(item)}/1")).keys() - version.keys() == {
            "content_snapshot"
        }


class TestRestoring:
    """The way back is a way forward."""

    @pytest.mark.parametrize("delivered", [False, True])
    async def test_a_restored_version_is_the_newest(
        self, http: httpx.AsyncClient, held: Held, *, delivered: bool
    ):
        """The item has its content again, and is answered as after a change."""
        states = await edited(http)
        newest, first = states[0], states[-1]
        if delivered:
            await held.let_go()

        answer = await http.post(f"{history_of(newest)}/1/restore", headers={"If-Match": '"6"'})

        assert answer.status_code == 200, answer.text
        restored = answer.json()
        assert (restored["version"], answer.headers["etag"]) == (7, '"7"')
        assert {name: restored[name] for name in RESTORED} == {n: first[n] for n in RESTORED}
        assert (restored["status"], restored["published_at"]) == (
            newest["status"],
            newest["published_at"],
        )
        await held.let_go()
        read = await got(http, f"/api/content/{newest['id']}")
        assert {name: read[name] for name in RESTORED} == {n: first[n] for n in RESTORED}

    async def test_a_restore_is_told_like_every_change(self, http: httpx.AsyncClient):
        """With the version it goes back to."""
        item = await changed(http, await created(http, body="one two"), title="Other", body="one")

        await http.post(f"{history_of(item)}/1/restore")

        version = (await got(http, history_of(item)))["data"][0]
        assert version["change_type"] == "restore"
        assert version["changes_summary"] == (
            "restored from version 1: title changed; body +1 words"
        )
        assert version["diff_from_previous"] == [
            {"op": "replace", "path": "/title", "value": "A title"},
            {"op": "replace", "path": "/content_body/0", "value": "one two"},
        ]

    async def test_the_size_of_what_is_restored_is_counted(self, http: httpx.AsyncClient):
        """No more and no less."""
        item = await changed(http, await created(http, body="x" * 100), body="x")

        await http.post(f"{history_of(item)}/1/restore")

        assert (await quota(http))["usage"]["total_storage_bytes"] == 100

    async def test_a_deletion_and_an_undelete_are_versions_too(self, http: httpx.AsyncClient):
        """They say what happened, not which field it happened in."""
        item = await created(http)
        await http.delete(f"/api/content/{item['id']}")
        await http.post(f"/api/content/{item['id']}/restore")

        versions = (await got(http, history_of(item)))["data"]

        assert [(version["change_type"], version["changes_summary"]) for version in versions] == [
            ("restore", "restored from the trash"),
            ("delete", "deleted"),
            ("create", "created"),
        ]
