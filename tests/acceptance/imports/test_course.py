"""What an import may be told, and what it tells."""

import json
from typing import Any

import anyio
import httpx

from tests.acceptance.content import problem_of
from tests.acceptance.imports.conftest import Fair
from tests.acceptance.imports.test_exports import lines
from tests.support.daemon import SharedDaemon
from tests.support.importing import IMPORTS, SPACES, ended, items_of, new_space, uploaded
from tests.support.patience import PATIENCE_S

EVIL = [
    "http://127.0.0.1/a.png",
    "http://[::1]/a.png",
    "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/a.png",
    "http://0x7f000001/a.png",
    "http://127.1/a.png",
    "http://[::ffff:127.0.0.1]/a.png",
    "http://10.0.0.1/a.png",
    "http://localhost/a.png",
    "http://db.internal/a.png",
    "http://user:password@example.com/a.png",
    "http://example.com:5432/a.png",
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "gopher://example.com/a.png",
]


async def test_no_address_of_ours_is_ever_fetched(daemon: SharedDaemon, http: httpx.AsyncClient):
    """Each fails its asset alone, with a reason, and nothing becomes content."""
    del daemon
    space_id = await new_space(http)
    rows = [{"external_id": f"a{n}", "media_urls": [url]} for n, url in enumerate(EVIL)]
    job = await ended(http, (await uploaded(http, space_id, lines(*rows)))["import_job_id"])
    items = await items_of(http, job["import_job_id"])

    assert (job["status"], job["failed"]) == ("failed", len(EVIL))
    assert {one["reason"] for one in items if not one["reason"].startswith("The URL must")} == set()
    assert (await http.get("/api/content")).json()["data"] == []
    assert (await http.get("/api/media")).json()["data"] == []


async def test_a_cancel_keeps_what_is_there_and_ends_the_rest(
    fair: Fair, importer: httpx.AsyncClient
):
    """What is under way is finished; the rest was never begun."""
    fair.pictures.gate = anyio.Event()
    space_id = await new_space(importer)
    rows = [{"external_id": f"a{n}", "media_urls": [f"{fair.url}/{n}.png"]} for n in range(60)]
    made = await uploaded(importer, space_id, lines(*rows))
    job_url = f"{IMPORTS}/{made['import_job_id']}"
    with anyio.fail_after(PATIENCE_S):
        while not fair.pictures.asked:
            await anyio.sleep(0.02)
    cancelled = await importer.post(f"{job_url}/cancel")
    fair.pictures.gate.set()
    job = await ended(importer, made["import_job_id"])
    states = [one["state"] for one in await items_of(importer, made["import_job_id"])]
    content = (await importer.get("/api/content", params={"pageSize": 100})).json()["data"]

    assert cancelled.json()["status"] == "cancelled"
    assert job["status"] == "cancelled"
    assert job["imported"] == states.count("imported") == len(content) < 60
    assert states.count("cancelled") == 60 - job["imported"]
    assert (await importer.post(f"{job_url}/cancel")).status_code == 200


async def test_an_import_that_ended_is_not_cancelled(importer: httpx.AsyncClient):
    """It is too late, and said so."""
    made = await uploaded(importer, await new_space(importer), lines({"external_id": "a"}))
    await ended(importer, made["import_job_id"])

    problem_of(await importer.post(f"{IMPORTS}/{made['import_job_id']}/cancel"), 409)


async def test_the_end_of_an_import_is_an_event(importer: httpx.AsyncClient):
    """Listeners and webhooks hear of it, with the counts."""
    seen: list[str] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with importer.stream("GET", "/api/events?types=import.*") as stream:
            task_status.started()
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    seen.append(line)
                    return

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            await tasks.start(listen)
            space_id = await new_space(importer)
            made = await uploaded(importer, space_id, lines({"external_id": "a"}))

    document = json.loads(seen[0][6:])
    data: dict[str, Any] = document["data"]
    assert document["type"] == "import.completed"
    assert data["import_job_id"] == made["import_job_id"]
    assert (data["imported"], data["campaign_space_id"]) == (1, space_id)


async def test_a_full_plan_fails_assets_and_says_so(daemon: SharedDaemon):
    """Nothing is stored past the plan's limit."""
    tenant = daemon.new_tenant("tiny")
    async with daemon.caller((daemon.new_key(tenant)).api_key) as http:
        rows = [{"external_id": f"a{n}", "text": "x" * 4000} for n in range(5)]
        space_id = await new_space(http)
        job = await ended(http, (await uploaded(http, space_id, lines(*rows)))["import_job_id"])
        usage = (await http.get("/api/content/quota")).json()["usage"]

    assert (job["imported"], job["failed"]) == (2, 3)
    assert "plan" in job["errors"][0]["reason"].lower()
    assert usage["reserved_bytes"] == 0


async def test_the_same_request_twice_is_one_import(fair: Fair, importer: httpx.AsyncClient):
    """By its key; another request under the key is refused."""
    del fair
    space_id = await new_space(importer, "meta")
    url = f"{SPACES}/{space_id}/import-content"
    wish = {"platform": "meta", "external_campaign_id": "7001"}
    key = {"Idempotency-Key": "k"}
    first = await importer.post(url, json=wish, headers=key)
    await ended(importer, first.json()["import_job_id"])
    second = await importer.post(url, json=wish, headers=key)
    third = await importer.post(url, json={**wish, "import_performance": False}, headers=key)

    assert first.json()["import_job_id"] == second.json()["import_job_id"]
    assert second.headers["idempotent-replayed"] == "true"
    problem_of(third, 422)


async def test_dates_that_are_no_span_are_refused(fair: Fair, importer: httpx.AsyncClient):
    """Those in the wrong order, and all of time; and so is an export that is asked for as if it had an API."""
    del fair
    url = f"{SPACES}/{await new_space(importer)}/import-content"
    days = {"date_range": {"start": "2026-02-01", "end": "2026-01-01"}}
    backwards = {"platform": "meta", "external_campaign_id": "1", "import_options": days}
    ages = {"date_range": {"start": "0001-01-01", "end": "9999-12-31"}}
    endless = {"platform": "meta", "external_campaign_id": "1", "import_options": ages}

    assert "date_range.end" in problem_of(await importer.post(url, json=backwards), 422)["detail"]
    assert "1150 days" in problem_of(await importer.post(url, json=endless), 422)["detail"]
    problem_of(await importer.post(url, json={"platform": "file"}), 422)
