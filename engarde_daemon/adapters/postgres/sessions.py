"""Connections to PostgreSQL, in kinds that never mix.

Owns the separation of rights: readers log in under `engarde_api`, see one tenant at a time under
row level security and cannot write; writers log in under `engarde_actor` and are reachable from
actors only. Owns also the precedence of people: ingest and the ledger, for which the caller of every
write waits, have connections of their own, so that no background work is before them.

Settings are local to a statement or transaction everywhere in this project, which is why a
connection goes back to its pool without the round trip of a reset.
"""

import math
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.pool import DeadlinePool
from engarde_daemon.domain.vitals import PoolVitals

FOREGROUND_CONNECTIONS = 2
"""One for ingest and one for the ledger: each does one thing at a time."""


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections of each kind, and how long anything may take, in seconds.

    `request_timeout_s` is for readers, where that is the shorter time.
    """

    readers: int = 8
    writers: int = 6
    request_timeout_s: float = math.inf
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
        self.readers: DeadlinePool
        self.foreground: DeadlinePool
        self.writers: DeadlinePool

    async def __aenter__(self) -> Self:
        """Open the pools; the one of the foreground connects when it is needed.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        limits = self._limits
        with translated():
            self.readers = await self._open("engarde_api", limits.readers, read_only=True)
            self.writers = await self._open("engarde_actor", limits.writers)
            self.foreground = await self._open("engarde_actor", FOREGROUND_CONNECTIONS, awake=0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A pool waits for every connection to come home; one that hangs on a dead server would
        # keep the daemon from stopping (asyncpg 0.32), so what is left is cut.
        for pool in (self.readers, self.foreground, self.writers):
            pool.terminate()

    def usage(self) -> tuple[PoolVitals, ...]:
        """How the pools stand."""
        return (
            _usage("readers", self.readers),
            _usage("foreground", self.foreground),
            _usage("writers", self.writers),
        )

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

    async def _open(
        self, role: str, size: int, *, read_only: bool = False, awake: int = 2
    ) -> DeadlinePool:
        pool: DeadlinePool = await DeadlinePool(
            self._dsn_as(role),
            deadline_s=self._deadline_s(read_only=read_only),
            min_size=min(awake, size),
            max_size=size,
            timeout=self._limits.connect_timeout_s,
            max_inactive_connection_lifetime=0,
            server_settings=self._settings(role, read_only=read_only),
            reset=_nothing_to_reset,
        )
        return pool

    def _deadline_s(self, *, read_only: bool) -> float:
        limits = self._limits
        if read_only:
            return min(limits.request_timeout_s, limits.statement_timeout_s)
        return limits.statement_timeout_s

    def _settings(self, role: str, *, read_only: bool) -> Mapping[str, str]:
        statement_ms = int(self._deadline_s(read_only=read_only) * 1000)
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
