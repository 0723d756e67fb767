"""Marks in texts, and the walk over what a tenant has: reads as `engarde_api`, one round trip each."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import item_of, naive, utc
from engarde_daemon.domain import search
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.lists import SortedPlace
from sql import statements

_SQL = statements("library")


class PostgresShelves:
    """The `Marker` and `Shelves` ports on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def mark(
        self, tenant_id: str, brand_id: str, *, words: str, texts: Sequence[str]
    ) -> list[str]:
        """See `Marker.mark`."""
        said = msgspec.json.encode(search.parse(words)).decode()
        with translated():
            rows = await self._readers.fetch(_SQL["marks"], tenant_id, brand_id, said, texts)
        marked = {row["slot"]: row["marked"] for row in rows}
        return [marked.get(slot) or "" for slot in range(1, len(texts) + 1)]

    async def brands(self, tenant_id: str) -> list[str]:
        """See `Shelves.brands`."""
        with translated():
            rows = await self._readers.fetch(_SQL["brands_with_content"], tenant_id)
        return [row["brand_id"] for row in rows]

    async def place_of(self, tenant_id: str, content_id: str) -> tuple[str, SortedPlace] | None:
        """See `Shelves.place_of`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["place_of"], tenant_id, content_id)
        if row is None:
            return None
        return row["brand_id"], SortedPlace(content_id=content_id, at=utc(row["created_at"]))

    async def along(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        after: SortedPlace | None,
        until: datetime,
        size: int,
    ) -> list[Item]:
        """See `Shelves.along`."""
        place = (naive(after.at), after.content_id) if after else (None, None)
        with translated():
            rows = await self._readers.fetch(
                _SQL["export_page"], tenant_id, brand_id, *place, naive(until), size
            )
        return [item_of(row["item"]) for row in rows]
