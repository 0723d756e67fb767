"""Requests that are wrong outside of their body: query, path, method and headers."""

import base64
import socket
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
import httpx
import pytest

from tests.acceptance.content import draft, fields_of, holds_nothing, problem_of
from tests.support.daemon import SharedDaemon

LONG = "x" * 500
HEADER_LIMIT = 65_536
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"
WISHES: dict[str, Any] = {"PATCH": {"title": "x"}}


@pytest.fixture(scope="module")
async def editor(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor whose tenant must hold nothing for as long as these tests run."""
    key = shared_daemon.new_key(shared_daemon.new_tenant())
    async with shared_daemon.caller(key.api_key) as http:
        yield http


@pytest.fixture
async def http(daemon: SharedDaemon, editor: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """That editor, whose tenant still holds nothing after the test."""
    yield editor
    assert await holds_nothing(editor)


def cursor(text: str) -> str:
    """Something that looks like a cursor of ours."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class TestQueries:
    """Parameters of a list."""

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("page=0", {"page"}),
            ("page=-1", {"page"}),
            ("page=one", {"page"}),
            ("page=1.5", {"page"}),
            ("page=", {"page"}),
            ("page=+1", {"page"}),
            ("page=1_0", {"page"}),
            ("page=%D9%A1", {"page"}),
            ("page=100001", {"page"}),
            ("page=5001", {"page"}),
            ("page=1001&pageSize=100", {"page"}),
            ("page=1001&pageSize=100&trashed=true", {"page"}),
            ("page=99999999999999999999999999", {"page"}),
            (f"page={'9' * 5000}", {"page"}),
            ("pageSize=0", {"pageSize"}),
            ("pageSize=101", {"pageSize"}),
            ("page_size=10", {"page_size"}),
            ("cursor=garbage", {"cursor"}),
            ("cursor=%21%21", {"cursor"}),
            ("cursor=%C3%A9", {"cursor"}),
            (f"cursor={LONG * 20}", {"cursor"}),
            ("date_from=yesterday", {"date_from"}),
            ("date_from=2026-01-01", {"date_from"}),
            ("date_from=2026-01-01T00:00:00", {"date_from"}),
            ("date_from=2026-13-01T00:00:00Z", {"date_from"}),
            ("date_from=1780000000", {"date_from"}),
            ("date_from=", {"date_from"}),
            ("date_from=9999-12-31T23:59:59-10:00", {"date_from"}),
            ("date_to=0001-01-01T00:00:00%2B10:00", {"date_to"}),
            ("status=nope", {"status[0]"}),
            ("status=draft,DRAFT", {"status[1]"}),
            ("content_type=post&content_type=nope", {"content_type[1]"}),
            ("campaign_space_id=a%20b", {"campaign_space_id"}),
            (f"campaign_space_id={'a' * 36}%0A", {"campaign_space_id"}),
            (f"brand_id={LONG}", {"brand_id"}),
            ("brand_id=%00", {"brand_id"}),
            ("include=everything", {"include"}),
            ("search=", {"search"}),
            (f"search={LONG}x", {"search"}),
            ("search=%00", {"search"}),
            ("search=%ff", {"search"}),
            ("search=%ed%a0%80", {"search"}),
            ("tags=%00", {"tags[0]"}),
            ("tags=ok,%c3", {"tags[1]"}),
            ("status=%ff", {"status[0]"}),
            ("unknown=1", {"unknown"}),
            ("%00=1", {"\x00"}),
            ("%ff=1", {"?"}),
            ("Page=1", {"Page"}),
        ],
    )
    async def test_a_wrong_parameter_is_named(
        self, http: httpx.AsyncClient, query: str, named: set[str]
    ):
        """422, whether it has no value, a wrong one, or is not known at all."""
        assert fields_of(await http.get(f"/api/content?{query}")) == named

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            "null",
            "[" * 10_000,
            '["-created_at"]',
            f'["-created_at", "{UNKNOWN_ID}"]',
            f'["-created_at", "{UNKNOWN_ID}", null]',
            f'["-created_at", "{UNKNOWN_ID}", "1"]',
            f'["-created_at", "{UNKNOWN_ID}", 1.5]',
            f'["-created_at", "{UNKNOWN_ID}", {"9" * 20}]',
            f'["-created_at", "{UNKNOWN_ID}", -{"9" * 20}]',
            f'["-created_at", "{UNKNOWN_ID}", {"9" * 5000}]',
            f'["-created_at", "{UNKNOWN_ID}", 1e999]',
            f'["-created_at", "{UNKNOWN_ID}\\n", 1]',
            f'["-created_at", "{UNKNOWN_ID}\\u0000", 1]',
            f'["-created_at", "{LONG}", 1]',
            '["-created_at", "\\ud800", 1]',
            f'["nope", "{UNKNOWN_ID}", 1]',
            f'["\\ud800", "{UNKNOWN_ID}", 1]',
        ],
    )
    async def test_a_forged_cursor_is_refused(self, http: httpx.AsyncClient, text: str):
        """It says which field is wrong, and nothing of it reaches the database."""
        params = {"cursor": cursor(text) or "="}

        assert fields_of(await http.get("/api/content", params=params)) == {"cursor"}

    async def test_all_wrong_parameters_are_named_at_once(self, http: httpx.AsyncClient):
        """Also those that only a closer look finds wrong."""
        params = {
            "page": "0",
            "pageSize": "1000",
            "cursor": "garbage",
            "date_from": "then",
            "date_to": "9999-12-31T23:59:59-10:00",
            "content_type": "nope",
            "search": "a\x00",
            "include": "x",
            "limit": "5",
        }
        answer = await http.get("/api/content", params=params)

        assert fields_of(answer) == {*(params.keys() - {"content_type"}), "content_type[0]"}


class TestPaths:
    """Ids that are none, and routes that are none."""

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    @pytest.mark.parametrize(
        "content_id",
        [
            "nope",
            "%00",
            "%2e%2e",
            "%2e%2e%2f",
            "..%2fquota",
            "%22",
            "'%20or%201=1--",
            LONG,
            f"{UNKNOWN_ID}%00",
            f"{UNKNOWN_ID}%0A",
            f"%20{UNKNOWN_ID}",
            "%ff",
            "%ed%a0%80",
            "%C3%A9",
            "{id}",
            "a;b",
            "*",
        ],
    )
    async def test_an_id_that_cannot_be_one_is_not_found(
        self, http: httpx.AsyncClient, method: str, content_id: str
    ):
        """404, as for any id that does not exist."""
        answer = await http.request(method, f"/api/content/{content_id}", json=WISHES.get(method))

        problem_of(answer, 404)

    @pytest.mark.parametrize(
        "path",
        [
            "/api/nope",
            "/api",
            "/api/",
            "/API/content",
            "/nope",
            "//api/content",
            "/api/content/a/b",
        ],
    )
    async def test_a_route_that_is_none_is_not_found(self, http: httpx.AsyncClient, path: str):
        """As a problem, like every other refusal, that says where the routes are."""
        assert "/docs" in problem_of(await http.get(path), 404)["detail"]

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "/api/content", {"GET", "POST"}),
            ("DELETE", "/api/content", {"GET", "POST"}),
            ("PATCH", "/api/content", {"GET", "POST"}),
            ("PUT", f"/api/content/{UNKNOWN_ID}", {"GET", "PATCH", "DELETE"}),
            ("POST", "/api/content/quota", {"GET"}),
            ("DELETE", "/api/content/quota", {"GET"}),
            ("POST", "/healthz", {"GET"}),
            ("DELETE", "/metrics", {"GET"}),
        ],
    )
    async def test_a_wrong_method_names_the_right_ones(
        self, http: httpx.AsyncClient, method: str, path: str, allowed: set[str]
    ):
        """405 with `Allow` (RFC 9110 section 15.5.6)."""
        answer = await http.request(method, path)

        assert "Allow" in problem_of(answer, 405)["detail"]
        assert {name.strip() for name in answer.headers["allow"].split(",")} >= allowed
        assert method not in answer.headers["allow"]


class TestHeaders:
    """Headers with a meaning, and headers without measure."""

    @pytest.mark.parametrize("key", [b"", b"a b", b"k" * 256, b"\xe9", b"a\tb", b'"'])
    async def test_a_bad_idempotency_key_is_named(self, http: httpx.AsyncClient, key: bytes):
        """422 rather than a creation that is not protected."""
        answer = await http.post("/api/content", json=draft(), headers=[(b"Idempotency-Key", key)])

        assert fields_of(answer) == {"Idempotency-Key"}

    @pytest.mark.parametrize("brand", [b"nope", b"x" * 500, b"\xe9", b"' or 1=1"])
    async def test_a_bad_brand_is_not_found(self, http: httpx.AsyncClient, brand: bytes):
        """Whatever the header holds, it is no brand of the caller."""
        headers = [(b"X-Brand-ID", brand)]

        problem_of(await http.post("/api/content", json=draft(), headers=headers), 404)
        problem_of(await http.get("/api/content", headers=headers), 404)

    @pytest.mark.parametrize(
        ("header", "status"),
        [("X-Nothing", 431), ("X-Brand-ID", 431), ("Idempotency-Key", 431), ("X-API-Key", 431)],
    )
    async def test_huge_headers_are_refused(
        self, http: httpx.AsyncClient, header: str, status: int
    ):
        """431 (RFC 6585), before anyone looks at what they say."""
        huge = {header: "x" * HEADER_LIMIT}

        problem_of(await http.post("/api/content", json=draft(), headers=huge), status)

    @pytest.mark.parametrize(
        ("header", "status"),
        [("X-Brand-ID", 404), ("Idempotency-Key", 422), ("X-API-Key", 401), ("If-Match", 422)],
    )
    async def test_large_headers_are_refused_for_what_they_say(
        self, http: httpx.AsyncClient, header: str, status: int
    ):
        """Below the limit of all headers, each is judged by its own rule."""
        large = {header: "x" * 60_000}
        answer = await (
            http.patch(f"/api/content/{UNKNOWN_ID}", json={"title": "x"}, headers=large)
            if header == "If-Match"
            else http.post("/api/content", json=draft(), headers=large)
        )

        problem_of(answer, status)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"FOO /api/content HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/content/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/content?search=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/content/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/content HTTP/1.1\r\nHost: x\r\nX-Brand-ID: a\x00b\r\n\r\n",
        b"POST /api/content HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /api/content HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused(daemon: SharedDaemon, request_bytes: bytes):
    """400, and the connection is closed: nobody knows where the next request would begin."""
    answer = await anyio.to_thread.run_sync(exchange, daemon.process.port, request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")


def exchange(port: int, request_bytes: bytes) -> bytes:
    """All that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(request_bytes)
        return b"".join(iter(lambda: link.recv(65_536), b""))
