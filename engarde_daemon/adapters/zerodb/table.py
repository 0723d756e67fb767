"""One table of a ZeroDB server: its rows asked for, added, replaced and removed.

Owns the distrust of answers: a row that was not asked for is dropped and counted, whatever the
server makes of a filter; an answer that is too large or not whole is asked for in smaller parts.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
import structlog

from engarde_daemon.adapters.zerodb.dialects import (
    QUERY_ROWS_MAX,
    Dialect,
    Document,
    Filter,
    Inserted,
    Page,
    StoredRow,
    inserted_in,
    page_of,
)
from engarde_daemon.adapters.zerodb.documents import fits
from engarde_daemon.adapters.zerodb.door import Door
from engarde_daemon.adapters.zerodb.lanes import in_lanes
from engarde_daemon.adapters.zerodb.refusals import OutcomeUnknown, Refused, TooMuch

INSERT_BYTES_MAX = 8 * 1024**2

_BAD_BODY = {400, 413, 422}
_GONE = 404

_LOG = structlog.get_logger("engarde.zerodb")

T = TypeVar("T")


class Tally:
    """What was met in answers that should not have been there."""

    def __init__(self) -> None:
        self.damaged_rows_seen = 0
        self.duplicate_rows_seen = 0
        self.foreign_rows_seen = 0


class Table:
    """A table below a project's path."""

    def __init__(
        self, name: str, *, door: Door, dialect: Dialect, below: str, tally: Tally
    ) -> None:
        self.tally = tally
        self._name = name
        self._door = door
        self._dialect = dialect
        self._below = below

    async def named(self, ids: Sequence[str]) -> list[StoredRow]:
        """The rows whose documents have these ids.

        Raises:
            Unavailable: The server does not answer, or not with rows.
        """
        parts = list(in_parts(list(dict.fromkeys(ids)), self._dialect.ids_per_query))
        found = await in_lanes(parts, self._named, lanes=self._door.place.concurrency)
        return list(itertools.chain.from_iterable(found))

    async def page(self, wanted: Filter, *, most: int = QUERY_ROWS_MAX) -> Page:
        """The rows that a filter fits, or the first of them.

        Raises:
            TooMuch: They are too large to be read at once.
            Unavailable: The server does not answer, or not with rows.
        """
        call = self._dialect.query(self._name, wanted, most=most)
        page = page_of(await self._door.ask(call, below=self._below), most=most)
        fitting = [row for row in page.rows if fits(row, wanted)]
        self.tally.foreign_rows_seen += len(page.rows) - len(fitting)
        return Page(fitting, page.more)

    async def insert(self, documents: Sequence[Document], *, singly: bool) -> Inserted:
        """Add rows and give those that the server showed or counted; some may not be stored.

        A request that was refused for what is in it, or whose outcome nobody knows, counts as one
        that showed nothing.

        Raises:
            Unavailable: The server does not answer.
        """
        parts = list(_loads(documents, 1 if singly else self._dialect.rows_per_insert))
        told = await in_lanes(parts, self._insert, lanes=self._door.place.concurrency)
        rows = itertools.chain.from_iterable(one.rows for one in told)
        return Inserted(list(rows), sum(one.counted for one in told))

    async def replace(self, row: StoredRow, document: Document) -> None:
        """Give a row another document.

        Raises:
            Unavailable: The server does not answer, or refuses.
        """
        await self._door.ask(self._dialect.replace(self._name, row, document), below=self._below)

    async def delete(self, rows: Sequence[StoredRow]) -> None:
        """Remove rows.

        Raises:
            Unavailable: The server does not answer, or refuses; some may be gone.
        """
        await in_lanes(rows, self._delete, lanes=self._door.place.concurrency)

    async def _named(self, ids: Sequence[str]) -> list[StoredRow]:
        try:
            page = await self.page(self._dialect.naming(ids))
        except TooMuch:
            if len(ids) == 1:
                raise
        else:
            if len(ids) == 1 or not page.more:
                return page.rows
        middle = len(ids) // 2
        return [*await self._named(ids[:middle]), *await self._named(ids[middle:])]

    async def _insert(self, documents: Sequence[msgspec.Raw]) -> Inserted:
        call = self._dialect.insert(self._name, documents)
        try:
            return inserted_in(await self._door.ask(call, below=self._below))
        except OutcomeUnknown:
            return Inserted([])
        except Refused as refusal:
            if refusal.code not in _BAD_BODY:
                raise
            _LOG.warning("rows refused by ZeroDB", rows=len(documents), status=refusal.code)
            return Inserted([])

    async def _delete(self, row: StoredRow) -> None:
        call = self._dialect.delete(self._name, row)
        try:
            await self._door.ask(call, below=self._below)
        except Refused as refusal:
            if refusal.code != _GONE:
                raise


def in_parts(things: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The things, so many at a time."""
    return (things[start : start + most] for start in range(0, len(things), most))


def _loads(documents: Sequence[Document], most: int) -> Iterator[Sequence[msgspec.Raw]]:
    """The documents as requests can carry them, bounded in number and bytes."""
    load: list[msgspec.Raw] = []
    size = 0
    for document in documents:
        encoded = msgspec.json.encode(document)
        if load and (len(load) == most or size + len(encoded) > INSERT_BYTES_MAX):
            yield load
            load, size = [], 0
        load.append(msgspec.Raw(encoded))
        size += len(encoded)
    if load:
        yield load
