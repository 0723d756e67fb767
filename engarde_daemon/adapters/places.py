"""The two places outside where a body may lie: the body store and the archive.

Owns the question that each is asked: first for the row of the version itself, then for the row
that first carried its body. A version that is not delivered yet has no row of its own, and the
other may have been removed by retention.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.archive import ArchiveReader, Span
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.spans import span_around

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
        found = await self._ask(own, span_around(item.updated_at for item in items))
        earlier = span_around(at for item in items for at in (item.created_at, item.updated_at))
        return found | await self._ask(_other(first, own, found), earlier)

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
