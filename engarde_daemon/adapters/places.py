"""The two places outside where a body may lie: the body store and the archive.

Owns the question that each is asked: first for the row of the version itself, then for the row
that first carried its body. A version that is not delivered yet has no row of its own, and the
other may have been removed by retention.

Readers of one body each go to the store together, because a trip costs many times what a row does.
To the archive each goes alone: it is asked for a time, and one that spans all of theirs could be all
of time.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from engarde_daemon.adapters.coalescing import PATIENCE_S, Coalesced
from engarde_daemon.domain.breaker import BreakerRules
from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.archive import ArchiveReader, Span
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.spans import span_around

# As many trips at once as open a breaker: when a store falls silent, one patience is lost, not two.
LANES = BreakerRules().failures_in_a_row
# Within this process a trip is to a worker thread, and each of them waits for the interpreter.
LANES_WITHIN = 2
BATCH_MOST = 32

Wanted = Mapping[RecordKey, BodyName]


class Place(Protocol):
    """Somewhere outside where bodies may be."""

    name: str

    async def find(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are there, proved by their hash.

        Raises:
            Unavailable: It does not answer.
        """

    async def find_one(self, item: Item) -> str | None:
        """The body of one item, as `find` has it.

        Raises:
            Unavailable: It does not answer.
        """


class _Reader(msgspec.Struct, frozen=True, eq=False):
    """One who wants a body; whoever wants the same one gets it with them."""

    key: RecordKey
    item: Item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reader) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class StorePlace:
    """The body store, to which so many trips at a time are made for readers of one body each."""

    name = "zerodb"

    def __init__(self, store: BodyStore, *, lanes: int) -> None:
        self._store = store
        self._readers = Coalesced(
            self._find_each, lanes=lanes, most=BATCH_MOST, patience_s=PATIENCE_S
        )

    async def find(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """See `Place.find`."""
        own, first = _own(items), _first(items)
        found = await self._ask(own)
        return found | await self._ask(_other(first, own, found))

    async def find_one(self, item: Item) -> str | None:
        """See `Place.find_one`."""
        try:
            return await self._readers.ask(_Reader(RecordKey.of(item), item))
        except TimeoutError as error:
            raise Unavailable("ZeroDB did not answer in time.") from error

    async def _find_each(self, readers: Sequence[_Reader]) -> list[str | None]:
        found = await self.find([reader.item for reader in readers])
        return [found.get(reader.item.body_name) for reader in readers]

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

    async def find_one(self, item: Item) -> str | None:
        """See `Place.find_one`."""
        return (await self.find([item])).get(item.body_name)

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
