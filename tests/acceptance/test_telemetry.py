"""Spans of a real daemon, from a request to the stores."""

from collections.abc import AsyncIterator

import pytest

from tests.support.collector import Collector, Told, collecting
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon, cleared_away_after

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Who is told of spans."""
    async with collecting() as collector:
        yield collector


@pytest.fixture
async def daemon(collector: Collector) -> AsyncIterator[Daemon]:
    """A daemon that tells its spans."""
    environ = {"ENGARDE_TELEMETRY__ENDPOINT": collector.url, "ENGARDE_LOG__FORMAT": "json"}
    with enterable_directory(in_memory=True) as directory:
        async with cleared_away_after(Daemon(directory / "data", environ=environ)) as daemon:
            await daemon.start()
            yield daemon


def of_request(span: Told) -> bool:
    """Whether it goes on with the caller's trace."""
    return (span.trace_id, span.parent_id) == (TRACE, SPAN)


async def test_a_write_is_followed_from_its_caller_to_the_stores(
    daemon: Daemon, collector: Collector
):
    """By one trace, which the log names, too; what is done for many is linked to each."""
    async with daemon.client() as http:
        answer = await http.post("/api/content", json={"title": "T", "body": "B"}, headers=HEADERS)
        untraced = await http.get("/healthz")
    assert (answer.status_code, untraced.status_code) == (201, 200)

    request = await collector.first("request", of_request)
    commit = await collector.first("ingest commit", lambda span: span.trace_id == TRACE)
    cause = (TRACE, request.span_id)
    delivery = await collector.first("delivery", lambda span: cause in span.links)
    replication = await collector.first("replication", lambda span: cause in span.links)

    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["engarde.request_id"] == answer.headers["X-Request-ID"]
    assert commit.parent_id == request.span_id
    assert delivery.attributes["engarde.settled"] == 1
    assert replication.attributes["engarde.stored"] == 1
    lines = [line for line in daemon.events() if line.get("trace_id") == TRACE]
    assert answer.headers["X-Request-ID"] in [line.get("request_id") for line in lines]
    assert await daemon.stop() == 0
