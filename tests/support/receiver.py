"""A real server on this machine that webhooks call, and that answers as it is told."""

import base64
import hashlib
import hmac
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import msgspec
import uvicorn

from tests.support.patience import PATIENCE_S


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """How one call is answered; `hangs` never."""

    status: int = 204
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    hangs: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id of the message."""
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        """What it says."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of its signatures was made with this secret."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """Takes calls; those without a reaction of their own get the usual one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.calls: list[Call] = []
        self.next_reactions: deque[Reaction] = deque()
        self.usual_reaction = Reaction()
        self._arrived = anyio.Event()

    async def arrived(self, count: int, within_s: float = PATIENCE_S) -> list[Call]:
        """The calls so far, once there are this many."""
        with anyio.fail_after(within_s):
            while len(self.calls) < count:
                await self._arrived.wait()
        return list(self.calls)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one call, as an ASGI application."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.calls.append(Call(path=scope["path"], headers=headers, body=body))
        self._arrived.set()
        self._arrived = anyio.Event()
        await _react(self._reaction(), receive, send)

    def _reaction(self) -> Reaction:
        return self.next_reactions.popleft() if self.next_reactions else self.usual_reaction


async def _react(reaction: Reaction, receive: Any, send: Any) -> None:
    if reaction.hangs:
        while (await receive())["type"] != "http.disconnect":
            continue
        return
    start = {"status": reaction.status, "headers": list(reaction.headers)}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": reaction.body})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that serves until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(listener.getsockname()[1])
        server = _Server(
            uvicorn.Config(receiver, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield receiver
            server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the test run's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
