"""`POST /api/content`, as the platform's architecture writes it."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.content import created, draft, fields_of, listed, problem_of, quota
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant

CAMPAIGN: dict[str, Any] = {
    "title": "Summer Product Launch Campaign",
    "body": "<p>Größer, schöner 🌞</p>",
    "type": "post",
    "platforms": ["instagram", "facebook"],
    "tags": ["summer", "launch", "product"],
    "hashtags": ["#SummerLaunch", "#NewProduct"],
    "mentions": ["@brandpartner"],
    "media": [],  # ids of files that are there: see tests/acceptance/media
    "scheduled_at": "2026-06-01T10:00:00Z",
    "status": "draft",
    "metadata": {"target_audience": "millennials", "campaign_id": "campaign_uuid"},
}
FIELDS = {
    "id", "title", "body", "type", "status", "platforms", "tags", "hashtags", "mentions", "media",
    "scheduled_at", "metadata", "storage", "created_at", "updated_at", "version",
}  # fmt: skip


async def test_the_answer_has_every_field_of_the_architecture(http: httpx.AsyncClient):
    """What was sent comes back, beside what the daemon adds."""
    item = await created(http, **CAMPAIGN)

    assert item.keys() >= FIELDS
    assert {name: item[name] for name in CAMPAIGN} == CAMPAIGN
    assert item["version"] == 1


async def test_the_storage_of_an_item_is_told(http: httpx.AsyncClient):
    """Its size is the UTF-8 bytes of the body; BigQuery has not got it yet."""
    item = await created(http, **CAMPAIGN)

    assert item["storage"] == {
        "size_bytes": len(CAMPAIGN["body"].encode()),
        "zerodb_id": item["id"],
        "bigquery_backed_up": False,
    }


async def test_the_answer_names_where_the_item_lies(http: httpx.AsyncClient):
    """`Location` can be followed, `ETag` is the version, and the type is JSON."""
    answer = await http.post("/api/content", json=draft())

    assert answer.headers["location"] == f"/api/content/{answer.json()['id']}"
    assert (await http.get(answer.headers["location"])).json()["id"] == answer.json()["id"]
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["content-type"] == "application/json"


async def test_the_times_of_an_item_are_now_and_in_utc(http: httpx.AsyncClient):
    """Both times of a new item are the same moment."""
    item = await created(http)

    at = datetime.fromisoformat(item["created_at"])
    assert item["created_at"].endswith("Z")
    assert item["updated_at"] == item["created_at"]
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


async def test_title_and_body_are_enough(http: httpx.AsyncClient, tenant: Tenant):
    """Everything else has a default."""
    item = await created(http)

    assert {name: item[name] for name in ("type", "status", "scheduled_at", "metadata")} == {
        "type": "post",
        "status": "draft",
        "scheduled_at": None,
        "metadata": {},
    }
    assert item["tags"] == item["platforms"] == item["media"] == []
    assert item["brand_id"] == tenant.brand_id
    assert item["campaign_space_id"] is None


async def test_an_empty_body_is_a_body(http: httpx.AsyncClient):
    """A draft may begin with a title alone."""
    item = await created(http, body="")

    assert (item["body"], item["storage"]["size_bytes"]) == ("", 0)


@pytest.mark.parametrize(
    "kind",
    ["post", "story", "ad", "article", "tweet", "image", "video", "carousel", "reel", "document"],
)
async def test_every_type_of_the_architecture_is_known(http: httpx.AsyncClient, kind: str):
    """An item keeps the type it was made with."""
    assert (await created(http, type=kind))["type"] == kind


async def test_a_schedule_in_another_zone_is_the_same_moment(http: httpx.AsyncClient):
    """Offsets are honoured, not cut off."""
    item = await created(http, scheduled_at="2026-06-01T10:00:00+02:00")

    assert item["scheduled_at"] == "2026-06-01T08:00:00Z"
    assert (await http.get(f"/api/content/{item['id']}")).json()["scheduled_at"] == (
        "2026-06-01T08:00:00Z"
    )


async def test_metadata_comes_back_as_it_was_sent(http: httpx.AsyncClient):
    """Whatever JSON holds survives, to the last digit."""
    metadata: dict[str, Any] = {
        "text": 'quotes " and \\ and \u2028 and 🎈',
        "numbers": [0, -1, 2**63, 1.5, 1e-300, 123456789.123456789],
        "nothing": None,
        "yes": True,
        "": {"deep": [[[{}]]]},
    }
    item = await created(http, metadata=metadata)

    assert (await http.get(f"/api/content/{item['id']}")).json()["metadata"] == metadata


async def test_what_was_answered_is_committed(
    daemon: SharedDaemon, http: httpx.AsyncClient, dsn: str
):
    """Version, quota, hash and body stand in PostgreSQL or have been delivered from there."""
    item = await created(http, body="kept")

    link = await asyncpg.connect(dsn)
    row = await link.fetchrow(
        "select v.body_sha256, u.total_storage_bytes, u.total_content_items "
        "from engarde.content_versions v "
        "join public.content_storage_usage u using (tenant_id) where v.content_id = $1",
        item["id"],
    )
    await link.close()

    assert tuple(row) == (hashlib.sha256(b"kept").hexdigest(), 4, 1)


async def test_a_body_of_megabytes_comes_back_whole(http: httpx.AsyncClient):
    """Nothing is cut below the configured limit."""
    body = "0123456789abcdef" * 400_000
    item = await created(http, body=body)

    assert (await http.get(f"/api/content/{item['id']}")).json()["body"] == body


async def test_a_brand_of_the_tenant_can_be_named(http: httpx.AsyncClient, tenant: Tenant):
    """In the body or in the header `X-Brand-ID`; both name the caller's own."""
    in_body = await created(http, brand_id=tenant.brand_id)
    in_header = await http.post(
        "/api/content", json=draft(), headers={"X-Brand-ID": tenant.brand_id}
    )

    assert in_body["brand_id"] == in_header.json()["brand_id"] == tenant.brand_id


async def test_all_missing_fields_are_named(http: httpx.AsyncClient):
    """An empty object lacks a title and a body."""
    assert fields_of(await http.post("/api/content", json={})) == {"title", "body"}


class TestAFullPlan:
    """A plan that has room for 10 KB."""

    @pytest.fixture
    def tenant(self, daemon: SharedDaemon) -> Tenant:
        """A tenant on that plan."""
        return daemon.new_tenant("tiny")

    async def test_the_last_byte_may_be_used(self, http: httpx.AsyncClient):
        """Refused is only what passes the limit."""
        await created(http, body="x" * TINY_PLAN_BYTES)

        assert (await quota(http))["usage"]["total_storage_bytes"] == TINY_PLAN_BYTES

    async def test_one_byte_more_is_refused_with_every_figure(self, http: httpx.AsyncClient):
        """The problem says what is used, what is allowed, and what to do about it."""
        await created(http, body="x" * 5_000)
        answer = await http.post("/api/content", json=draft(body="x" * (TINY_PLAN_BYTES - 4_999)))

        problem = problem_of(answer, 403)
        assert problem["type"].endswith("storage_quota_exceeded")
        assert problem["error"] == "storage_quota_exceeded"
        assert problem["plan_tier"] == "tiny"
        assert problem["current_usage_gb"] == pytest.approx(5_000 / 1024**3)
        assert problem["limit_gb"] == pytest.approx(TINY_PLAN_BYTES / 1024**3, rel=1e-3)
        assert "1 GB" in problem["upgrade_suggestion"]

    async def test_a_refused_item_leaves_no_trace(self, http: httpx.AsyncClient):
        """Neither in the list nor in the quota."""
        await http.post("/api/content", json=draft(body="x" * (TINY_PLAN_BYTES + 1)))

        assert (await listed(http))["pagination"]["total"] == 0
        assert (await quota(http))["usage"]["total_storage_bytes"] == 0
