"""The edge: uvicorn under supervision.

Owns the order at the ends of a life: requests are taken only when everything behind them runs, and
a stop first lets the requests under way finish. If the server dies, this actor crashes with it.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from socket import socket
from typing import Any, Protocol

import anyio
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from actors.edge.corking import Corked
from actors.edge.stalling import Patience
from engarde_daemon.core import Actor, Message


class Silence(Message, frozen=True):
    """Nothing is ever said to the edge."""


class Streams(Protocol):
    """Answers without an end, which must be ended before the server can be."""

    def open(self) -> None:
        """Let new ones begin."""

    def close(self) -> None:
        """End them all and let none begin."""


class Edge(Actor[Silence]):
    """Serves one ASGI application on a socket that is bound already."""

    def __init__(
        self, app: Any, listener: socket, *, streams: Streams, grace_s: float, stall_s: float
    ) -> None:
        self._listener = listener
        self._streams = streams
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=_speaking_http(stall_s),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, int(grace_s)),
            )
        )

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to serve."""
        tasks = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._end)
        self._streams.open()
        tasks.start_soon(self._serve)

    async def receive(self, message: Silence) -> None:
        """Say nothing to what says nothing."""

    async def _serve(self) -> None:
        # A duplicate, because uvicorn closes what it serves and a restart must serve it again.
        await self._server.serve(sockets=[self._listener.dup()])
        if not self._server.should_exit:
            raise RuntimeError("the HTTP server ended by itself")

    def _end(self) -> None:
        # Never by cancellation: that would cut requests off and make uvicorn 0.54 log a traceback.
        self._server.should_exit = True
        self._streams.close()


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the daemon's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _HttpTools(HttpToolsProtocol):
    """Gathers the writes of an answer, sees that they are read, and lends it its connection.

    ASGI 3 has no word for hanging up on who reads no more.
    """

    stall_s: float

    def connection_made(self, transport: Any) -> None:
        patience = Patience(transport, stall_s=self.stall_s, later=self.loop.call_later)
        corked = Corked(transport, self.loop.call_soon, patience.wrote)
        super().connection_made(corked)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["connection"] = self.transport


def _speaking_http(stall_s: float) -> type[_HttpTools]:
    """The protocol with this patience: uvicorn makes one for each connection, from its class."""
    return type("HttpTools", (_HttpTools,), {"stall_s": stall_s})
