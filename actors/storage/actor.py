"""The storage actor: brings the embedded PostgreSQL back when it dies under the daemon.

Connections break when the server goes; the pools open new ones when it is back, so nobody else
needs to be restarted.
"""

from contextlib import AsyncExitStack

import anyio

from actors.storage.messages import ServerDied, StorageMessage
from engarde_daemon.core import Actor
from engarde_daemon.ports.server import DatabaseServer


class Storage(Actor[StorageMessage]):
    """Watches the embedded server."""

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to watch."""
        watch = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(watch.cancel_scope.cancel)
        watch.start_soon(self._watch)

    async def receive(self, message: StorageMessage) -> None:
        """Start the server again."""
        del message
        await self._server.start()

    async def _watch(self) -> None:
        while True:
            await self._server.wait_died()
            await self.own.ask(ServerDied(), timeout_s=180.0)
