"""Several daemons on one database are one service."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.oracle import eventually, listed
from tests.support.pairs import Pair, only_pair, pair
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["only_pair", "pair", "postgres_server"]

PATCHES = 30
SCHEDULED = 20


async def test_two_first_starts_at_once_make_one_schema_and_one_tenant(
    place: Path, postgres_server: EmbeddedPostgres
):
    """Whoever comes second finds everything made, and both serve."""
    async with fresh_database(postgres_server) as name:
        settings = {"ENGARDE_POSTGRES__DSN": postgres_server.dsn(database=name)}
        async with (
            cleared_away_after(Daemon(place / "data", environ=settings)) as one,
            cleared_away_after(Daemon(place / "data", environ=settings, log="2.log")) as other,
        ):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one.start)
                tasks.start_soon(other.start)

            assert len((await one.command("tenants", "list"))["tenants"]) == 1
            for daemon in (one, other):
                async with daemon.client() as http:
                    assert (await http.get("/api/content/quota")).status_code == 200


async def outbox_is_empty(dsn: str) -> bool:
    """Whether everything was delivered."""
    return bool(await ask(dsn, "select not exists (select from engarde.outbox)"))


async def ask(dsn: str, statement: str) -> Any:
    """Ask the database, past the daemons."""
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close(timeout=PATIENCE_S)


async def test_what_one_writes_the_other_shows_at_once(pair: Pair):
    """Creation, change and deletion are seen without waiting for any delivery."""
    async with pair.one.client() as one, pair.other.client() as other:
        made = (await one.post("/api/content", json={"title": "Seen", "body": "first"})).json()
        item = f"/api/content/{made['id']}"
        assert (await other.get(item)).json()["body"] == "first"

        assert (await other.patch(item, json={"body": "second"})).json()["version"] == 2
        assert (await one.get(item)).json()["body"] == "second"
        assert await listed(one) == await listed(other) == {made["id"]: "Seen"}

        assert (await one.delete(item)).status_code == 200
        assert (await other.get(item)).status_code == 404


async def test_changes_of_one_item_through_both_make_versions_without_a_gap(pair: Pair):
    """Each change is one version, and no version is given twice."""
    versions: list[int] = []
    async with pair.one.client() as one, pair.other.client() as other:
        made = (await one.post("/api/content", json={"title": "Both", "body": "0"})).json()

        async def change(http: httpx.AsyncClient, number: int) -> None:
            answer = await http.patch(f"/api/content/{made['id']}", json={"body": str(number)})
            assert answer.status_code == 200, answer.text
            versions.append(answer.json()["version"])

        async with anyio.create_task_group() as tasks:
            for number in range(PATCHES):
                tasks.start_soon(change, one if number % 2 else other, number)

    assert sorted(versions) == list(range(2, PATCHES + 2))


async def test_the_same_idempotency_key_at_both_makes_one_item(pair: Pair):
    """Whichever comes second shows what the first one made."""
    answers: list[httpx.Response] = []
    async with pair.one.client() as one, pair.other.client() as other:

        async def create(http: httpx.AsyncClient) -> None:
            answers.append(
                await http.post(
                    "/api/content",
                    json={"title": "Once", "body": "only"},
                    headers={"Idempotency-Key": "once"},
                )
            )

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(create, one if number % 2 else other)

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 19
        assert len(await listed(one)) == 1


@pytest.mark.parametrize("is_away", [False, True], ids=["running", "away"])
async def test_what_is_due_is_published_once_by_either(pair: Pair, *, is_away: bool):
    """Also when both were away at its moment, and come back at the same time."""
    due = datetime.now(UTC) + (timedelta(hours=1) if is_away else timedelta(seconds=2))
    item = {"body": "x", "status": "scheduled", "scheduled_at": due.isoformat()}
    items = {"items": [{"title": f"Due {number}", **item} for number in range(SCHEDULED)]}
    async with pair.one.client() as http:
        assert (await http.post("/api/content/bulk", json=items)).status_code == 201
    if is_away:
        await pair.one.stop()
        await pair.other.stop()
        await ask(
            pair.dsn, "update content_items set scheduled_at = scheduled_at - interval '2 hours'"
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pair.one.start)
            tasks.start_soon(pair.other.start)

    await eventually(lambda: all_are_published(pair.dsn))
    await eventually(lambda: outbox_is_empty(pair.dsn))
    versions = pair.archived()
    assert (len(versions), set(versions.values())) == (2 * SCHEDULED, {1})


async def all_are_published(dsn: str) -> bool:
    """Whether nothing waits for its moment any more."""
    return bool(await ask(dsn, "select bool_and(status <> 'scheduled') from content_items"))


async def test_what_a_killed_daemon_had_claimed_the_other_delivers(pair: Pair):
    """A claim ends with its lease, not with its owner."""
    async with pair.one.client() as one:
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                body = {"title": f"Item {number}", "body": "x" * 2000}
                tasks.start_soon(partial(one.post, "/api/content", json=body))
        await pair.one.kill()

    await eventually(lambda: outbox_is_empty(pair.dsn))
    async with pair.other.client() as other:
        assert len(await listed(other)) == 200
    archived = pair.archived()
    assert (len(archived), set(archived.values())) == (200, {1})


async def test_two_that_write_at_once_archive_each_version_once(pair: Pair):
    """One at a time has the turn, and both get theirs."""
    async with pair.one.client() as one, pair.other.client() as other:
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                http = one if number % 2 else other
                body = {"title": f"Item {number}", "body": "x" * 2000}
                tasks.start_soon(partial(http.post, "/api/content", json=body))
        await eventually(lambda: outbox_is_empty(pair.dsn))

    archived = pair.archived()
    assert (len(archived), set(archived.values())) == (200, {1})
