"""An operator sees every tenant, changes plans and has books mended."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.content import created, problem_of, quota
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S

SPOIL = """
update public.content_storage_usage set total_content_items = 7, total_storage_bytes = 1
where tenant_id = $1
"""
MISCOUNT = "update engarde.content_counts set items = items + 1 where tenant_id = $1"


async def standing(operator: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    """How the list shows a tenant."""
    answer = await operator.get("/api/admin/tenants", params={"search": tenant.tenant_id})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["data"]
    return dict(found)


async def test_a_plan_that_nobody_configured_is_refused(
    operator: httpx.AsyncClient, tenant: Tenant
):
    """The answer names the plans there are."""
    path = f"/api/admin/tenants/{tenant.tenant_id}/plan"
    (fault,) = problem_of(await operator.put(path, json={"plan": "golden"}), 422)["errors"]

    assert fault["field"] == "plan"
    assert "professional" in fault["message"]


async def test_an_unknown_tenant_is_not_found(operator: httpx.AsyncClient):
    """By either route that names one."""
    problem_of(await operator.put("/api/admin/tenants/nobody/plan", json={"plan": "free"}), 404)
    problem_of(await operator.post("/api/admin/quota/nobody/reconcile"), 404)


async def test_a_changed_plan_holds_at_once(
    operator: httpx.AsyncClient, tenant: Tenant, http: httpx.AsyncClient
):
    """For the tenant, and in the list."""
    path = f"/api/admin/tenants/{tenant.tenant_id}/plan"
    changed = (await operator.put(path, json={"plan": "starter"})).json()

    assert (changed["plan_before"], changed["plan"]) == ("free", "starter")
    assert (await quota(http))["plan_tier"] == "starter"
    assert (await standing(operator, tenant))["limit_bytes"] == 10 * 1024**3


async def test_usage_is_shown_beside_the_limit(
    operator: httpx.AsyncClient, tenant: Tenant, http: httpx.AsyncClient
):
    """In bytes, as the tenant's own quota says."""
    await created(http, body="twelve bytes")
    shown = await standing(operator, tenant)

    assert (shown["items"], shown["used_bytes"], shown["level"]) == (1, 12, "normal")


@pytest.mark.parametrize("sort", ["id", "name", "-used_bytes", "-usage"])
async def test_pages_show_each_tenant_once(
    operator: httpx.AsyncClient, daemon: SharedDaemon, sort: str
):
    """In every order."""
    made = [await daemon.quick_tenant() for _ in range(3)]
    seen: list[str] = []
    page, has_next = 1, True
    while has_next:
        params: dict[str, str | int] = {"sort": sort, "page": page, "pageSize": 500}
        found = (await operator.get("/api/admin/tenants", params=params)).json()
        seen += [tenant["tenant_id"] for tenant in found["data"]]
        page, has_next = page + 1, found["pagination"]["hasNext"]

    assert len(seen) == len(set(seen))
    assert {tenant.tenant_id for tenant in made} <= set(seen)


async def test_wrong_figures_are_mended_and_named(
    operator: httpx.AsyncClient, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """A second time there is nothing to mend."""
    for _ in range(2):
        await created(http, body="twelve bytes")
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:
        await link.execute(SPOIL, tenant.tenant_id)
        await link.execute(MISCOUNT, tenant.tenant_id)
    finally:
        await link.close(timeout=PATIENCE_S)

    path = f"/api/admin/quota/{tenant.tenant_id}/reconcile"
    first = (await operator.post(path)).json()
    second = (await operator.post(path)).json()

    wrong = {(m["measure"], m["ledger"], m["actual"]) for m in first["mended"]}
    assert wrong >= {("items", 7, 2), ("bytes", 1, 24)}
    assert second["mended"] == []
    usage = (await quota(http))["usage"]
    assert (usage["total_content_items"], usage["total_storage_bytes"]) == (2, 24)
