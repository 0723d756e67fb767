"""Which requests made the versions that are on their way, as far as they were traced."""

from collections.abc import Sequence

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from sql import statements

_SQL = statements("tracing")


class PostgresTraceBook:
    """The `TraceBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def causes(self, outbox_ids: Sequence[int]) -> list[str]:
        """See `TraceBook.causes`."""
        with translated():
            rows = await self._writers.fetch(_SQL["causes"], list(outbox_ids))
        return [row["traceparent"] for row in rows]
