"""The outermost layer of the edge: request id, caller, one log line and the counters of a request.

Owns the promise that every answer carries the id under which its story is found in the log.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.measures import Measures
from engarde_daemon.api.origins import Origins
from engarde_daemon.api.problems import MEDIA_TYPE, Problem, problem_of
from engarde_daemon.api.rates import Headers, Rates
from engarde_daemon.api.receiving import patient
from engarde_daemon.api.trail import Trail
from engarde_daemon.domain.errors import Forbidden
from engarde_daemon.domain.vitals import Vitals

_LOG = structlog.get_logger("engarde.http")
_PATH_CHARACTERS_MAX = 200
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS_BYTES_MAX = 65_536  # httptools 0.9 has no bound of its own
_LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
_MADE = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
MAY_ONLY_LOOK = (b"engarde-role", b"viewer")
"""Tells a dashboard that it need not offer what would be refused."""
TOO_MANY_HEADERS = Problem(
    type="headers_too_large",
    title="The headers are too large",
    status=431,
    detail=f"All headers of a request may hold {_HEADERS_BYTES_MAX} bytes together.",
)


class Front:
    """Wraps the Litestar app; everything below `/api/` needs a caller."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticate: Authenticate,
        rates: Rates,
        origins: Origins,
        trail: Trail,
        measures: Measures,
        vitals: Callable[[], Vitals],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._rates = rates
        self._origins = origins
        self._trail = trail
        self._measures = measures
        self._vitals = vitals
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = self._clock()
        self._measures.began()
        tracked = _Tracked(_request_id(scope), send)
        if self._vitals().is_leaving:
            # Whoever keeps a connection open would otherwise learn of the end by its being cut.
            tracked.headers.append((b"connection", b"close"))
        try:
            await self._serve(scope, receive, tracked)
        except Exception as error:  # noqa: BLE001 - the API's edge: every error becomes an answer
            await _refuse(problem_of(error), tracked, self._origins.headers(scope))
        finally:
            self._note(scope, tracked, self._clock() - began)

    async def _serve(self, scope: Scope, receive: Receive, tracked: "_Tracked") -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEADERS_BYTES_MAX:
            await _refuse(TOO_MANY_HEADERS, tracked, self._origins.headers(scope))
            return
        if scope["path"].startswith("/api/") and not self._origins.is_preflight(scope):
            await self._admit(scope, tracked)
        await self._app(scope, patient(receive), tracked.send)

    async def _admit(self, scope: Scope, tracked: "_Tracked") -> None:
        principal = scope["user"] = await self._authenticate(scope["headers"])
        try:
            self._rates.admit(principal)
        finally:
            tracked.headers += self._rates.headers(principal)
        if not principal.read_only:
            return
        tracked.headers.append(MAY_ONLY_LOOK)
        if scope["method"] not in _LOOKING:  # type: ignore[typeddict-item]
            raise Forbidden("This key is read-only: it may look, and change nothing.")

    def _note(self, scope: Scope, tracked: "_Tracked", took_s: float) -> None:
        self._trail.note(
            scope,
            status=tracked.status,
            request_id=tracked.request_id.decode(),
            location=tracked.location,
        )
        if tracked.is_replay:
            self._measures.replayed()
        route = scope.get("path_template") or "none"
        self._measures.request(scope["method"], str(route), status=tracked.status, took_s=took_s)  # type: ignore[typeddict-item]
        _LOG.info(
            "request",
            request_id=tracked.request_id.decode(),
            method=scope["method"],  # type: ignore[typeddict-item]
            path=_printable(scope["path"][:_PATH_CHARACTERS_MAX]),
            status=tracked.status,
            ms=round(took_s * 1000, 2),
        )


def _printable(path: str) -> str:
    """The path without what a terminal would obey, or show in another order."""
    return path if path.isascii() and path.isprintable() else quote(path)


class _Tracked:
    """A `send` that remembers the status and adds headers: the request's id at least."""

    __slots__ = ("_send", "headers", "is_replay", "location", "request_id", "status")

    def __init__(self, request_id: bytes, send: Send) -> None:
        self.request_id = request_id
        self.headers = [(b"x-request-id", request_id)]
        self.status = 0
        self.location = ""
        self.is_replay = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self.headers]
            if self.status in _MADE:
                self.is_replay = _value_of(b"idempotent-replayed", message["headers"]) != ""
            if self.status == HTTPStatus.CREATED:
                self.location = _value_of(b"location", message["headers"])
        await self._send(message)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return secrets.token_hex(8).encode()


def _value_of(wanted: bytes, headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


async def _refuse(problem: Problem, tracked: _Tracked, more: Headers) -> None:
    if tracked.status:
        return  # the answer is under way already; uvicorn closes the connection
    body = problem.body()
    headers: Headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *more,
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    start: Any = {"type": "http.response.start", "status": problem.status, "headers": headers}
    await tracked.send(start)
    await tracked.send({"type": "http.response.body", "body": body, "more_body": False})
