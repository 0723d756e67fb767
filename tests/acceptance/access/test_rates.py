"""How many requests a minute: beyond it 429, and nothing of it for probes."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import running
from tests.acceptance.content import draft, problem_of
from tests.support.daemon import SharedDaemon, Tenant

PER_PRINCIPAL = 6
PER_TENANT = 10


@pytest.fixture(scope="module")
async def strict(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon with small rates."""
    settings = {
        "ENGARDE_LIMITS__REQUESTS_PER_MIN_PRINCIPAL": str(PER_PRINCIPAL),
        "ENGARDE_LIMITS__REQUESTS_PER_MIN_TENANT": str(PER_TENANT),
    }
    async with running(postgres_server, **settings) as daemon:
        yield daemon


@pytest.fixture
def tenant(strict: SharedDaemon) -> Tenant:
    """A tenant of one's own."""
    return strict.new_tenant()


def key(daemon: SharedDaemon, tenant: Tenant) -> httpx.AsyncClient:
    """A caller with a key of its own."""
    return daemon.caller(daemon.new_key(tenant).api_key)


async def spend(http: httpx.AsyncClient, count: int) -> list[int]:
    """The statuses of so many reads."""
    return [(await http.get("/api/content/quota")).status_code for _ in range(count)]


async def test_beyond_its_rate_a_caller_is_refused(strict: SharedDaemon, tenant: Tenant):
    """429, with the time after which it is worth another try, and nothing is done."""
    async with key(strict, tenant) as http:
        assert await spend(http, PER_PRINCIPAL) == [200] * PER_PRINCIPAL
        refused = await http.post("/api/content", json=draft())

    problem = problem_of(refused, 429)
    assert problem["type"] == "urn:engarde:problem:rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60 / PER_PRINCIPAL + 1
    async with key(strict, tenant) as other:
        assert (await other.get("/api/content")).json()["pagination"]["total"] == 0


async def test_each_caller_has_its_own_rate(strict: SharedDaemon, tenant: Tenant):
    """One that used its own up takes nothing from another."""
    async with key(strict, tenant) as greedy, key(strict, tenant) as modest:
        await spend(greedy, PER_PRINCIPAL + 2)

        assert await spend(modest, 2) == [200, 200]


async def test_all_callers_of_a_tenant_share_one_rate(strict: SharedDaemon, tenant: Tenant):
    """Two callers within their own rates exhaust it; another tenant does not notice."""
    async with key(strict, tenant) as first, key(strict, tenant) as second:
        statuses = [*await spend(first, PER_PRINCIPAL), *await spend(second, PER_PRINCIPAL)]
        refused = await second.get("/api/content")

    assert statuses.count(200) == PER_TENANT
    assert "tenant" in problem_of(refused, 429)["detail"]
    async with key(strict, strict.new_tenant()) as stranger:
        assert await spend(stranger, 1) == [200]


async def test_a_refused_request_costs_nothing(strict: SharedDaemon, tenant: Tenant):
    """Asking again and again does not push the next good moment away."""
    async with key(strict, tenant) as http:
        await spend(http, PER_PRINCIPAL)
        waits = [int((await http.get("/api/content")).headers["retry-after"]) for _ in range(20)]

    assert max(waits) <= 60 / PER_PRINCIPAL + 1


async def test_answers_say_how_the_rate_stands(strict: SharedDaemon, tenant: Tenant):
    """On every answer to a caller, whether it was served or refused."""
    async with key(strict, tenant) as http:
        answers = [await http.get("/api/content/nothing") for _ in range(PER_PRINCIPAL + 1)]

    left = [
        int(re.findall(r'"principal";r=(\d+);t=\d+', a.headers["ratelimit"])[0]) for a in answers
    ]
    assert left == [*range(PER_PRINCIPAL - 1, -1, -1), 0]
    policy = f'"principal";q={PER_PRINCIPAL};w=60, "tenant";q={PER_TENANT};w=60'
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {policy}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/schema"])
async def test_probes_have_no_rate(strict: SharedDaemon, path: str):
    """Whoever watches the daemon is never turned away."""
    async with strict.caller(None) as http:
        answers = [await http.get(path) for _ in range(PER_TENANT * 3)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_a_caller_who_proves_nothing_uses_up_nobodys_rate(
    strict: SharedDaemon, tenant: Tenant
):
    """Knowing the id of a key is not enough to have its owner refused."""
    made = strict.new_key(tenant)
    async with strict.caller(f"eg_{made.key_id}_{'A' * 43}") as thief:
        assert set(await spend(thief, PER_PRINCIPAL * 2)) == {401}
    async with strict.caller(made.api_key) as owner:
        assert await spend(owner, 1) == [200]
