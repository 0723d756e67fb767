"""A pool whose callers wait once.

Owns the rule that a call has one deadline for all it waits for: a free connection, the opening of
one, the answer, and the way back. asyncpg (0.32) bounds the last three one by one and the first not
at all, so before a server that takes everything and answers nothing a caller would wait behind
others, then for its statement, and then as long again for leave to cancel it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import asyncpg


class DeadlinePool(asyncpg.Pool):  # type: ignore[misc]  # asyncpg 0.32 has no types
    """A pool of connections; every call raises `TimeoutError` at its deadline.

    A connection that is still busy then comes home without its caller, or is cut.
    """

    __slots__ = ("_deadline_s",)

    def __init__(self, dsn: str, *, deadline_s: float, **options: Any) -> None:
        super().__init__(
            dsn,
            command_timeout=deadline_s,
            max_queries=50_000,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **options,
        )
        self._deadline_s = deadline_s

    def acquire(self, *, timeout: float | None = None) -> Any:
        """Take a connection for a while; waiting for one and handing it back are bounded each."""
        return super().acquire(timeout=timeout or self._deadline_s)

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        """See `asyncpg.Pool.execute`."""
        with self._in_time():
            return await super().execute(query, *args, **options)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """See `asyncpg.Pool.fetch`."""
        with self._in_time():
            return await super().fetch(query, *args, **options)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        """See `asyncpg.Pool.fetchval`."""
        with self._in_time():
            return await super().fetchval(query, *args, **options)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        """See `asyncpg.Pool.fetchrow`."""
        with self._in_time():
            return await super().fetchrow(query, *args, **options)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        with anyio.fail_after(self._deadline_s):
            yield
