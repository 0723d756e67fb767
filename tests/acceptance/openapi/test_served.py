"""What the daemon says of itself, and that it keeps to it at the edges of HTTP."""

import json
from pathlib import Path

import httpx
import pytest

from tests.acceptance.content import created, draft, problem_of
from tests.support.daemon import SharedDaemon, Tenant

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json"])
async def test_the_committed_document_is_what_is_served(daemon: SharedDaemon, path: str):
    """To anybody, because it tells of no tenant."""
    async with daemon.caller(None) as anybody:
        answer = await anybody.get(path)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(COMMITTED.read_text())


async def test_the_page_may_fetch_and_run_nothing(daemon: SharedDaemon):
    """The browser is told so as well."""
    async with daemon.caller(None) as anybody:
        answer = await anybody.get("/docs")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert "createContent" in answer.text


@pytest.mark.parametrize("said", [FORM, "text/plain", "multipart/form-data", "garbage", ""])
async def test_another_media_type_is_refused(http: httpx.AsyncClient, said: str):
    """415, and the body is not looked at."""
    answer = await http.post("/api/content", content=b"{}", headers={"Content-Type": said})

    assert "application/json" in problem_of(answer, 415)["detail"]


@pytest.mark.parametrize(
    "said", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/ld+json", None]
)
async def test_json_by_any_name_is_read(http: httpx.AsyncClient, said: str | None):
    """Also a body that does not say what it is."""
    headers = {"Content-Type": said} if said else {}
    answer = await http.post("/api/content", content=json.dumps(draft()).encode(), headers=headers)

    assert answer.status_code == 201


async def test_an_import_takes_lines_only(daemon: SharedDaemon, tenant: Tenant):
    """JSON is not a file of lines."""
    key = daemon.new_key(tenant, "admin")
    async with daemon.caller(key.api_key) as admin:
        answer = await admin.post("/api/content/import", json={"title": "x"})

    assert "application/x-ndjson" in problem_of(answer, 415)["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/content", "GET, OPTIONS, POST"),
        ("/api/content/x", "DELETE, GET, OPTIONS, PATCH"),
        ("/api/content/quota", "GET, OPTIONS"),
        ("/api/brands/x/voice", "GET, OPTIONS, PUT"),
    ],
)
async def test_options_names_every_method(http: httpx.AsyncClient, path: str, allowed: str):
    """Those that routes of several controllers have for one path, too."""
    answer = await http.options(path)

    assert (answer.status_code, answer.headers["allow"]) == (204, allowed)


async def test_a_guard_that_cannot_hold_is_refused(daemon: SharedDaemon, tenant: Tenant):
    """`If-Match` does not guard a delete for good, so it is never passed over in silence."""
    key = daemon.new_key(tenant, "admin")
    async with daemon.caller(key.api_key) as admin:
        item = f"/api/content/{(await created(admin))['id']}"
        refused = await admin.delete(
            item, params={"permanent": "true"}, headers={"If-Match": '"1"'}
        )

        assert "If-Match" in problem_of(refused, 422)["detail"]
        assert (await admin.get(item)).status_code == 200
