"""A hint from daemon to daemon: NOTIFY on a connection of its own.

Owns the two manners of NOTIFY. It is never sent in the transaction of a write, because PostgreSQL
lets one such transaction commit at a time. And it is only a hint: it is lost while nobody listens,
so whoever waits for it looks by themselves now and then.
"""

from collections.abc import Awaitable, Callable

import anyio
import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import Unavailable

CHANNEL = "engarde_events"
RING_TIMEOUT_S = 2.0

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class PostgresBell:
    """The `Bell` port: one connection that rings and listens, opened again when it breaks."""

    def __init__(self, connect: Connect, *, retry_s: float) -> None:
        self._connect = connect
        self._retry_s = retry_s
        self._connection: asyncpg.Connection | None = None
        self._rung = anyio.Event()

    async def ring(self) -> None:
        """See `Bell.ring`."""
        connection = self._connection
        if connection is None:
            return
        try:
            with translated():
                await connection.execute(f"notify {CHANNEL}", timeout=RING_TIMEOUT_S)
        except Unavailable:
            connection.terminate()

    async def heard(self) -> None:
        """See `Bell.heard`."""
        await self._ensure_connected()
        await self._rung.wait()
        self._rung = anyio.Event()

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _ensure_connected(self) -> None:
        while self._connection is None or self._connection.is_closed():
            self._connection = None
            try:
                with translated():
                    connection = await self._connect()
                    await connection.add_listener(CHANNEL, self._hear)
            except Unavailable:
                await anyio.sleep(self._retry_s)
                continue
            connection.add_termination_listener(self._lost)
            self._connection = connection
            self._rung.set()  # something may have happened meanwhile

    def _hear(self, connection: asyncpg.Connection, pid: int, *_: object) -> None:
        if pid != connection.get_server_pid():
            self._rung.set()

    def _lost(self, _: asyncpg.Connection) -> None:
        self._rung.set()
