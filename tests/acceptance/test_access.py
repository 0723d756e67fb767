"""Who may call: API keys and their roles."""

from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import created, draft, holds_nothing, listed, problem_of
from tests.support.daemon import SharedDaemon, Tenant

ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/api/content", None),
    ("POST", "/api/content", draft()),
    ("GET", "/api/content/some-id", None),
    ("PATCH", "/api/content/some-id", {"title": "x"}),
    ("DELETE", "/api/content/some-id", None),
    ("GET", "/api/content/quota", None),
    ("GET", "/api/nothing/here", None),
]
WRITES = [route for route in ROUTES if route[0] in {"POST", "PATCH", "DELETE"}]
REVOKED_WITHIN_S = 30.0
"""Far less than a memory without an end; a busy machine needs more than the five that are promised."""


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_nothing_is_served_without_a_key(
    daemon: SharedDaemon, method: str, path: str, body: object
):
    """401 on every route below `/api/`, known or not, with the scheme that is wanted."""
    async with daemon.caller(None) as nobody:
        answer = await nobody.request(method, path, json=body)

    assert "X-API-Key" in problem_of(answer, 401)["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "garbage"},
        {"X-API-Key": "eg_"},
        {"X-API-Key": "eg_aaaaaaaaaaaa_" + "A" * 43},
        {"X-API-Key": "eg_aaaaaaaaaaaa_" + "A" * 42},
        {"X-API-Key": "eg_AAAAAAAAAAAA_" + "A" * 43},
        {"X-API-Key": "' or 1=1 --"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer garbage"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."},
        {"Cookie": "api_key=eg_aaaaaaaaaaaa_" + "A" * 43},
    ],
)
async def test_what_is_no_key_is_refused(daemon: SharedDaemon, headers: dict[str, str]):
    """401, the same for a key that is malformed and one that nobody has."""
    async with daemon.caller(None) as nobody:
        problem_of(await nobody.get("/api/content", headers=headers), 401)


async def test_an_id_without_its_secret_is_refused(daemon: SharedDaemon, tenant: Tenant):
    """And the answer does not tell that the id exists."""
    key = daemon.new_key(tenant)
    async with daemon.caller(None) as nobody:
        known, unknown = [
            await nobody.get("/api/content", headers={"X-API-Key": f"eg_{key_id}_{'A' * 43}"})
            for key_id in (key.key_id, "aaaaaaaaaaaa")
        ]

    assert problem_of(known, 401) == problem_of(unknown, 401)


async def test_a_key_may_come_as_a_bearer_token(daemon: SharedDaemon, tenant: Tenant):
    """`Authorization: Bearer`, in any spelling of the scheme."""
    key = daemon.new_key(tenant)
    async with daemon.caller(None) as http:
        for scheme in ("Bearer", "bearer", "BEARER"):
            headers = {"Authorization": f"{scheme} {key.api_key}"}
            assert (await http.get("/api/content", headers=headers)).status_code == 200


async def test_a_key_works_as_soon_as_it_is_made(daemon: SharedDaemon, tenant: Tenant):
    """And shows its own tenant."""
    async with daemon.caller(daemon.new_key(tenant, "viewer").api_key) as viewer:
        assert (await viewer.get("/api/content/quota")).json()["tenant_id"] == tenant.tenant_id


async def test_a_revoked_key_ends_within_seconds(daemon: SharedDaemon, tenant: Tenant):
    """Although the daemon remembers keys, and although this one is used all the time."""
    key = daemon.new_key(tenant)
    async with daemon.caller(key.api_key) as http:
        await created(http)
        daemon.command("keys", "revoke", key.key_id)
        with anyio.fail_after(REVOKED_WITHIN_S):
            while (answer := await http.get("/api/content")).status_code == 200:
                await anyio.sleep(0.1)

    problem_of(answer, 401)


async def test_another_key_of_the_tenant_outlives_a_revoked_one(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Keys are revoked one by one."""
    daemon.command("keys", "revoke", daemon.new_key(tenant).key_id)

    await created(http)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_viewer_writes_nothing(
    daemon: SharedDaemon, tenant: Tenant, method: str, path: str, body: object
):
    """403, naming the role that is needed; also where there is nothing to be written to."""
    async with daemon.caller(daemon.new_key(tenant, "viewer").api_key) as viewer:
        problem = problem_of(await viewer.request(method, path, json=body), 403)

        assert "editor" in problem["detail"]
        assert await holds_nothing(viewer)


async def test_a_viewer_reads_everything_of_its_tenant(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """List, item and quota."""
    made = await created(http)
    async with daemon.caller(daemon.new_key(tenant, "viewer").api_key) as viewer:
        assert (await viewer.get(f"/api/content/{made['id']}")).json()["body"] == "A body"
        assert (await listed(viewer))["pagination"]["total"] == 1
        assert (await viewer.get("/api/content/quota")).status_code == 200


@pytest.mark.parametrize("role", ["editor", "admin", "operator"])
async def test_whoever_may_write_may_do_all_of_it(daemon: SharedDaemon, tenant: Tenant, role: str):
    """Create, change and delete."""
    async with daemon.caller(daemon.new_key(tenant, role).api_key) as http:
        made = await created(http)
        path = f"/api/content/{made['id']}"

        assert (await http.patch(path, json={"title": "x"})).status_code == 200
        assert (await http.delete(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/schema"])
async def test_operations_need_no_key(daemon: SharedDaemon, path: str):
    """Probes and scrapers have none, and nothing there belongs to a tenant."""
    async with daemon.caller(None) as nobody:
        assert (await nobody.get(path)).status_code == 200
