"""What a restore does with what was copied after PostgreSQL: it goes.

Owns the agreement of the stores with PostgreSQL, which was copied first. A row of a version that it
does not know would answer to that version's number once somebody writes it anew; a row of the
archive would bear the number of another; an object of the media store would belong to nobody.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from itertools import groupby
from pathlib import Path

import asyncpg
import msgspec

from engarde_daemon.adapters.archive.backup import cut_off
from engarde_daemon.adapters.backup.folder import walk
from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.backup import archive_positions, unknown_media
from engarde_daemon.adapters.postgres.jobs import PostgresInventory
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.adapters.zerodb.embedded import FILE_NAME, EmbeddedZeroDB
from engarde_daemon.cli import database
from engarde_daemon.config import Settings
from engarde_daemon.domain.media import thumbnail_path
from engarde_daemon.domain.records import ContentRecord, RecordKey

ROWS_AT_ONCE = 500
_ONE_OF_EACH = SessionLimits(readers=1, writers=1, statement_timeout_s=600.0)


class CutOff(msgspec.Struct, frozen=True, kw_only=True):
    """What was newer than the copy of PostgreSQL."""

    zerodb_rows: int
    archive_files: int
    media_objects: int


async def settle(settings: Settings, dsn_as: DsnAs) -> CutOff:
    """Remove from the stores what this PostgreSQL does not know.

    Raises:
        Unavailable: A store does not answer.
        OSError: A file cannot be removed.
    """
    storage = settings.storage
    async with AsyncExitStack() as resources:
        sessions = await resources.enter_async_context(Sessions(dsn_as, _ONE_OF_EACH))
        link = await resources.enter_async_context(database.connection(dsn_as, settings.postgres))
        inventory = PostgresInventory(sessions.writers)
        rows = 0
        for place in (storage.zerodb_folder, storage.zerodb_next_folder):
            if (place / FILE_NAME).exists():
                rows += await _settle_zerodb(place, inventory)
        return CutOff(
            zerodb_rows=rows,
            archive_files=cut_off(storage.archive_folder, await archive_positions(link)),
            media_objects=await _settle_media(storage.media_folder, link),
        )


async def _settle_zerodb(place: Path, inventory: PostgresInventory) -> int:
    removed = 0
    async with EmbeddedZeroDB(place) as store:
        async for records in _in_batches(store):
            rows = [(record.id, _key_of(record)) for record in records]
            strays = [key for key, known in await inventory.unknown(rows) if not known]
            for tenant_id, keys in groupby(sorted(strays, key=_tenant), key=_tenant):
                removed += await store.delete_many(tenant_id, [key.id for key in keys])
    return removed


async def _in_batches(store: EmbeddedZeroDB) -> AsyncIterator[Sequence[ContentRecord]]:
    batch: list[ContentRecord] = []
    async for record in store.scan():
        batch.append(record)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    yield batch


async def _settle_media(place: Path, link: asyncpg.Connection) -> int:
    thumbnail = thumbnail_path("")
    objects = {name.removesuffix(thumbnail) for name in walk(place)[1]}
    unknown = await unknown_media(link, sorted(objects))
    for name in unknown:
        (place / name).unlink(missing_ok=True)
        (place / thumbnail_path(name)).unlink(missing_ok=True)
    return len(unknown)


def _tenant(key: RecordKey) -> str:
    return key.tenant_id


def _key_of(record: ContentRecord) -> RecordKey:
    return RecordKey(record.tenant_id, record.content_id, record.version, record.sha256)
