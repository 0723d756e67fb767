"""A plan's room is given out to the last byte and not one byte further, whoever runs for it."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from engarde_daemon.domain.plans import GB
from tests.faults.conftest import TINY_BYTES
from tests.support.hosting import HostDaemon
from tests.support.oracle import Oracle, superuser
from tests.support.running import Daemon

CLIENTS = 200
ROOM_FOR = 37
BODY = "ü" * 512
SIZE = 1024
LIMIT = TINY_BYTES
_USAGE = """
    select total_storage_bytes + total_media_storage_bytes + pending_bytes
    from content_storage_usage where tenant_id = $1
"""


@pytest.fixture
async def daemon(host: HostDaemon) -> HostDaemon:
    """A daemon that is visited by a tenant with a plan of 37 KiB."""
    await host.receive_guest("tiny")
    return host


async def put_on(daemon: Daemon, plan: str) -> None:
    """Change the tenant's plan, as an operator does."""
    await daemon.command("tenants", "set-plan", daemon.credentials.tenant_id, plan)


async def quota(http: httpx.AsyncClient) -> Any:
    """What the tenant is told of its plan."""
    answer = await http.get("/api/content/quota")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def create(http: httpx.AsyncClient, body: str) -> httpx.Response:
    """Ask for one more item."""
    return await http.post("/api/content", json={"title": "One more", "body": body})


@asynccontextmanager
async def usage_watched(daemon: Daemon) -> AsyncIterator[Counter[str]]:
    """Look at the committed usage again and again: it must never be above the limit."""
    looks: Counter[str] = Counter()

    async def watch() -> None:
        async with superuser(daemon) as sql:
            while True:
                used = await sql.fetchval(_USAGE, daemon.credentials.tenant_id)
                assert used <= LIMIT, f"{used} bytes used of {LIMIT}"
                looks["total"] += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        yield looks
        tasks.cancel_scope.cancel()
    assert looks["total"] > 0


async def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same time and give their answers in the same order."""
    answers: list[Any] = [None] * len(calls)

    async def make(place: int) -> None:
        answers[place] = await calls[place]()

    async with anyio.create_task_group() as tasks:
        for place in range(len(calls)):
            tasks.start_soon(make, place)
    return answers


async def test_as_many_are_admitted_as_there_is_room_for(daemon: Daemon):
    """200 clients want one place each, and there are 37."""
    async with daemon.client(connections=CLIENTS) as http:
        async with usage_watched(daemon):
            answers = await all_at_once([lambda: create(http, BODY)] * CLIENTS)
        told = await quota(http)

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {201: ROOM_FOR, 403: CLIENTS - ROOM_FOR}
    assert told["usage"]["total_content_items"] == ROOM_FOR
    assert told["usage"]["total_storage_bytes"] == LIMIT
    assert told["warning_level"] == "critical"
    await Oracle(daemon).books_are_right()


async def test_a_refusal_says_how_full_the_plan_is_and_what_to_do(daemon: Daemon):
    """The caller sees usage, limit, plan and the next larger plan."""
    async with daemon.client() as http:
        for _ in range(ROOM_FOR):
            assert (await create(http, BODY)).status_code == 201
        refused = await create(http, "x")

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["error"] == "storage_quota_exceeded"
    assert problem["current_usage_gb"] == problem["limit_gb"] == LIMIT / GB
    assert problem["plan_tier"] == "tiny"
    assert problem["upgrade_suggestion"] == "Upgrade to Free plan for 1 GB storage"


async def test_nobody_is_refused_who_would_have_fitted(daemon: Daemon, told_seed: str):
    """While room only shrinks, whoever was refused wants more than is left in the end."""
    chance = random.Random(told_seed)
    sizes = [chance.randint(1, 3 * SIZE) for _ in range(CLIENTS)]

    async with daemon.client(connections=CLIENTS) as http:
        async with usage_watched(daemon):
            answers = await all_at_once([partial(create, http, "x" * n) for n in sizes])
        told = await quota(http)

    admitted = [n for n, a in zip(sizes, answers, strict=True) if a.status_code == 201]
    refused = [n for n, a in zip(sizes, answers, strict=True) if a.status_code == 403]
    assert len(admitted) + len(refused) == CLIENTS
    assert told["usage"]["total_storage_bytes"] == sum(admitted) <= LIMIT
    assert min(refused) > LIMIT - sum(admitted)


async def test_writes_that_grow_shrink_and_free_never_pass_the_limit(
    daemon: Daemon, told_seed: str
):
    """Many clients change their own items under a limit that is full most of the time."""
    async with daemon.client(connections=40) as http:
        async with usage_watched(daemon):
            kept = await all_at_once(
                [partial(churn, http, random.Random(f"{told_seed}/{n}")) for n in range(40)]
            )
        told = await quota(http)

    assert told["usage"]["total_storage_bytes"] == sum(sum(sizes) for sizes in kept)
    await Oracle(daemon).books_are_right()


async def churn(http: httpx.AsyncClient, chance: random.Random) -> list[int]:
    """Create, change and delete for a while; answers with the sizes of what is left."""
    sizes: dict[str, int] = {}
    for _ in range(12):
        size = chance.randint(0, 4 * SIZE)
        if sizes and chance.random() < 0.2:
            content_id = chance.choice(list(sizes))
            assert (await http.delete(f"/api/content/{content_id}")).status_code == 200
            del sizes[content_id]
        elif sizes and chance.random() < 0.5:
            content_id = chance.choice(list(sizes))
            answer = await http.patch(f"/api/content/{content_id}", json={"body": "x" * size})
            assert answer.status_code == (200 if answer.is_success else 403)
            assert answer.is_success or size > sizes[content_id], "refused although it shrinks"
            sizes[content_id] = size if answer.is_success else sizes[content_id]
        else:
            answer = await create(http, "x" * size)
            if answer.status_code == 201:
                sizes[answer.json()["id"]] = size
    return list(sizes.values())


async def test_above_a_lowered_limit_only_growth_is_refused(daemon: Daemon):
    """Who used more than the new plan allows may go on with what there is, and make it smaller."""
    await put_on(daemon, "professional")
    async with daemon.client() as http:
        made = (await create(http, "x" * 2 * LIMIT)).json()
        other = (await create(http, "y" * LIMIT)).json()
        await put_on(daemon, "tiny")
        item = f"/api/content/{made['id']}"

        assert (await create(http, "z")).status_code == 403
        assert (await http.patch(item, json={"body": "x" * (2 * LIMIT + 1)})).status_code == 403
        assert (await http.patch(item, json={"title": "Renamed"})).status_code == 200
        assert (await http.patch(item, json={"body": "x" * (2 * LIMIT - 1)})).status_code == 200
        assert (await quota(http))["warning_level"] == "exceeded"
        assert (await http.delete(f"/api/content/{other['id']}")).status_code == 200
        assert (await quota(http))["usage"]["total_storage_bytes"] == 2 * LIMIT - 1
        assert (await create(http, "")).status_code == 201
