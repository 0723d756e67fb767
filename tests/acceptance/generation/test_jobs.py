"""Batches on the embedded defaults: the template model writes, everything else is the real thing."""

from typing import Any

import anyio
import httpx
import pytest

from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S

BATCH = "/api/content/generate-batch"
JOBS = "/api/content/generation-jobs"
LONG = {"prompt_template": "{topic}" * 1000, "topics": ["t" * 500]}
PARAMS = {"prompt_template": "A post about {topic}", "topics": ["summer", "tea"]}


def wish(count: int = 4, **other: Any) -> dict[str, Any]:
    """A request for a batch."""
    return {"target_count": count, "generation_params": PARAMS, **other}


async def started(http: httpx.AsyncClient, **other: Any) -> str:
    """The id of a job that was accepted."""
    answer = await http.post(BATCH, json=wish(**other))
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def until(http: httpx.AsyncClient, job_id: str, phase: str) -> dict[str, Any]:
    """The job, once it is in a phase."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            job: dict[str, Any] = (await http.get(f"{JOBS}/{job_id}")).json()
            if job["phase"] == phase:
                return job
            await anyio.sleep(0.05)


async def test_the_request_of_the_architecture(http: httpx.AsyncClient):
    """Field for field, and fifty posts come of it."""
    answer = await http.post(
        BATCH,
        json={
            "job_type": "social_media_posts",
            "content_type": "post",
            "target_count": 50,
            "platforms": ["instagram", "facebook"],
            "generation_params": {
                "model": "template",
                "temperature": 0.7,
                "prompt_template": "Create engaging social media post about {topic}",
                "topics": ["summer", "product launch", "customer testimonials"],
                "tone": "professional",
                "include_hashtags": True,
                "include_emojis": True,
            },
            "brand_adherence": {
                "level": "MODERATE",
                "enforce_brand_voice": True,
                "check_compliance": True,
            },
        },
    )
    made = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{JOBS}/{made['job_id']}"
    assert set(made) == {
        "job_id",
        "status",
        "target_count",
        "progress",
        "estimated_completion_time",
        "estimated_storage_bytes",
        "estimated_cost_usd",
        "quota_check",
        "created_at",
    }
    assert made["estimated_storage_bytes"] == 204_800
    assert set(made["quota_check"]) == {
        "current_usage_gb",
        "limit_gb",
        "projected_usage_gb",
        "within_limit",
    }

    job = await until(http, made["job_id"], "completed")
    assert (job["status"], job["progress"], job["progress_percent"]) == ("completed", 50, 100)
    assert len(set(job["generated_content_ids"])) == 50
    assert (job["total_cost_usd"], job["error_message"]) == (0.0, None)
    item = (await http.get(f"/api/content/{job['generated_content_ids'][1]}")).json()
    assert item["title"] == "Product launch, no. 2"
    assert item["body"].startswith("[template] ")
    assert (item["status"], item["hashtags"]) == ("draft", ["#ProductLaunch"])
    assert item["metadata"]["ai_generation"]["generation_id"] == made["job_id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"target_count": 0}, "target_count"),
        ({"target_count": 10_001}, "target_count"),
        ({"generation_params": {**PARAMS, "prompt_template": "{unknown}"}}, "prompt_template"),
        ({"generation_params": LONG}, "prompt_template"),
        ({"generation_params": {**PARAMS, "variables": {"number": "many"}}}, "variables"),
        ({"generation_params": {**PARAMS, "surprise": 1}}, "generation_params"),
        ({"generation_params": {**PARAMS, "provider": "nobody"}}, "provider"),
        ({"generation_params": {**PARAMS, "model": "gpt-4"}}, "model"),
        ({"brand_adherence": {"level": "moderate"}}, "brand_adherence"),
        ({"preview": 4}, "preview"),
    ],
)
async def test_a_wish_that_cannot_be_fulfilled_is_refused(
    http: httpx.AsyncClient, change: dict[str, Any], field: str
):
    """Before anything is called; the field is named."""
    answer = await http.post(BATCH, json={**wish(), **change})

    assert answer.status_code == 422
    assert field in answer.json()["errors"][0]["field"]


async def test_a_dry_run_makes_nothing(http: httpx.AsyncClient):
    """It shows prompts and an estimate."""
    answer = await http.post(f"{BATCH}?dry_run=true", json=wish(5))
    told = answer.json()

    assert answer.status_code == 200
    assert [prompt["user"] for prompt in told["prompts"]] == [
        "A post about ⟦summer⟧",
        "A post about ⟦tea⟧",
        "A post about ⟦summer⟧",
    ]
    assert told["estimated_cost_usd"] == 0.0
    assert (await http.get(JOBS)).json()["data"] == []


async def test_a_request_that_comes_again_makes_one_job(http: httpx.AsyncClient):
    """Under its Idempotency-Key; another request under it is refused."""
    key = {"Idempotency-Key": "a-batch"}
    first = await http.post(BATCH, json=wish(), headers=key)
    again = await http.post(BATCH, json=wish(), headers=key)
    other = await http.post(BATCH, json=wish(5), headers=key)

    assert first.json()["job_id"] == again.json()["job_id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422
    assert len((await http.get(JOBS)).json()["data"]) == 1


async def test_a_job_the_plan_has_no_storage_for_is_refused(daemon: SharedDaemon):
    """And what was generated counts against the ten items of the month."""
    tenant = daemon.new_tenant(plan="tiny")
    async with daemon.caller((await daemon.quick_key(tenant)).api_key) as http:
        too_many = await http.post(BATCH, json=wish(11))
        assert too_many.status_code == 403
        assert too_many.json()["error"] == "storage_quota_exceeded"
        first = await started(http, count=2)
        await until(http, first, "completed")
        dry = (await http.post(f"{BATCH}?dry_run=true", json=wish(1))).json()

    assert dry["monthly_items_left"] == 8


async def test_more_than_a_month_allows_is_refused(http: httpx.AsyncClient):
    """A hundred on the plan `free`."""
    answer = await http.post(BATCH, json=wish(101))

    assert answer.status_code == 403
    assert answer.json()["error"] == "generation_limit_exceeded"


async def test_a_preview_is_looked_at_before_the_rest_is_made(http: httpx.AsyncClient):
    """Two of five, then all."""
    job_id = await started(http, count=5, preview=2)
    waiting = await until(http, job_id, "awaiting_approval")
    assert (waiting["status"], waiting["progress"]) == ("running", 2)
    early = await http.post(f"{JOBS}/{job_id}/retry")
    assert early.status_code == 409

    assert (await http.post(f"{JOBS}/{job_id}/approve")).status_code == 202
    assert (await until(http, job_id, "completed"))["progress"] == 5
    assert (await http.post(f"{JOBS}/{job_id}/approve")).status_code == 409


async def test_a_cancel_keeps_what_was_made(http: httpx.AsyncClient):
    """With the message of the architecture, and the room is free again."""
    job_id = await started(http, count=5, preview=2)
    await until(http, job_id, "awaiting_approval")
    cancelled = (await http.post(f"{JOBS}/{job_id}/cancel")).json()

    assert cancelled["status"] == "cancelled"
    assert len(cancelled["generated_content_ids"]) == cancelled["progress"] == 2
    assert cancelled["message"] == (
        "Job cancelled. 2 out of 5 items were generated before cancellation."
    )
    quota = (await http.get("/api/content/quota")).json()
    assert quota["usage"]["reserved_bytes"] == 0
    assert (await http.post(f"{JOBS}/{job_id}/cancel")).status_code == 200
    assert (await http.post(f"{JOBS}/{job_id}/approve")).status_code == 409


async def test_rules_that_cannot_be_kept_fail_or_flag(
    daemon: SharedDaemon, http: httpx.AsyncClient, tenant: Tenant
):
    """The template never says what the brand requires: STRICT fails, MODERATE stores and says so."""
    key = daemon.command("keys", "create", "--tenant", tenant.tenant_id, "--role", "admin")
    async with daemon.caller(key["api_key"]) as admin:
        voice = {"required_phrases": ["En Garde"]}
        put = await admin.put(f"/api/brands/{tenant.brand_id}/voice", json=voice)
        assert put.status_code == 200
    strict = await started(http, count=2, brand_adherence={"level": "STRICT"})
    moderate = await started(http, count=1, brand_adherence={"level": "MODERATE"})

    assert (await until(http, strict, "failed"))["items"] == {"failed": 2}
    (item, _) = (await http.get(f"{JOBS}/{strict}/items")).json()["data"]
    assert (item["failure"], item["calls"], item["rewrites"]) == ("adherence", 3, 2)
    assert "En Garde" in item["reason"]
    assert "[template]" in item["draft"]

    flagged = await until(http, moderate, "completed")
    (item,) = (await http.get(f"{JOBS}/{moderate}/items?state=stored")).json()["data"]
    assert item["findings"] == [
        {"rule": "required_phrase", "message": "It does not say “En Garde”."}
    ]
    content = (await http.get(f"/api/content/{flagged['generated_content_ids'][0]}")).json()
    assert content["metadata"]["brand_findings"] == ["It does not say “En Garde”."]


async def test_a_job_can_be_followed(http: httpx.AsyncClient):
    """Each item once, then the end; who comes late gets it all, who resumes the rest."""
    job_id = await started(http, count=3)
    whole = await http.get(f"{JOBS}/{job_id}/events")
    rest = await http.get(f"{JOBS}/{job_id}/events", headers={"Last-Event-ID": "2"})

    assert whole.headers["content-type"].startswith("text/event-stream")
    assert whole.text.count("event: item\n") == 3
    assert rest.text.count("event: item\n") == 1
    assert whole.text.rstrip().endswith('"status":"completed"}')


async def test_items_and_jobs_come_in_pages(http: httpx.AsyncClient):
    """By number, and the newest first."""
    first = await started(http, count=3)
    await until(http, first, "completed")
    second = await started(http, count=1)
    page = (await http.get(f"{JOBS}/{first}/items?pageSize=2")).json()
    cursor = page["pagination"]["nextCursor"]
    rest = (await http.get(f"{JOBS}/{first}/items?pageSize=2&cursor={cursor}")).json()
    numbers = [item["number"] for item in page["data"] + rest["data"]]
    jobs = (await http.get(f"{JOBS}?pageSize=1")).json()
    cursor = jobs["pagination"]["nextCursor"]
    older = (await http.get(f"{JOBS}?pageSize=1&cursor={cursor}")).json()

    assert (numbers, rest["pagination"]["hasNext"]) == ([1, 2, 3], False)
    assert [jobs["data"][0]["job_id"], older["data"][0]["job_id"]] == [second, first]
    assert (await http.get(f"{JOBS}?status=failed")).json()["data"] == []


async def test_another_tenants_job_is_as_good_as_none(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient
):
    """In every route, to the letter."""
    job_id = await started(http)
    missing = "01a20577-0000-7000-8000-000000000000"
    for method, rest in (
        ("GET", ""),
        ("GET", "/items"),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("POST", "/approve"),
        ("POST", "/retry"),
    ):
        theirs = await stranger.request(method, f"{JOBS}/{job_id}{rest}")
        nobodys = await stranger.request(method, f"{JOBS}/{missing}{rest}")
        assert (theirs.status_code, theirs.json()["detail"]) == (
            nobodys.status_code,
            nobodys.json()["detail"],
        )
        assert theirs.status_code == 404
    await until(http, job_id, "completed")


async def test_credentials_go_in_and_never_out(daemon: SharedDaemon, tenant: Tenant):
    """Kept sealed, shown without their key, and only to administrators."""
    key = daemon.command("keys", "create", "--tenant", tenant.tenant_id, "--role", "admin")
    editor = (await daemon.quick_key(tenant)).api_key
    secret = {"api_key": "sk-never-shown"}
    async with daemon.caller(key["api_key"]) as admin, daemon.caller(editor) as other:
        put = await admin.put("/api/credentials/openai", json=secret)
        listed = await admin.get("/api/credentials")
        assert (await other.put("/api/credentials/openai", json=secret)).status_code == 403
        private = {**secret, "base_url": "http://169.254.169.254/"}
        assert (await admin.put("/api/credentials/openai", json=private)).status_code == 422
        assert (await admin.put("/api/credentials/template", json=secret)).status_code == 404
        gone = [await admin.delete("/api/credentials/openai") for _ in range(2)]

    assert put.status_code == 200
    assert [one["provider"] for one in listed.json()["data"]] == ["openai"]
    assert [answer.status_code for answer in gone] == [204, 404]
    assert "sk-never-shown" not in put.text + listed.text
    assert b"sk-never-shown" not in await daemon.logged()


async def test_credentials_are_their_tenants_own(daemon: SharedDaemon):
    """Another administrator neither sees nor loses nor removes them."""
    keys = [daemon.new_key(daemon.new_tenant(), "admin").api_key for _ in range(2)]
    async with daemon.caller(keys[0]) as owner, daemon.caller(keys[1]) as stranger:
        await owner.put("/api/credentials/openai", json={"api_key": "sk-the-owners"})
        seen = (await stranger.get("/api/credentials")).json()["data"]
        removed = await stranger.delete("/api/credentials/openai")
        theirs = await stranger.put("/api/credentials/openai", json={"api_key": "sk-another"})
        await stranger.delete("/api/credentials/openai")
        kept = (await owner.get("/api/credentials")).json()["data"]

    assert seen == []
    assert (removed.status_code, theirs.status_code) == (404, 200)
    assert [one["provider"] for one in kept] == ["openai"]


async def test_ten_jobs_at_once_are_enough(http: httpx.AsyncClient):
    """The eleventh waits until one of them has ended."""
    jobs = [await started(http, count=2, preview=1) for _ in range(10)]
    assert (await http.post(BATCH, json=wish(1))).status_code == 403
    await http.post(f"{JOBS}/{jobs[0]}/cancel")

    await until(http, jobs[0], "cancelled")
    assert (await http.post(BATCH, json=wish(1))).status_code == 202
