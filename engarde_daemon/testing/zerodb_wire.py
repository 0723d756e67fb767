"""Just enough HTTP/1.1 for a server that has to misbehave: requests read, answers written.

A framework would keep its promises on the wire; a test needs one that can break them.

https://www.rfc-editor.org/rfc/rfc9112
"""

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
import msgspec
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

HEAD_BYTES_MAX = 65_536
BODY_BYTES_MAX = 256 * 1024**2
CRUMB_PAUSE_S = 0.2

Received: TypeAlias = BufferedByteReceiveStream


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it goes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """The request is none that was documented; `status` and `detail` say why, as FastAPI does."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(status, detail)
        self.answer = Answer(status=status, body={"detail": detail})


async def read_request(received: Received) -> Request | None:
    """The next request of a connection, or None when the caller has closed it."""
    try:
        head = await received.receive_until(b"\r\n\r\n", HEAD_BYTES_MAX)
    except anyio.IncompleteRead:
        return None
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
    length = int(headers.get("content-length", "0"))
    if length > BODY_BYTES_MAX or "transfer-encoding" in headers:
        raise Refusal(413, "Send a Content-Length that is not too large")
    parts = urlsplit(target)
    return Request(
        method=method,
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query)),
        headers=headers,
        body=await received.receive_exactly(length) if length else b"",
    )


def encoded(answer: Answer) -> bytes:
    """The bytes of an answer."""
    body = answer.body if isinstance(answer.body, bytes) else _json(answer.body)
    fields = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def send_in_crumbs(stream: SocketStream, data: bytes) -> None:
    """Send an answer byte by byte."""
    for byte in data:
        await stream.send(bytes([byte]))
        await anyio.sleep(CRUMB_PAUSE_S)


def _json(value: Any) -> bytes:
    return b"" if value is None else msgspec.json.encode(value)
