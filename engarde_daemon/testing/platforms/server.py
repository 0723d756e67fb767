"""What fake ad platforms have in common: files behind signed addresses, and troubles in a row.

Owns the book of what was asked. A request that is not what the platform documents is refused before
any trouble is taken from the row, so that a test's troubles meet the requests that they are for.
"""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec


class Trouble(Enum):
    """What may become of a good request."""

    THROTTLED = auto()
    STALE_TOKEN = auto()
    DEAD_TOKEN = auto()
    BROKEN = auto()  # 500
    HALF = auto()  # the answer breaks off in its middle
    LATE = auto()  # the answer begins well and ends in an error
    TOO_MUCH = auto()  # only less at once is answered
    SAID_WITH_200 = auto()  # an error, where one looks for an answer


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def host(self) -> str:
        """Where the platform was found."""
        return f"http://{self.headers['host']}"

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Refused(Exception):
    """The request is answered with an error, as the platform writes it."""

    def __init__(
        self, status: int, document: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(status))
        self.status = status
        self.document = document
        self.headers = headers or {}


class FakePlatform(ABC):
    """An ASGI application; subclasses know the dialect."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.troubles: deque[Trouble] = deque()
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.stale_urls = 0

    def url_of(self, asked: Asked, name: str) -> str:
        """Where a file is for a while; the first `stale_urls` of them have run out already."""
        signature = "stale" if self.stale_urls else "fresh"
        self.stale_urls = max(0, self.stale_urls - 1)
        return f"{asked.host}/files/{name}?signature={signature}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        asked = await _read(scope, receive)
        if asked.path.startswith("/files/"):
            await self._give_file(asked, send)
            return
        try:
            document = self.answer(asked)
            self.asked.append(asked)
            is_due = self.troubles and self.meets_troubles(asked)
            trouble = self.troubles.popleft() if is_due else None
            if trouble is Trouble.LATE:
                document = self.spoilt(document)
            elif trouble not in {None, Trouble.HALF}:
                raise self.refusal(trouble)
        except Refused as refused:
            await _send(send, refused.status, _json(refused.document), headers=refused.headers)
            return
        is_whole = trouble is not Trouble.HALF
        await _send(send, HTTPStatus.OK, _json(document), is_whole=is_whole)

    @abstractmethod
    def answer(self, asked: Asked) -> Any:
        """The answer to a good request.

        Raises:
            Refused: Something is not as it is documented.
        """

    def meets_troubles(self, asked: Asked) -> bool:
        """Whether troubles are for requests of this kind."""
        del asked
        return True

    @abstractmethod
    def refusal(self, trouble: Trouble) -> Refused:
        """A trouble as this platform writes it."""

    def spoilt(self, document: Any) -> Any:
        """An answer that began well and ended in an error, on platforms that answer in parts.

        Raises:
            Refused: This one answers at once.
        """
        del document
        raise self.refusal(Trouble.BROKEN)

    async def _give_file(self, asked: Asked, send: Any) -> None:
        name = asked.path.removeprefix("/files/")
        self.fetched.append(name)
        if asked.query.get("signature") != "fresh":
            await _send(send, HTTPStatus.FORBIDDEN, b"URL signature expired")
        elif name not in self.files:
            await _send(send, HTTPStatus.NOT_FOUND, b"")
        else:
            await _send(send, HTTPStatus.OK, self.files[name])


async def _read(scope: Any, receive: Any) -> Asked:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Asked(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={name.decode(): value.decode() for name, value in scope["headers"]},
        body=body,
    )


async def _send(
    send: Any,
    status: int,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    is_whole: bool = True,
) -> None:
    lines = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    if is_whole:
        await send({"type": "http.response.body", "body": body})
        return
    # Left open: uvicorn cuts the connection when an application ends in the middle.
    half = body[: len(body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
