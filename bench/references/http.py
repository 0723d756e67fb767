"""The thinnest HTTP layer that can route the content API: bare ASGI, no framework."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_ITEM = "/api/content/"


class Refused(Exception):
    """The request gets `status` for an answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ContentApi(Protocol):
    """What a reference must answer; every method takes the caller's key and gives JSON."""

    async def create(self, key: str, document: bytes) -> bytes:
        """Store one item."""

    async def get(self, key: str, item_id: str) -> bytes:
        """Read one item."""

    async def page(self, key: str, query: dict[str, list[str]]) -> bytes:
        """Read one page of the caller's brand."""

    async def change(self, key: str, item_id: str, document: bytes) -> bytes:
        """Change one item."""


class ContentApp:
    """Routes requests to a `ContentApi`."""

    def __init__(self, api: ContentApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            status, answer = await self._route(scope, receive)
        except Refused as refusal:
            status, answer = refusal.status, b"{}"
        except msgspec.ValidationError as fault:
            status, answer = 422, msgspec.json.encode({"detail": str(fault)})
        await respond(send, status, answer)

    async def _route(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        method, path = scope["method"], scope["path"]
        if path == "/readyz":
            return 200, b"{}"
        key = _key_of(scope)
        if path == "/api/content" and method == "POST":
            return 201, await self._api.create(key, await body_of(receive))
        if path == "/api/content":
            return 200, await self._api.page(key, parse_qs(scope["query_string"].decode()))
        if not path.startswith(_ITEM):
            raise Refused(404)
        if method == "PATCH":
            document = await body_of(receive)
            return 200, await self._api.change(key, path[len(_ITEM) :], document)
        return 200, await self._api.get(key, path[len(_ITEM) :])


def _key_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value, "latin-1")
    raise Refused(401)


async def body_of(receive: Receive) -> bytes:
    """Read the whole body of a request."""
    event = await receive()
    body: bytes = event.get("body", b"")
    while event.get("more_body"):
        event = await receive()
        body += event.get("body", b"")
    return body


async def respond(send: Send, status: int, answer: bytes) -> None:
    """Send one JSON answer."""
    length = str(len(answer)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
