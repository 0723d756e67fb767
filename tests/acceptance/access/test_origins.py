"""Browsers on other origins: only those that are configured, and on every answer."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import House, running
from tests.acceptance.content import draft
from tests.support.daemon import SharedDaemon

STUDIO = "https://studio.example.com"
OTHER = "http://localhost:3000"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Origin": STUDIO}


@pytest.fixture(scope="module")
async def open_daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon that two origins may call, at five requests a minute."""
    settings = {
        "ENGARDE_CORS__ALLOW_ORIGINS": f"{STUDIO}, {OTHER}",
        "ENGARDE_LIMITS__REQUESTS_PER_MIN_PRINCIPAL": "5",
    }
    async with running(postgres_server, **settings) as daemon:
        yield daemon


@pytest.fixture
async def http(open_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with a key."""
    key = open_daemon.new_key(open_daemon.new_tenant()).api_key
    async with open_daemon.caller(key) as http:
        yield http


def allowed(answer: httpx.Response) -> str | None:
    """The origin whose scripts may read an answer."""
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin


@pytest.mark.parametrize("origin", [STUDIO, OTHER])
async def test_a_page_of_a_configured_origin_may_read(http: httpx.AsyncClient, origin: str):
    """And sees the headers it works with; cookies never cross."""
    answer = await http.post("/api/content", json=draft(), headers={"Origin": origin})

    assert (answer.status_code, allowed(answer)) == (201, origin)
    assert "origin" in answer.headers["vary"].lower()
    shown = answer.headers["access-control-expose-headers"]
    assert {"ETag", "Location", "X-Request-ID", "Retry-After"} <= set(shown.split(", "))
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "https://studio.example.com.evil.example",
        "http://studio.example.com",
        "https://studio.example.com:8443",
        "https://studioXexample.com",
        "null",
        "",
    ],
)
async def test_a_page_of_another_origin_may_not(http: httpx.AsyncClient, origin: str):
    """The answer does not name it, neither to the request nor to the question before."""
    headers = {"Origin": origin}

    assert allowed(await http.get("/api/content", headers=headers)) is None
    assert allowed(await http.options("/api/content", headers={**PREFLIGHT, **headers})) is None


@pytest.mark.parametrize("path", ["/api/content", "/api/content/some-id", "/api/nothing"])
async def test_a_browser_asks_before_it_sends_its_key(open_daemon: SharedDaemon, path: str):
    """The question needs no key, and names the methods and headers of this API."""
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-api-key,if-match,idempotency-key"}
    async with open_daemon.caller(None) as nobody:
        answer = await nobody.options(path, headers=asked)

    assert (answer.status_code, allowed(answer)) == (204, STUDIO)
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(
        answer.headers["access-control-allow-methods"].split(", ")
    )


async def test_refusals_before_the_routes_can_be_read_too(
    open_daemon: SharedDaemon, http: httpx.AsyncClient
):
    """Or a page could not tell a missing key from a network that is down."""
    headers = {"Origin": STUDIO}
    async with open_daemon.caller(None) as nobody:
        unknown = await nobody.get("/api/content", headers=headers)
        large = await nobody.get("/api/content", headers={**headers, "X-Large": "x" * 70_000})
    for _ in range(6):
        hurried = await http.get("/api/content", headers=headers)
    async with open_daemon.caller(None) as nobody:
        stranger = await nobody.get("/api/content", headers={"Origin": "https://evil.example.com"})

    assert [answer.status_code for answer in (unknown, large, hurried)] == [401, 431, 429]
    assert [allowed(answer) for answer in (unknown, large, hurried)] == [STUDIO] * 3
    assert (stranger.status_code, allowed(stranger)) == (401, None)


async def test_each_header_comes_once(open_daemon: SharedDaemon, http: httpx.AsyncClient):
    """A browser refuses an answer that allows its origin twice."""
    headers = {"Origin": STUDIO}
    async with open_daemon.caller(None) as nobody:
        refused = await nobody.get("/api/content", headers=headers)
    for answer in (await http.get("/api/content", headers=headers), refused):
        names = [name for name, _ in answer.headers.multi_items()]
        assert names.count("access-control-allow-origin") == 1


async def test_without_a_setting_no_origin_may(house: House):
    """The default: pages of other origins read nothing, and a preflight needs a key like all."""
    async with house.daemon.caller(None) as nobody:
        asked = await nobody.options("/api/content", headers=PREFLIGHT)
        answer = await nobody.get("/api/content", headers={"Origin": STUDIO})

    assert asked.status_code == 401
    assert {allowed(asked), allowed(answer)} == {None}
