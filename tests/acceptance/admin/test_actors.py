"""An operator sees the actors and steers them, and nobody else does."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import created, draft, problem_of
from tests.support.daemon import SharedDaemon
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def steersman(steered: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An operator of the daemon that may be steered."""
    key = steered.new_key(await steered.quick_tenant(), "operator")
    async with steered.caller(key.api_key) as http:
        yield http


async def actor(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """One actor as the list shows it."""
    answer = await http.get("/api/admin/actors")
    assert answer.status_code == 200, answer.text
    (found,) = [view for view in answer.json()["data"] if view["name"] == name]
    return dict(found)


@pytest.mark.parametrize("verb", ["pause", "resume", "restart"])
async def test_what_is_not_there_cannot_be_steered(operator: httpx.AsyncClient, verb: str):
    """Nor can a supervisor, or the edge that would have to answer."""
    problem_of(await operator.post(f"/api/admin/actors/nobody/{verb}"), 404)
    problem_of(await operator.post(f"/api/admin/actors/pipelines/{verb}"), 409)
    problem_of(await operator.post(f"/api/admin/actors/edge/{verb}"), 409)


@pytest.mark.parametrize("path", ["/api/admin/actors", "/api/admin/tenants"])
async def test_only_operators_may(daemon: SharedDaemon, path: str):
    """The administrator of a tenant is not one."""
    key = daemon.new_key(await daemon.quick_tenant(), "admin")
    async with daemon.caller(key.api_key) as admin:
        problem_of(await admin.get(path), 403)


async def test_the_tree_is_shown_parents_first(operator: httpx.AsyncClient):
    """With the state of each."""
    views = (await operator.get("/api/admin/actors")).json()["data"]

    assert [view["path"] for view in views[:2]] == ["root", "root/ledger"]
    assert {view["status"] for view in views} == {"running"}
    kinds = {view["name"]: view["kind"] for view in views}
    assert (kinds["root"], kinds["pipelines"], kinds["edge"]) == (
        "supervisor",
        "supervisor",
        "actor",
    )


async def test_a_paused_actor_goes_on_where_it_was(steersman: httpx.AsyncClient):
    """A write waits for it, and is done when it is resumed."""
    paused = (await steersman.post("/api/admin/actors/ingest/pause")).json()
    assert paused["status"] == "paused"
    answers = []

    async def write() -> None:
        answers.append(await steersman.post("/api/content", json=draft()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        with anyio.fail_after(PATIENCE_S):
            while (await actor(steersman, "ingest"))["depth"] == 0:
                pass
        resumed = (await steersman.post("/api/admin/actors/ingest/resume")).json()

    assert resumed["status"] == "running"
    assert [answer.status_code for answer in answers] == [201]


async def test_a_restarted_actor_serves_as_before(steersman: httpx.AsyncClient):
    """Alone: its neighbours stay as they are."""
    answer = await steersman.post("/api/admin/actors/delivery/restart")

    assert answer.status_code == 202, answer.text
    with anyio.fail_after(PATIENCE_S):
        while (await actor(steersman, "delivery"))["status"] != "running":
            pass
    await created(steersman)
