"""Holding ZeroDB and the archive against what PostgreSQL knows, by count and hash.

Owns the rule that a difference is told only if it is still there at a second look: content goes on
being written, delivered and erased while it is checked.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing
from engarde_daemon.domain.recovery import DifferenceKind, Report, Scope, differing, fault_of
from engarde_daemon.ports.archive import ArchiveReader
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.recovery import Entry, Inventory
from engarde_daemon.ports.spans import span_around

ZERODB = "zerodb"
ARCHIVE = "archive"
ROWS = "zerodb rows"
POSTGRESQL = "postgresql"
TO_ZERODB = "zerodb"
TO_ARCHIVE = "bigquery"
"""What the outbox calls the ways to them."""
STRAYS_AT_ONCE = 500

Faults = dict[RecordKey, DifferenceKind]
Look = Callable[[Sequence[Entry]], Awaitable[Faults]]
_NOTHING = Standing()


class Checker:
    """Compares; it changes nothing."""

    def __init__(self, inventory: Inventory, store: BodyStore, archive: ArchiveReader) -> None:
        self._inventory = inventory
        self._store = store
        self._archive = archive

    async def page(self, entries: Sequence[Entry]) -> Report:
        """What is right and wrong of these versions.

        Raises:
            Unavailable: A store does not answer.
        """
        delivered = [entry for entry in entries if TO_ZERODB not in entry.awaited]
        archived = [entry for entry in entries if TO_ARCHIVE not in entry.awaited]
        zerodb = await self._twice(delivered, TO_ZERODB, self._zerodb_faults)
        archive = await self._twice(archived, TO_ARCHIVE, self._archive_faults)
        counts = {
            POSTGRESQL: len(entries),
            ZERODB: len(delivered) - len(zerodb),
            ARCHIVE: len(archived) - len(archive),
        }
        waiting = sum(bool(entry.awaited & {TO_ZERODB, TO_ARCHIVE}) for entry in entries)
        report = Report(versions=len(entries), waiting=waiting, counts=counts)
        return report.plus(differing(ZERODB, zerodb)).plus(differing(ARCHIVE, archive))

    async def strays(self, scope: Scope) -> AsyncIterator[Report]:
        """What lies in ZeroDB and belongs to no version, a piece of the store at a time.

        Raises:
            Unavailable: A store does not answer.
        """
        batch: list[ContentRecord] = []
        async for record in self._store.scan(scope.tenant_id):
            if _is_meant(record, scope):
                batch.append(record)
            if len(batch) >= STRAYS_AT_ONCE:
                yield await self._strays_among(batch)
                batch = []
        yield await self._strays_among(batch)

    async def _twice(self, entries: Sequence[Entry], way: str, look: Look) -> Faults:
        first = await look(entries) if entries else {}
        if not first:
            return {}
        still = [e for e in await self._inventory.named(list(first)) if way not in e.awaited]
        second = await look(still) if still else {}
        return {key: second[key] for key in first if key in second}

    async def _zerodb_faults(self, entries: Sequence[Entry]) -> Faults:
        keys = [entry.key for entry in entries]
        standing = await self._store.standing(keys)
        told = await self._store.get_versions(keys)
        faults: Faults = {k: DifferenceKind.HISTORY for k in keys if k.history_id not in told}
        for key in keys:
            fault = fault_of(standing.get(key.id, _NOTHING), key)
            if fault is not None:
                faults[key] = fault
        return faults

    async def _archive_faults(self, entries: Sequence[Entry]) -> Faults:
        missing = await missing_in(self._archive, entries)
        return dict.fromkeys(missing, DifferenceKind.DAMAGED)

    async def _strays_among(self, records: Sequence[ContentRecord]) -> Report:
        report = Report(counts={ROWS: len(records)})
        rows = [(record.id, _key_of(record)) for record in records]
        if not rows or not (unknown := await self._inventory.unknown(rows)):
            return report
        faults: Faults = {}
        standing = await self._store.standing([key for key, _ in unknown])
        for key, has_version in unknown:
            if has_version:
                faults[key] = DifferenceKind.DUPLICATE
            elif key.id in standing:
                faults[key] = DifferenceKind.UNKNOWN
        return report.plus(differing(ZERODB, faults))


async def missing_in(archive: ArchiveReader, entries: Sequence[Entry]) -> list[RecordKey]:
    """Which of these versions the archive does not have, or not intact.

    Raises:
        Unavailable: It does not answer.
    """
    keys = [entry.key for entry in entries]
    found = await archive.get_many(keys, span_around(entry.item.updated_at for entry in entries))
    return [key for key in keys if key not in found]


def _is_meant(record: ContentRecord, scope: Scope) -> bool:
    return scope.brand_id in (None, record.brand_id) and (
        scope.until is None or record.updated_at <= scope.until
    )


def _key_of(record: ContentRecord) -> RecordKey:
    return RecordKey(record.tenant_id, record.content_id, record.version, record.sha256)
