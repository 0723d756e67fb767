"""Who did what: each write, and each look at what only administrators see."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import House, running
from tests.acceptance.content import created, draft, fields_of, problem_of
from tests.support.daemon import SharedDaemon
from tests.support.patience import PATIENCE_S

LOOK_S = 0.05


async def log_of(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """A page of the audit log."""
    answer = await http.get("/api/audit", params=params)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["data"]
    return entries


async def written(http: httpx.AsyncClient, count: int, **params: Any) -> list[dict[str, Any]]:
    """The log, once it holds so many entries."""
    with anyio.fail_after(PATIENCE_S):
        while len(entries := await log_of(http, **params)) < count:
            await anyio.sleep(LOOK_S)
    assert len(entries) == count, entries
    return entries


async def holding(http: httpx.AsyncClient, wanted: set[str]) -> list[dict[str, Any]]:
    """The log, once it holds these operations."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            entries = await log_of(http)
            if wanted <= {entry["operation"] for entry in entries}:
                return entries
            await anyio.sleep(LOOK_S)


@pytest.fixture
async def editor(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A user with a token, who edits."""
    async with house.member(first="member") as http:
        yield http


async def test_a_write_is_written_down(house: House, admin: httpx.AsyncClient):
    """Who, in which role, what, on what, how it ended, when, under which id, from where."""
    user_id = await house.user(first="member")
    async with house.bearer(house.token(user_id)) as http:
        answer = await http.post(
            "/api/content", json=draft(), headers={"X-Request-ID": "the-request"}
        )

    (entry,) = await written(admin, 1, operation="createContent")
    at = datetime.fromisoformat(entry.pop("at"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert entry.pop("id")
    assert entry.pop("principal_id") != user_id
    assert entry == {
        "user_id": user_id,
        "role": "editor",
        "operation": "createContent",
        "subject_id": answer.json()["id"],
        "status": 201,
        "request_id": "the-request",
        "address": "127.0.0.1",
    }


async def test_what_was_refused_is_written_down_too(
    house: House, admin: httpx.AsyncClient, editor: httpx.AsyncClient
):
    """Attempts are what one looks for."""
    viewer_key = house.daemon.new_key(house.tenant, "viewer").api_key
    async with house.daemon.caller(viewer_key) as viewer:
        problem_of(await viewer.delete("/api/content/some-id"), 403)
    await editor.patch("/api/content/some-id", json={"title": "x"})
    await editor.post("/api/content", json={"title": 7})

    entries = await written(admin, 3, status_from=400)
    seen = {(e["operation"], e["subject_id"], e["status"], e["role"]) for e in entries}
    assert seen == {
        ("deleteContent", "some-id", 403, "viewer"),
        ("updateContent", "some-id", 404, "editor"),
        ("createContent", None, 422, "editor"),
    }


async def test_reads_of_content_are_not_written_down(
    admin: httpx.AsyncClient, editor: httpx.AsyncClient
):
    """Only writes, and reads of what administrators alone see."""
    made = await created(editor)
    await editor.get("/api/content")
    await editor.get(f"/api/content/{made['id']}")
    await admin.get("/api/keys")

    seen = {entry["operation"] for entry in await holding(admin, {"createContent", "listKeys"})}
    assert seen <= {"createContent", "listKeys", "listAudit"}


async def test_the_log_of_another_tenant_is_not_shown(
    house: House, admin: httpx.AsyncClient, editor: httpx.AsyncClient
):
    """Whatever is filtered by."""
    made = await created(editor)
    await written(admin, 1, subject_id=made["id"])
    stranger = house.daemon.new_key(house.daemon.new_tenant(), "admin").api_key
    async with house.daemon.caller(stranger) as http:
        assert await log_of(http, subject_id=made["id"]) == []
        assert await log_of(http, operation="createContent") == []


async def test_the_log_is_found_by_what_one_knows(
    house: House, admin: httpx.AsyncClient, editor: httpx.AsyncClient
):
    """Filters hold together."""
    first, second = await created(editor), await created(editor)
    await editor.delete(f"/api/content/{first['id']}")
    (gone,) = await written(admin, 1, operation="deleteContent")
    user_id = gone["user_id"]

    assert len(await log_of(admin, subject_id=first["id"])) == 2
    assert len(await log_of(admin, subject_id=second["id"])) == 1
    assert len(await log_of(admin, user_id=user_id)) == 3
    assert (
        len(await log_of(admin, principal_id=gone["principal_id"], operation="createContent")) == 2
    )
    assert len(await log_of(admin, request_id=gone["request_id"])) == 1
    assert await log_of(admin, user_id=user_id, status_from=400) == []
    assert await log_of(admin, user_id=user_id, date_to="2020-01-01T00:00:00Z") == []
    assert len(await log_of(admin, user_id=user_id, date_from="2020-01-01T00:00:00Z")) == 3


async def test_pages_show_everything_once_and_the_newest_first(
    admin: httpx.AsyncClient, editor: httpx.AsyncClient
):
    """By cursor, while more is written."""
    ids = [(await created(editor))["id"] for _ in range(7)]
    await written(admin, 7, operation="createContent")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"operation": "createContent", "pageSize": "3", "cursor": cursor}
        page = (await admin.get("/api/audit", params=params)).json()
        seen += [entry["subject_id"] for entry in page["data"]]
        cursor = page["pagination"]["nextCursor"]
        assert page["pagination"]["hasNext"] is (cursor is not None)

    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"cursor": "x"}, {"cursor"}),
        ({"pageSize": "0"}, {"pageSize"}),
        ({"pageSize": "101", "status_from": "7"}, {"pageSize", "status_from"}),
        ({"date_from": "yesterday"}, {"date_from"}),
        ({"tenant_id": "another"}, {"tenant_id"}),
        ({"operation": "\x00"}, {"operation"}),
    ],
)
async def test_a_question_that_makes_no_sense_is_named(
    admin: httpx.AsyncClient, params: dict[str, str], wrong: set[str]
):
    """422 with the parameters."""
    assert fields_of(await admin.get("/api/audit", params=params)) == wrong


@pytest.mark.parametrize("content_id", ["%00", "a" * 300, "%ff", "%F0%9F%8C%B1"])
async def test_an_id_of_nothing_harms_nobody(
    house: House, admin: httpx.AsyncClient, content_id: str
):
    """What a path holds is cut to what an id may be before it is written."""
    await admin.delete(f"/api/content/{content_id}")
    (entry,) = await written(admin, 1, operation="deleteContent")

    assert entry["subject_id"] is None or len(entry["subject_id"]) <= 100


async def test_what_was_answered_before_a_stop_is_in_the_log(postgres_server: EmbeddedPostgres):
    """A polite stop writes what is left."""
    async with running(postgres_server) as daemon:
        tenant = daemon.new_tenant()
        async with daemon.caller(daemon.new_key(tenant).api_key) as http:
            for _ in range(20):
                await created(http)
        assert await daemon.process.stop() == 0
        assert await _entries(daemon) == 20
        await daemon.process.start()


async def test_entries_too_old_are_forgotten(postgres_server: EmbeddedPostgres):
    """After `[audit] keep_days`."""
    async with running(postgres_server, ENGARDE_AUDIT__KEEP_DAYS="30") as daemon:
        tenant = daemon.new_tenant()
        async with daemon.caller(daemon.new_key(tenant).api_key) as http:
            await created(http)
            assert await daemon.process.stop() == 0
            await _age(daemon, days=31)
            await daemon.process.start()
            with anyio.fail_after(PATIENCE_S):
                while await _entries(daemon):
                    await anyio.sleep(LOOK_S)


async def test_the_daemons_writer_cannot_change_what_was_written(house: House):
    """Not even by mistake: it may add and remove, not alter."""
    link = await asyncpg.connect(house.daemon.dsn, timeout=PATIENCE_S)
    try:
        await link.execute("set role engarde_actor")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute("update engarde.audit_log set status = 200")
    finally:
        await link.close(timeout=PATIENCE_S)


async def _entries(daemon: SharedDaemon) -> int:
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:
        return int(await link.fetchval("select count(*) from engarde.audit_log"))
    finally:
        await link.close(timeout=PATIENCE_S)


async def _age(daemon: SharedDaemon, *, days: int) -> None:
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:
        await link.execute("update engarde.audit_log set at = at - make_interval(days => $1)", days)
    finally:
        await link.close(timeout=PATIENCE_S)
