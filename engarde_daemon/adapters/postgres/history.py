"""Reads of versions, one round trip each, as `engarde_api` under row level security."""

from collections.abc import Sequence

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import version_of
from engarde_daemon.ports.content import ContentKey, Version
from sql import statements

_SQL = statements("history")


class PostgresHistory:
    """The `HistoryLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def versions_before(
        self, key: ContentKey, *, before: int | None, size: int, trashed: bool
    ) -> list[Version] | None:
        """See `HistoryLibrary.versions_before`."""
        with translated():
            rows = await self._readers.fetch(
                _SQL["versions_before"], key.tenant_id, key.content_id, trashed, before, size
            )
        if not rows:
            return None
        return [version_of(row) for row in rows if row["version"] is not None]

    async def versions(
        self, key: ContentKey, numbers: Sequence[int], *, trashed: bool
    ) -> dict[int, Version]:
        """See `HistoryLibrary.versions`."""
        with translated():
            rows = await self._readers.fetch(
                _SQL["versions"], key.tenant_id, key.content_id, trashed, numbers
            )
        return {row["version"]: version_of(row) for row in rows}
