"""ZeroDB over HTTP, in whichever dialect: the body store that several daemons can share.

Owns the readiness: collections are made before the first row, at the start if the server is there,
else as soon as it is; a daemon starts and takes writes without it. What could not be sent meanwhile
is remembered, so that it need not be looked for row by row when the server is back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import anyio

from engarde_daemon.adapters.zerodb import project
from engarde_daemon.adapters.zerodb.collection import Collection
from engarde_daemon.adapters.zerodb.dialects import Dialect
from engarde_daemon.adapters.zerodb.documents import ITEMS, TABLES, VERSIONS, Shape
from engarde_daemon.adapters.zerodb.door import Door
from engarde_daemon.adapters.zerodb.refusals import NotReached, Paused, Refused
from engarde_daemon.adapters.zerodb.table import Table, Tally
from engarde_daemon.domain.records import (
    ContentRecord,
    RecordKey,
    Row,
    Standing,
    VersionRecord,
    history_id,
)

UNSENT_MAX = 100_000

_LOST = 404

_R = TypeVar("_R", bound=Row)
_T = TypeVar("_T")


class _Collections(NamedTuple):
    items: Collection[ContentRecord]
    versions: Collection[VersionRecord]


class HttpZeroDB:
    """A body store on a server; use it as an async context manager, which ends its connections.

    Without a `project_id`, which only a local server allows, it is the project named `engarde`.
    """

    def __init__(
        self, door: Door, dialect: Dialect, *, project_id: str, new_id: Callable[[], str]
    ) -> None:
        self.tally = Tally()
        self._door = door
        self._dialect = dialect
        self._project_id = project_id
        self._new_id = new_id
        self._preparing = anyio.Lock()
        self._unsent: set[str] = set()
        self._collections: _Collections | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._door.close()

    async def prepare(self) -> None:
        """Find the project, and create the three collections where they are missing.

        Raises:
            Unavailable: The server cannot be reached, or refuses; the text says what to mend.
        """
        below = await project.ensure(self._door, self._dialect, self._project_id)
        await project.ensure_tables(self._door, self._dialect, below=below, wanted=TABLES)
        self._collections = _Collections(
            self._collection(ITEMS, below), self._collection(VERSIONS, below)
        )

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_many`.

        Raises:
            Unavailable: The server cannot be reached; nothing is known of any row.
        """
        return await self._put(
            lambda there, fresh: there.items.put(records, fresh), _ids(records), unsent
        )

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """See `BodyStore.get_many`.

        Raises:
            Unavailable: The server cannot be reached.
        """
        return await self._within(lambda there: there.items.get(keys))

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_versions`.

        Raises:
            Unavailable: The server cannot be reached; nothing is known of any row.
        """
        return await self._put(
            lambda there, fresh: there.versions.put(records, fresh), _ids(records), unsent
        )

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """See `BodyStore.get_versions`.

        Raises:
            Unavailable: The server cannot be reached.
        """
        return await self._within(lambda there: there.versions.get(keys))

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """See `BodyStore.standing`.

        Raises:
            Unavailable: The server cannot be reached.
        """
        found = await self._within(lambda there: there.items.under([key.id for key in keys]))
        return {
            row_id: Standing([row for row in rows if row is not None], rows.count(None))
            for row_id, rows in found.items()
        }

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """See `BodyStore.delete_many`.

        Raises:
            Unavailable: The server cannot be reached; some rows may be gone.
        """
        histories = [history_id(row_id) for row_id in ids]
        told = await self._within(lambda there: there.versions.delete(tenant_id, histories))
        return told + await self._within(lambda there: there.items.delete(tenant_id, ids))

    async def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """See `BodyStore.scan`.

        Raises:
            Unavailable: The server cannot be reached.
        """
        async for record in (await self._prepared()).items.scan(tenant_id):
            yield record

    async def _put(
        self,
        work: Callable[[_Collections, AbstractSet[str]], Awaitable[frozenset[str]]],
        ids: AbstractSet[str],
        unsent: AbstractSet[str],
    ) -> frozenset[str]:
        """Put rows, and remember those that are still unsent because the server was not reached."""
        fresh = ids & (unsent | self._unsent)
        self._unsent -= fresh
        try:
            return await self._within(lambda there: work(there, fresh))
        except (NotReached, Paused):
            if len(self._unsent) < UNSENT_MAX:
                self._unsent |= fresh
            raise

    async def _within(self, work: Callable[[_Collections], Awaitable[_T]]) -> _T:
        """Do something with the collections, and look for them anew if they went away."""
        try:
            return await work(await self._prepared())
        except Refused as refusal:
            if refusal.code == _LOST:
                self._collections = None
            raise

    async def _prepared(self) -> _Collections:
        async with self._preparing:
            if self._collections is None:
                await self.prepare()
        assert self._collections is not None  # noqa: S101 - what `prepare` is for
        return self._collections

    def _collection(self, shape: Shape[_R], below: str) -> Collection[_R]:
        table = Table(
            shape.table, door=self._door, dialect=self._dialect, below=below, tally=self.tally
        )
        return Collection(shape, table, new_id=self._new_id)


def _ids(records: Sequence[Row]) -> set[str]:
    return {record.id for record in records}
