"""A collector of spans on a real socket, which understands OTLP/HTTP and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.patience import PATIENCE_S


class Told:
    """A span as it arrived."""

    def __init__(self, span: Any) -> None:
        self.name: str = span.name
        self.trace_id: str = span.trace_id.hex()
        self.span_id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.links = {(link.trace_id.hex(), link.span_id.hex()) for link in span.links}
        self.failure: str = span.status.message
        self.attributes = {
            one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes
        }


class Collector:
    """Keeps what it is told; `hangs` takes a call and never answers."""

    def __init__(self) -> None:
        self.url = ""
        self.hangs = False
        self.asked = anyio.Event()
        self.spans: list[Told] = []
        self._news = anyio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """Take what an exporter sends."""
        self.asked.set()
        if self.hangs:
            await anyio.sleep_forever()
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.spans += map(Told, scope.spans)
        self._news.set()
        self._news = anyio.Event()
        return web.Response(content_type="application/x-protobuf")

    async def first(self, name: str, fits: Callable[[Told], bool] = lambda _: True) -> Told:
        """Wait for a span of this name."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                for span in self.spans:
                    if span.name == name and fits(span):
                        return span
                await self._news.wait()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that listens."""
    collector = Collector()
    app = web.Application()
    app.add_routes([web.post("/v1/traces", collector.take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
        yield collector
    finally:
        await runner.cleanup()
