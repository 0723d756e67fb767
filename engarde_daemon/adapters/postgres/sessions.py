"""Connections to PostgreSQL, in two kinds that never mix.

Owns the separation of rights: readers log in under `engarde_api`, see one tenant at a time under
row level security and cannot write; writers log in under `engarde_actor` and are reachable from
actors only. Settings are local to a statement or transaction everywhere in this project, which is
why a connection goes back to its pool without the round trip of a reset.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.vitals import PoolVitals


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections of each kind, and how long anything may take, in seconds."""

    readers: int = 8
    writers: int = 6
    statement_timeout_s: float = 15.0
    connect_timeout_s: float = 10.0


class Sessions:
    """The open pools; use as an async context manager.

    `dsn_as` gives the address under which a role logs in. Where all roles share one login, each
    connection takes its role as it is made.
    """

    def __init__(self, dsn_as: Callable[[str], str], limits: SessionLimits) -> None:
        self._dsn_as = dsn_as
        self._limits = limits
        self.readers: asyncpg.Pool
        self.writers: asyncpg.Pool

    async def __aenter__(self) -> Self:
        """Open both pools.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        with translated():
            self.readers = await self._open("engarde_api", self._limits.readers, read_only=True)
            self.writers = await self._open("engarde_actor", self._limits.writers, read_only=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A pool waits for every connection to come home; one that hangs on a dead server would
        # keep the daemon from stopping (asyncpg 0.32), so what is left is cut.
        self.readers.terminate()
        self.writers.terminate()

    def usage(self) -> tuple[PoolVitals, ...]:
        """How the pools stand."""
        return (_usage("readers", self.readers), _usage("writers", self.writers))

    async def connect_apart(self) -> asyncpg.Connection:
        """Open a connection for writing beside the pool, for who keeps it, such as with LISTEN.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        with translated():
            return await asyncpg.connect(
                self._dsn_as("engarde_actor"),
                command_timeout=self._limits.statement_timeout_s,
                timeout=self._limits.connect_timeout_s,
                server_settings={
                    **self._settings("engarde_actor", read_only=False),
                    "synchronous_commit": "off",  # nothing that must last goes over it
                },
            )

    async def _open(self, role: str, size: int, *, read_only: bool) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._dsn_as(role),
            min_size=min(2, size),
            max_size=size,
            command_timeout=self._limits.statement_timeout_s,
            timeout=self._limits.connect_timeout_s,
            max_inactive_connection_lifetime=0,
            server_settings=self._settings(role, read_only=read_only),
            reset=_nothing_to_reset,
        )

    def _settings(self, role: str, *, read_only: bool) -> Mapping[str, str]:
        statement_ms = int(self._limits.statement_timeout_s * 1000)
        return {
            "application_name": f"engarde {role}",
            # Given at connection time, so that even RESET ROLE comes back to it.
            "role": role,
            "default_transaction_read_only": "on" if read_only else "off",
            "statement_timeout": str(statement_ms),
            "lock_timeout": str(statement_ms // 2),
            "idle_in_transaction_session_timeout": str(statement_ms * 2),
            "timezone": "UTC",
            "jit": "off",
        }


def _usage(name: str, pool: asyncpg.Pool) -> PoolVitals:
    idle = pool.get_idle_size()
    return PoolVitals(name=name, busy=pool.get_size() - idle, idle=idle, most=pool.get_max_size())


async def _nothing_to_reset(connection: Any) -> None:
    """Leave the connection as it is: nothing in this project outlives a transaction."""
