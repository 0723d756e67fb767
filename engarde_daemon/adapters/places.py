"""The two places outside where a body may lie: the body store and the archive.

Owns the question that each is asked: first for the row of the version itself, then for the row
that first carried its body. A version that is not delivered yet has no row of its own, and the
other may have been removed by retention.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.archive import ArchiveReader, Span
from engarde_daemon.ports.bodies import BodyStore

ARCHIVE_MARGIN = timedelta(days=1)
"""How far the time of a snapshot may lie from the time of its version."""

Wanted = Mapping[RecordKey, BodyName]


class Place(Protocol):
    """Somewhere outside where bodies may be."""

    name: str

    async def find(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are there, proved by their hash.

        Raises:
            Unavailable: It does not answer.
        """


class StorePlace:
    """The body store."""

    name = "zerodb"

    def __init__(self, store: BodyStore) -> None:
        self._store = store

    async def find(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """See `Place.find`."""
        own, first = _own(items), _first(items)
        found = await self._ask(own)
        return found | await self._ask(_other(first, own, found))

    async def _ask(self, wanted: Wanted) -> dict[BodyName, str]:
        records = await self._store.get_many(list(wanted)) if wanted else {}
        there = {key: name for key, name in wanted.items() if key.id in records}
        return {name: records[key.id].content_body for key, name in there.items()}


class ArchivePlace:
    """The archive, which is asked for the time in which the items were written."""

    name = "archive"

    def __init__(self, archive: ArchiveReader) -> None:
        self._archive = archive

    async def find(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """See `Place.find`."""
        own, first = _own(items), _first(items)
        until = max(item.updated_at for item in items) + ARCHIVE_MARGIN
        since = min(item.updated_at for item in items) - ARCHIVE_MARGIN
        found = await self._ask(own, Span(since, until))
        earliest = min(item.created_at for item in items) - ARCHIVE_MARGIN
        return found | await self._ask(_other(first, own, found), Span(earliest, until))

    async def _ask(self, wanted: Wanted, span: Span) -> dict[BodyName, str]:
        snapshots = await self._archive.get_many(list(wanted), span) if wanted else {}
        return {wanted[key]: snapshot.content_body for key, snapshot in snapshots.items()}


def _own(items: Sequence[Item]) -> dict[RecordKey, BodyName]:
    return {RecordKey.of(item): item.body_name for item in items}


def _first(items: Sequence[Item]) -> dict[RecordKey, BodyName]:
    return {
        msgspec.structs.replace(RecordKey.of(item), version=item.body_version): item.body_name
        for item in items
        if item.body_version
    }


def _other(first: Wanted, own: Wanted, found: Mapping[BodyName, str]) -> Wanted:
    return {key: name for key, name in first.items() if key not in own and name not in found}
