"""What operators and their machines read: probes, metrics, the API's description, the log."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, draft
from tests.support.daemon import SharedDaemon, Tenant

METRICS = {
    "engarde_http_requests_total",
    "engarde_http_request_duration_seconds_bucket",
    "engarde_http_request_duration_seconds_sum",
    "engarde_http_request_duration_seconds_count",
    "engarde_staged_bytes",
    "engarde_reservations_pending",
    "engarde_quota_drift",
    "engarde_postgres_up",
    "engarde_mailbox_depth",
    "engarde_actor_restarts",
    "engarde_actor_messages_total",
    "engarde_actor_batches_total",
    "engarde_build_info",
    "engarde_event_loop_lag_seconds",
    "engarde_http_requests_in_flight",
    "engarde_idempotent_replays_total",
    "engarde_pool_connections",
    "engarde_ready",
    "process_cpu_seconds_total",
}
ROUTES = {
    "/api/content": {"get": "listContent", "post": "createContent"},
    "/api/content/{content_id}": {
        "get": "readContent",
        "patch": "updateContent",
        "delete": "deleteContent",
    },
    "/api/content/quota": {"get": "readQuota"},
    "/healthz": {"get": "readLiveness"},
    "/readyz": {"get": "readReadiness"},
    "/metrics": {"get": "readMetrics"},
}
CANARY = "canary-4f7d0e"


class TestProbes:
    """`/healthz` and `/readyz`."""

    async def test_a_daemon_that_runs_is_alive(self, http: httpx.AsyncClient):
        """No actor is stuck."""
        answer = await http.get("/healthz")

        assert (answer.status_code, answer.json()) == (200, {"status": "alive", "stuck": []})

    async def test_a_daemon_that_can_promise_is_ready(self, http: httpx.AsyncClient):
        """Nothing keeps it from taking a write."""
        answer = await http.get("/readyz")

        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reason": None})


class TestMetrics:
    """`/metrics` in Prometheus' text format."""

    async def test_every_promised_metric_is_there(self, http: httpx.AsyncClient):
        """Rates, errors and durations of routes, and how the daemon stands."""
        await created(http)
        answer = await http.get("/metrics")

        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert names_in(answer.text) >= METRICS

    async def test_requests_are_counted_by_route_and_status(self, http: httpx.AsyncClient):
        """By the route's pattern, not by the path that was asked for."""
        labels = '{method="GET",route="/api/content/{content_id}",status="404"}'
        before = value_in((await http.get("/metrics")).text, f"engarde_http_requests_total{labels}")
        for number in range(3):
            await http.get(f"/api/content/unknown-{number}")
        after = value_in((await http.get("/metrics")).text, f"engarde_http_requests_total{labels}")

        assert after - before == 3

    async def test_no_label_holds_what_a_caller_chose(
        self, http: httpx.AsyncClient, tenant: Tenant
    ):
        """Neither tenants and ids nor paths nor methods of their invention."""
        made = await created(http, title=CANARY)
        await http.get(f"/api/content/{CANARY}")
        await http.get(f"/{CANARY}", headers={"X-Request-ID": CANARY})
        await http.get("/api/content", params={"search": CANARY})
        text = (await http.get("/metrics")).text

        for secret in (CANARY, made["id"], tenant.tenant_id, tenant.brand_id, tenant.user_id):
            assert secret not in text

    async def test_a_creation_that_was_repeated_is_counted(self, http: httpx.AsyncClient):
        """Once for each repetition, and not for the first."""
        name = "engarde_idempotent_replays_total"
        before = value_in((await http.get("/metrics")).text, name)
        for _ in range(3):
            await http.post(
                "/api/content", json=draft(), headers={"Idempotency-Key": "counted-once"}
            )
        after = value_in((await http.get("/metrics")).text, name)

        assert after - before == 2

    async def test_whoever_asks_is_in_flight_alone(self, http: httpx.AsyncClient):
        """Every request that was answered or refused is out of it again."""
        await http.get("/api/content/unknown")
        await http.get("/nowhere")
        text = (await http.get("/metrics")).text

        assert value_in(text, "engarde_http_requests_in_flight") == 1

    async def test_the_work_of_actors_is_counted(self, http: httpx.AsyncClient):
        """In messages, and in the batches that they came in."""
        actor = '{actor="root/ingest"}'
        before = (await http.get("/metrics")).text
        await created(http)
        after = (await http.get("/metrics")).text

        for name in ("engarde_actor_messages_total", "engarde_actor_batches_total"):
            assert value_in(after, name + actor) - value_in(before, name + actor) == 1
        assert value_in(after, f"engarde_mailbox_capacity{actor}") == 1024

    async def test_the_ledger_does_not_drift(self, http: httpx.AsyncClient):
        """Whatever the tests of this run did."""
        text = (await http.get("/metrics")).text

        assert value_in(text, "engarde_quota_drift") == 0
        assert value_in(text, "engarde_postgres_up") == 1

    async def test_no_actor_was_restarted(self, daemon: SharedDaemon, http: httpx.AsyncClient):
        """Whatever the tests of this run sent, except those that wished it."""
        lines = (await http.get("/metrics")).text.splitlines()
        restarts = [line for line in lines if line.startswith("engarde_actor_restarts{")]
        wished = tuple(f'/{actor}"' for actor in daemon.restarted)

        assert restarts
        assert [
            line
            for line in restarts
            if not line.endswith(" 0.0") and not any(name in line for name in wished)
        ] == []


def names_in(exposition: str) -> set[str]:
    """The names of all samples."""
    lines = exposition.splitlines()
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines if not line.startswith("#")}


def value_in(exposition: str, sample: str) -> float:
    """The value of one sample; one that is not there yet counts nothing."""
    found = [line for line in exposition.splitlines() if line.startswith(f"{sample} ")]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


class TestDescription:
    """`/schema`, the OpenAPI document."""

    async def test_every_route_is_described(self, http: httpx.AsyncClient):
        """Under a name that generated clients may rely on."""
        answer = await http.get("/schema")
        paths: dict[str, Any] = answer.json()["paths"]

        assert answer.json()["openapi"].startswith("3.")
        for path, operations in ROUTES.items():
            described = {name: paths[path][name]["operationId"] for name in operations}
            assert described == operations

    async def test_the_way_to_send_a_key_is_described(self, http: httpx.AsyncClient):
        """As an API key in a header."""
        schemes = (await http.get("/schema")).json()["components"]["securitySchemes"]

        assert {"type": "apiKey", "name": "X-API-Key", "in": "header"}.items() <= (
            schemes["apiKey"].items()
        )


class TestLog:
    """Standard error: one JSON object a line."""

    async def test_a_request_is_one_line_with_its_id(
        self, daemon: SharedDaemon, http: httpx.AsyncClient
    ):
        """Under which an answer's story is found; what was searched for is nobody's business."""
        answer = await http.get("/api/content", params={"search": "secret"})
        (line,) = await events_of(daemon, answer.headers["x-request-id"])

        assert {name: line[name] for name in ("event", "method", "path", "status")} == {
            "event": "request",
            "method": "GET",
            "path": "/api/content",
            "status": 200,
        }
        assert line["ms"] >= 0
        assert line["level"] == "info"
        assert line["timestamp"].endswith("Z")

    async def test_every_line_is_json(self, daemon: SharedDaemon, http: httpx.AsyncClient):
        """Also what libraries say, whatever the tests of this run did."""
        await created(http)
        lines = (await daemon.logged()).splitlines()

        assert lines
        assert all(isinstance(json.loads(line), dict) for line in lines)

    @pytest.mark.parametrize(
        ("method", "path", "rest"),
        [
            ("POST", "/api/content", {"json": draft(title=CANARY, body=CANARY * 50)}),
            ("POST", "/api/content", {"json": draft(tags=[CANARY], metadata={CANARY: CANARY})}),
            ("POST", "/api/content", {"json": {"title": [CANARY], CANARY: {"a": CANARY}}}),
            ("POST", "/api/content", {"content": f'{{"title": "{CANARY}'.encode()}),
            ("POST", "/api/content", {"content": CANARY.encode() + b"\xff"}),
            ("POST", "/api/content", {"json": draft(), "headers": {"Idempotency-Key": CANARY}}),
            ("POST", "/api/content", {"json": draft(), "headers": {"X-Brand-ID": CANARY}}),
            ("GET", "/api/content", {"params": {"search": CANARY, "tags": CANARY}}),
            ("GET", "/api/content", {"params": {"cursor": CANARY, CANARY: "x"}}),
            ("PATCH", "/api/content/x", {"json": {"body": CANARY}}),
            ("PATCH", "/api/content/x", {"json": {}, "headers": {"If-Match": CANARY}}),
            ("GET", "/api/content", {"headers": {"Cookie": CANARY, "User-Agent": CANARY}}),
        ],
    )
    async def test_nothing_that_was_sent_is_logged(
        self,
        daemon: SharedDaemon,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        rest: dict[str, Any],
    ):
        """Neither content nor what came in its place."""
        before = daemon.process.log.stat().st_size
        await http.request(method, path, **rest)
        logged = await daemon.logged(before)

        assert b'"event":"request"' in logged
        assert CANARY.encode() not in logged

    @pytest.mark.parametrize("form", ["header", "bearer", "wrong", "query", "path"])
    async def test_no_key_is_logged(self, daemon: SharedDaemon, tenant: Tenant, form: str):
        """Wherever a caller puts it, rightly or by mistake."""
        key = daemon.new_key(tenant)
        secret = key.api_key.rpartition("_")[2]
        before = daemon.process.log.stat().st_size
        async with daemon.caller(None) as http:
            await send_key(http, key.api_key, form)

        assert secret.encode() not in await daemon.logged(before)


async def send_key(http: httpx.AsyncClient, api_key: str, form: str) -> httpx.Response:
    """Send a key in one of the forms in which keys are sent."""
    ways: dict[str, Any] = {
        "header": ("/api/content", {"X-API-Key": api_key}),
        "bearer": ("/api/content", {"Authorization": f"Bearer {api_key}"}),
        "wrong": ("/api/content", {"X-API-Key": f"{api_key}x"}),
        "query": (f"/api/content?api_key={api_key}", {}),
        "path": (f"/api/content/{api_key}", {}),
    }
    path, headers = ways[form]
    return await http.get(path, headers=headers)


async def events_of(daemon: SharedDaemon, request_id: str) -> list[dict[str, Any]]:
    """What was logged under a request's id."""
    lines = (await daemon.logged()).splitlines()
    return [json.loads(line) for line in lines if request_id.encode() in line]
