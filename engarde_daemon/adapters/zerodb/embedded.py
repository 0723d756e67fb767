"""ZeroDB without a ZeroDB: the three collections in one SQLite file, for a start on nothing.

Owns the promise that a row whose id was answered is on the disk, and was proved by its hash before
the transaction that wrote it ended. Nothing here blocks the event loop.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import anyio
from anyio import to_thread

from engarde_daemon.adapters.zerodb import embedded_rows as rows
from engarde_daemon.adapters.zerodb.embedded_errors import refusals_of_opening
from engarde_daemon.adapters.zerodb.embedded_file import Connections, Lane, closed, connect
from engarde_daemon.domain.records import ContentRecord, RecordKey, Row, Standing, VersionRecord

FILE_NAME = "zerodb.sqlite3"
GET_ROWS = 500
CLOSING_S = 10.0

_R = TypeVar("_R", bound=Row)


class _Lanes(NamedTuple):
    writing: Lane
    reading: Lane


class EmbeddedZeroDB:
    """A body store in a folder of its own; use it as an async context manager."""

    def __init__(self, folder: Path, *, timeout_s: float = 10.0) -> None:
        self.file = folder / FILE_NAME
        self.damaged_rows_seen = 0
        self._timeout_s = timeout_s
        self._opening = anyio.CapacityLimiter(1)
        self._lanes: _Lanes | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Open the file, or create an empty one.

        Raises:
            Corrupt: The file is damaged, or a newer daemon wrote it.
            Unavailable: The file cannot be opened, or not with this SQLite.
        """
        with refusals_of_opening(self.file):
            connections: Connections = await to_thread.run_sync(
                connect, self.file, self._timeout_s, limiter=self._opening
            )
        self._lanes = _Lanes(
            Lane(self.file, [connections.writer], patience_s=self._timeout_s),
            Lane(self.file, connections.readers, patience_s=self._timeout_s),
        )

    async def close(self) -> None:
        """Let running calls end and close the file; every later call is refused."""
        lanes, self._lanes = self._lanes, None
        if lanes is None:
            return
        with anyio.move_on_after(CLOSING_S, shield=True):
            await lanes.reading.close()
            # The last connection to close folds the write-ahead log into the file.
            await lanes.writing.close()

    async def prepare(self) -> None:
        """Create the three collections where they are missing.

        Raises:
            Unavailable: The file does not answer.
        """
        await self._open_lanes().writing.run(rows.create_collections)

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store the rows in one transaction and answer with the ids proved by a read-back.

        Raises:
            Unavailable: The file does not answer; nothing is known of any row.
        """
        del unsent  # its ids are unique: looking first is part of the statement
        return await self._put(rows.ITEMS, records)

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """Fetch the rows that are there and match their key, by id.

        Raises:
            Unavailable: The file does not answer.
        """
        return await self._get(rows.ITEMS, keys)

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store what versions changed, as `put_many` does.

        Raises:
            Unavailable: The file does not answer; nothing is known of any row.
        """
        del unsent
        return await self._put(rows.VERSIONS, records)

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """Fetch what versions changed, as `get_many` does, by the `history_id` of the key.

        Raises:
            Unavailable: The file does not answer.
        """
        return await self._get(rows.VERSIONS, keys)

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """Everything that stands under the ids of these keys, right or wrong.

        Raises:
            Unavailable: The file does not answer.
        """
        reading, found = self._open_lanes().reading, {}
        for start in range(0, len(keys), GET_ROWS):
            some = keys[start : start + GET_ROWS]
            found.update(await reading.run(partial(rows.standing, keys=some)))
        return found

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Remove rows of one tenant for good, with what is told of their versions.

        Raises:
            Unavailable: The file does not answer.
        """
        return await self._open_lanes().writing.run(
            partial(rows.delete, tenant_id=tenant_id, ids=ids)
        )

    async def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """Walk over the intact rows that are there when the walk begins, in bounded memory.

        Raises:
            Unavailable: The file does not answer.
        """
        reading = self._open_lanes().reading
        end = await reading.run(rows.last_rowid)
        place: int | None = 0
        while place is not None:
            stretch = rows.Stretch(after=place, end=end, tenant_id=tenant_id)
            page = await reading.run(partial(rows.page, stretch=stretch))
            self.damaged_rows_seen += page.damaged
            for record in page.records:
                yield record
            place = page.last

    def storage_bytes(self) -> int:
        """The bytes of the file and of its write-ahead log, for health reports."""
        log = self.file.with_name(f"{FILE_NAME}-wal")
        return sum(part.stat().st_size for part in (self.file, log) if part.exists())

    async def _put(self, collection: rows.Collection[_R], records: Sequence[_R]) -> frozenset[str]:
        work = partial(rows.put, collection=collection, records=records)
        stored = await self._open_lanes().writing.run(work)
        self.damaged_rows_seen += stored.damaged
        return stored.proved

    async def _get(
        self, collection: rows.Collection[_R], keys: Sequence[RecordKey]
    ) -> dict[str, _R]:
        reading, records = self._open_lanes().reading, {}
        for start in range(0, len(keys), GET_ROWS):
            some = keys[start : start + GET_ROWS]
            found = await reading.run(partial(rows.get, collection=collection, keys=some))
            self.damaged_rows_seen += found.damaged
            records.update(found.records)
        return records

    def _open_lanes(self) -> _Lanes:
        if self._lanes is None:
            raise closed(self.file)
        return self._lanes
