"""An operator ends and repeats jobs of tenants whose keys the operator does not have."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from tests.acceptance.access.test_audit import holding
from tests.acceptance.content import problem_of
from tests.acceptance.generation.test_jobs import JOBS, started, until
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.importing import SPACES, ended, new_space
from tests.support.patience import PATIENCE_S

ADMIN = "/api/admin/jobs"
NOBODYS = "01a20577-0000-7000-8000-000000000000"
_ELSEWHERE = """
insert into engarde.recovery_jobs (id, kind, wish, ordered_by, state, leased_until)
values ($1, 'migrate', '{}', '', 'running', 'infinity')
"""


async def live_import(operator: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    """The one import of a tenant, as operators find it."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            query = {"tenant_id": tenant.tenant_id, "status": "live"}
            found = (await operator.get(ADMIN, params=query)).json()["data"]
            if found:
                (job,) = found
                return dict(job)
            await anyio.sleep(0.05)


async def strict_about(daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """The id of a batch of four that has failed in two pieces: the brand forbids to speak of tea."""
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as admin:
        voice = {"banned_phrases": ["tea"]}
        put = await admin.put(f"/api/brands/{tenant.brand_id}/voice", json=voice)
        assert put.status_code == 200, put.text
    return await started(http, count=4, brand_adherence={"level": "STRICT"})


@pytest.fixture
async def elsewhere(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """The database, with a migration that another daemon is busy with for ever."""
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S, command_timeout=10)
    await link.execute(_ELSEWHERE, NOBODYS)
    try:
        yield link
    finally:
        await link.execute("delete from engarde.recovery_jobs where id = $1", NOBODYS)
        await link.close(timeout=PATIENCE_S)


@pytest.mark.parametrize("order", ["cancel", "retry"])
@pytest.mark.parametrize("job_id", [NOBODYS, "no-id", "%00"])
async def test_a_job_that_is_none_is_not_found(
    operator: httpx.AsyncClient, order: str, job_id: str
):
    """Whatever its id looks like."""
    problem_of(await operator.post(f"{ADMIN}/{job_id}/{order}"), 404)


async def test_a_batch_of_another_tenant_is_cancelled(
    operator: httpx.AsyncClient, http: httpx.AsyncClient, tenant: Tenant
):
    """The tenant sees it cancelled, and has what was made and the room for the rest."""
    job_id = await started(http, count=5, preview=2)
    await until(http, job_id, "awaiting_approval")

    cancelled = await operator.post(f"{ADMIN}/{job_id}/cancel")
    again = await operator.post(f"{ADMIN}/{job_id}/cancel")
    seen = await until(http, job_id, "cancelled")

    assert cancelled.json() == {
        "id": job_id,
        "kind": "generation",
        "tenant_id": tenant.tenant_id,
        "state": "cancelled",
    }
    assert (again.status_code, again.json()) == (200, cancelled.json())
    assert len(seen["generated_content_ids"]) == 2
    assert (await http.get("/api/content/quota")).json()["usage"]["reserved_bytes"] == 0


async def test_what_an_operator_orders_is_written_down(
    operator: httpx.AsyncClient, http: httpx.AsyncClient
):
    """In the operator's own log, with the job's id."""
    job_id = await started(http, count=1)
    await operator.post(f"{ADMIN}/{job_id}/cancel")

    entries = await holding(operator, {"cancelJob"})

    assert [one["subject_id"] for one in entries if one["operation"] == "cancelJob"] == [job_id]


async def test_a_batch_that_is_through_is_neither_cancelled_nor_retried(
    operator: httpx.AsyncClient, http: httpx.AsyncClient
):
    """The reason is said."""
    job_id = await started(http, count=1)
    await until(http, job_id, "completed")

    cancelled = problem_of(await operator.post(f"{ADMIN}/{job_id}/cancel"), 409)
    retried = problem_of(await operator.post(f"{ADMIN}/{job_id}/retry"), 409)

    assert cancelled["detail"] == "The job has ended already."
    assert retried["detail"] == "No item of the job failed; there is nothing to retry."


async def test_only_failed_pieces_of_a_batch_are_made_once_more(
    daemon: SharedDaemon, operator: httpx.AsyncClient, http: httpx.AsyncClient, tenant: Tenant
):
    """What was made stays, each under its id."""
    job_id = await strict_about(daemon, tenant, http)
    first = await until(http, job_id, "completed")
    items = (await http.get(f"{JOBS}/{job_id}/items?state=stored")).json()["data"]

    retried = await operator.post(f"{ADMIN}/{job_id}/retry")
    with anyio.fail_after(PATIENCE_S):
        while (await until(http, job_id, "completed"))["completed_at"] == first["completed_at"]:
            await anyio.sleep(0.05)
    last = await until(http, job_id, "completed")

    assert (retried.status_code, retried.json()["tenant_id"]) == (202, tenant.tenant_id)
    assert first["items"] == last["items"] == {"failed": 2, "stored": 2}
    assert last["generated_content_ids"] == first["generated_content_ids"]
    assert (await http.get(f"{JOBS}/{job_id}/items?state=stored")).json()["data"] == items


async def test_an_import_is_found_and_cancelled_while_its_export_is_uploaded(
    operator: httpx.AsyncClient, http: httpx.AsyncClient, tenant: Tenant
):
    """Whoever uploads is told so, and nothing becomes content."""
    space_id = await new_space(http)
    cancelled = anyio.Event()
    refused: list[httpx.Response] = []

    async def export() -> AsyncIterator[bytes]:
        yield b'{"external_id": "a1"}\n'
        await cancelled.wait()
        yield b'{"external_id": "a2"}\n'

    async def upload() -> None:
        refused.append(await http.post(f"{SPACES}/{space_id}/import-file", content=export()))

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upload)
            job = await live_import(operator, tenant)
            answer = await operator.post(f"{ADMIN}/{job['id']}/cancel")
            cancelled.set()
    last = await ended(http, job["id"])

    assert (job["kind"], job["state"], job["failed"]) == ("import", "receiving", 0)
    assert (answer.json()["kind"], answer.json()["state"]) == ("import", "cancelled")
    assert "cancelled" in problem_of(refused[0], 409)["detail"]
    assert (last["status"], last["imported"]) == ("cancelled", 0)
    again = problem_of(await operator.post(f"{ADMIN}/{job['id']}/retry"), 409)
    assert "imported again" in again["detail"]


async def test_a_recovery_job_is_cancelled_by_the_same_route(
    operator: httpx.AsyncClient, elsewhere: asyncpg.Connection
):
    """Whoever is busy with it is told to end; it is no job to be retried."""
    asked = "select cancel_requested from engarde.recovery_jobs where id = $1"

    answer = await operator.post(f"{ADMIN}/{NOBODYS}/cancel")
    retried = problem_of(await operator.post(f"{ADMIN}/{NOBODYS}/retry"), 409)

    assert (answer.status_code, answer.json()["kind"]) == (200, "migrate")
    assert await elsewhere.fetchval(asked, NOBODYS) is True
    assert "order another" in retried["detail"]


async def test_a_recovery_job_that_is_through_is_not_cancelled(
    operator: httpx.AsyncClient, elsewhere: asyncpg.Connection
):
    """Unlike one that was cancelled before."""
    over = "update engarde.recovery_jobs set state = $2, finished_at = now() where id = $1"
    await elsewhere.execute(over, NOBODYS, "completed")
    problem_of(await operator.post(f"{ADMIN}/{NOBODYS}/cancel"), 409)

    await elsewhere.execute(over, NOBODYS, "cancelled")

    assert (await operator.post(f"{ADMIN}/{NOBODYS}/cancel")).json()["state"] == "cancelled"


async def test_a_read_only_key_steers_no_job(daemon: SharedDaemon, http: httpx.AsyncClient):
    """Though it is an operator's."""
    made = daemon.command(
        "keys", "create", "--tenant", (await daemon.quick_tenant()).tenant_id,
        "--role", "operator", "--read-only",
    )  # fmt: skip
    job_id = await started(http, count=1)
    async with daemon.caller(made["api_key"]) as watcher:
        for order in ("cancel", "retry"):
            problem_of(await watcher.post(f"{ADMIN}/{job_id}/{order}"), 403)
