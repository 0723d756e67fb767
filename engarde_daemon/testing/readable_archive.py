"""An archive in memory that can be read, and the faults a real one can have."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

import anyio.lowlevel

from engarde_daemon.domain.content import Change, ChangeType, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey
from engarde_daemon.ports.archive import Span

PAGE_ROWS = 100
UPDATED = Change(type=ChangeType.UPDATE, by="user", summary="")


class ReadableArchive:
    """An archive that forgets everything with the process; `rows` may be changed at will."""

    def __init__(self) -> None:
        self.rows: dict[RecordKey, ContentSnapshot] = {}
        self.is_down = False

    def keep(self, item: Item, body: str, change: Change = UPDATED) -> None:
        """Take in one version."""
        snapshot = ContentSnapshot.of(item, change, body=body, ingested_at=datetime.now(UTC))
        self.rows[snapshot.key] = snapshot

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """See `ArchiveReader.get_many`."""
        await self._answer()
        there = [self.rows[key] for key in keys if key in self.rows]
        return {row.key: row for row in _within(there, span) if row.is_intact()}

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """See `ArchiveReader.newest`."""
        await self._answer()
        return {
            row.content_id: row
            for row in sorted(_within(self.rows.values(), span), key=lambda row: row.version)
            if row.tenant_id == tenant_id and row.content_id in content_ids
        }

    async def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """See `ArchiveReader.scan`."""
        await self._answer()
        rows = [
            row
            for row in sorted(_within(self.rows.values(), span), key=_place)
            if tenant_id in (None, row.tenant_id) and brand_id in (None, row.brand_id)
        ]
        for start in range(0, len(rows), PAGE_ROWS):
            yield rows[start : start + PAGE_ROWS]

    async def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """See `ArchiveReader.keys`."""
        async for page in self.scan(span, tenant_id=tenant_id, brand_id=brand_id):
            yield [
                SnapshotKey(
                    row.tenant_id, row.content_id, row.version, row.sha256, row.snapshot_timestamp
                )
                for row in page
            ]

    async def _answer(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self.is_down:
            raise Unavailable("The archive in memory was told to fail.")


def _within(rows: Iterable[ContentSnapshot], span: Span) -> list[ContentSnapshot]:
    return [row for row in rows if span.since <= row.snapshot_timestamp < span.until]


def _place(row: ContentSnapshot) -> tuple[str, str, int]:
    return (row.tenant_id, row.content_id, row.version)
