"""Spans to a collector over OTLP/HTTP, by OpenTelemetry's own exporter.

Owns its manners: spans wait in a queue of a fixed length, a thread of its own sends them with a
deadline, and what cannot be sent is dropped. Nobody who works ever waits for it. The library is an
extra, imported only where an endpoint is set (https://opentelemetry.io/docs/specs/otlp/).
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

import anyio
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from engarde_daemon.config.settings import Telemetry
from engarde_daemon.domain.tracing import PRESENT
from engarde_daemon.ports.tracing import Attribute, Span

SPANS_WAITING_MAX = 4_096
SPANS_AT_ONCE = 512
SEND_EVERY_S = 2.0
REASON_CHARACTERS_MAX = 300
_HEADER = "traceparent"
_W3C = TraceContextTextMapPropagator()


class OtelSpan:
    """The `Span` port on a span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        """See `Span.traceparent`."""
        if not self._span.is_recording():
            return None
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._span, Context()))
        return carrier.get(_HEADER)

    def set(self, attributes: Mapping[str, Attribute]) -> None:
        """See `Span.set`."""
        self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """See `Span.fail`."""
        self._span.set_status(Status(StatusCode.ERROR, reason[:REASON_CHARACTERS_MAX]))

    def end(self) -> None:
        """See `Span.end`."""
        if self._span.is_recording():
            self._span.end()


class OtelTracer:
    """The `Tracer` port on a tracer of OpenTelemetry."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def begin(
        self,
        name: str,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        serves: bool = False,
    ) -> Span:
        """See `Tracer.begin`."""
        return OtelSpan(
            self._tracer.start_span(
                name,
                context=_context(parent),
                kind=SpanKind.SERVER if serves else SpanKind.INTERNAL,
                links=[Link(_named(link)) for link in links],
            )
        )

    @contextmanager
    def span(
        self, name: str, *, parent: str | None = None, links: Sequence[str] = ()
    ) -> Iterator[Span]:
        """See `Tracer.span`."""
        span = self.begin(name, parent=parent or PRESENT.get(), links=links)
        try:
            yield span
        except Exception as error:
            span.fail(type(error).__name__)
            raise
        finally:
            span.end()


@asynccontextmanager
async def opened(settings: Telemetry, version: str) -> AsyncIterator[OtelTracer]:
    """A tracer to the collector of the settings; in the end it sends what still waits, or drops it."""
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=settings.timeout_s)
    provider = TracerProvider(
        resource=Resource.create(
            {"service.name": settings.service_name, "service.version": version}
        ),
        sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=SPANS_WAITING_MAX,
            max_export_batch_size=SPANS_AT_ONCE,
            schedule_delay_millis=SEND_EVERY_S * 1000,
            export_timeout_millis=settings.timeout_s * 1000,
        )
    )
    try:
        yield OtelTracer(provider.get_tracer("engarde"))
    finally:
        with anyio.move_on_after(settings.timeout_s, shield=True):
            await anyio.to_thread.run_sync(
                provider.shutdown, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
            )


def _context(parent: str | None) -> Context:
    return _W3C.extract({_HEADER: parent}, Context()) if parent else Context()


def _named(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()
