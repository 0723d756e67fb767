"""A span for every request below `/api/`, which goes on with the caller's trace where there is one.

Owns the thread between the three: the trace stands in the log line of the request, the id of the
request stands in the span, and whatever the request writes carries the trace along.
"""

import re
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from engarde_daemon.domain.tracing import PRESENT
from engarde_daemon.ports.tracing import Span, Tracer

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_FAULT = 500


class Traced:
    """Wraps the whole edge."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        span = self._tracer.begin("request", parent=_parent_of(scope), serves=True)
        present = PRESENT.set(span.traceparent)
        noted = structlog.contextvars.bind_contextvars(**_named(span))
        try:
            await self._app(scope, receive, _Watched(span, send))
        finally:
            structlog.contextvars.reset_contextvars(**noted)
            PRESENT.reset(present)
            route = str(scope.get("path_template") or "none")
            span.set({"http.request.method": str(scope["method"]), "http.route": route})
            span.end()


class _Watched:
    """A `send` that tells the span how it went."""

    def __init__(self, span: Span, send: Send) -> None:
        self._span = span
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            ids = [value for name, value in message["headers"] if name == b"x-request-id"]
            self._span.set({"http.response.status_code": message["status"]})
            if ids:
                self._span.set({"engarde.request_id": ids[0].decode()})
            if message["status"] >= _FAULT:
                self._span.fail(f"status {message['status']}")
        await self._send(message)


def _parent_of(scope: Any) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent" and _TRACEPARENT.fullmatch(value):
            return str(value.decode())
    return None


def _named(span: Span) -> dict[str, str]:
    traceparent = span.traceparent
    return {"trace_id": traceparent.split("-")[1]} if traceparent else {}
