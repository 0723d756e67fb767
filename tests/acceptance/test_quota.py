"""`GET /api/content/quota`, as the platform's architecture writes it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.acceptance.content import created, quota
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant

GB = 1024**3


async def test_the_quota_of_the_architecture(http: httpx.AsyncClient, tenant: Tenant):
    """Every field of it, for a tenant that has nothing yet."""
    standing = await quota(http)
    at = datetime.fromisoformat(standing.pop("last_calculated_at"))
    for added in ("total_media_files", "reserved_bytes"):
        assert standing["usage"].pop(added) == 0
    assert standing["limits"].pop("monthly_items") == 100

    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert standing == {
        "tenant_id": tenant.tenant_id,
        "plan_tier": "free",
        "usage": {
            "total_content_items": 0,
            "total_storage_bytes": 0,
            "total_storage_gb": 0.0,
            "usage_by_type": {},
        },
        "limits": {
            "storage_limit_gb": 1.0,
            "available_gb": 1.0,
            "usage_percent": 0.0,
            "retention_days": 30,
        },
        "warning_level": "normal",
    }


async def test_usage_is_counted_by_type(http: httpx.AsyncClient):
    """What was moved to another type or deleted counts where it is now."""
    await created(http, type="post", body="12345")
    moved = await created(http, type="post", body="123")
    gone = await created(http, type="video", body="1234567")
    await http.patch(f"/api/content/{moved['id']}", json={"type": "ad", "body": "1234"})
    await http.delete(f"/api/content/{gone['id']}")
    usage = (await quota(http))["usage"]

    assert (usage["total_content_items"], usage["total_storage_bytes"]) == (2, 9)
    assert usage["usage_by_type"] == {
        "post": {"count": 1, "bytes": 5},
        "ad": {"count": 1, "bytes": 4},
    }


@pytest.mark.parametrize(
    ("plan", "limits"),
    [
        ("starter", (10, 90, 1_000)),
        ("professional", (100, 365, 10_000)),
        ("business", (500, 1825, 50_000)),
        ("enterprise", (None, None, None)),
    ],
)
async def test_each_plan_has_its_limits(
    daemon: SharedDaemon, plan: str, limits: tuple[int | None, ...]
):
    """As the architecture's table of tiers says; null where there is none."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant(plan)).api_key) as http:
        standing = await quota(http)

    found = standing["limits"]
    assert standing["plan_tier"] == plan
    assert (found["storage_limit_gb"], found["retention_days"], found["monthly_items"]) == limits
    assert found["available_gb"] == limits[0]


async def test_another_plan_is_in_force_at_once(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """`engarde tenants set-plan` needs no restart."""
    daemon.command("tenants", "set-plan", tenant.tenant_id, "business")

    assert (await quota(http))["limits"]["storage_limit_gb"] == 500


@pytest.mark.parametrize(
    ("share", "level"), [(0.69, "normal"), (0.71, "warning"), (0.86, "critical"), (1, "critical")]
)
async def test_levels_say_how_full_a_plan_is(daemon: SharedDaemon, share: float, level: str):
    """Normal below 70 %, critical from 85 % on."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
        await created(http, body="x" * int(TINY_PLAN_BYTES * share))
        standing = await quota(http)

    assert standing["warning_level"] == level
    assert standing["limits"]["usage_percent"] == pytest.approx(share * 100, abs=0.1)


async def test_a_limit_lowered_under_the_usage_is_exceeded(daemon: SharedDaemon):
    """What is stored stays; there is just no room left."""
    tenant = daemon.new_tenant()
    async with daemon.caller(daemon.new_key(tenant).api_key) as http:
        await created(http, body="x" * (TINY_PLAN_BYTES * 2))
        daemon.command("tenants", "set-plan", tenant.tenant_id, "tiny")
        standing = await quota(http)

    assert standing["warning_level"] == "exceeded"
    assert standing["limits"]["available_gb"] == 0
    assert standing["usage"]["total_content_items"] == 1
