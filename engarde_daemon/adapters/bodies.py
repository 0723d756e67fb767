"""Where bodies are read: at hand, staged, then the body store.

Owns the rule that a reader gets the body that was acknowledged or an error, never something else:
each place is asked by a name under which no body ever changes, and what PostgreSQL or the store
returns is checked by hash.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.bodies import BodyStore


class StagedBodies(Protocol):
    """Bodies that PostgreSQL holds until they are delivered."""

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are staged and sound.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class BodyCache:
    """Recently used bodies, bounded in characters; safe to keep, since a version never changes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._bodies: OrderedDict[BodyName, str] = OrderedDict()

    def get(self, name: BodyName) -> str | None:
        """The body, if it is at hand."""
        body = self._bodies.get(name)
        if body is not None:
            self._bodies.move_to_end(name)
        return body

    def put(self, name: BodyName, body: str) -> None:
        """Keep a body, and let go of the ones not used for longest."""
        if name in self._bodies or len(body) > self._capacity // 8:
            return
        self._bodies[name] = body
        self._size += len(body)
        while self._size > self._capacity:
            _, oldest = self._bodies.popitem(last=False)
            self._size -= len(oldest)


class LayeredBodies:
    """The `Bodies` port: every place a body may be, in order of nearness."""

    def __init__(self, cache: BodyCache, staged: StagedBodies, store: BodyStore) -> None:
        self._cache = cache
        self._staged = staged
        self._store = store

    def remember(self, item: Item, body: str) -> None:
        """See `Bodies.remember`."""
        self._cache.put(item.body_name, body)

    async def of(self, item: Item) -> tuple[str, str]:
        """See `Bodies.of`."""
        at_hand = self._cache.get(item.body_name)
        if at_hand is not None:
            return at_hand, "cache"
        staged = await self._staged.staged(item.tenant_id, [item])
        if staged:
            return staged[item.body_name], "staged"
        stored = await self._from_store([item])
        _refuse_lost([item], stored)
        self._cache.put(item.body_name, stored[item.body_name])
        return stored[item.body_name], "zerodb"

    async def of_many(self, tenant_id: str, items: Sequence[Item]) -> dict[str, str]:
        """See `Bodies.of_many`."""
        found = await self.find(tenant_id, items)
        _refuse_lost(items, found)
        return {item.id: found[item.body_name] for item in items}

    async def find(
        self, tenant_id: str, items: Sequence[Item], *, keep: bool = True
    ) -> dict[BodyName, str]:
        """See `Bodies.find`."""
        names = {item.body_name for item in items}
        found = {name: body for name in names if (body := self._cache.get(name)) is not None}
        missing = _without(found, items)
        if missing:
            found |= await self._staged.staged(tenant_id, missing)
            missing = _without(found, missing)
        if missing:
            stored = await self._from_store(missing)
            found |= stored
            for name, body in stored.items() if keep else ():
                self._cache.put(name, body)
        return found

    async def _from_store(self, items: Sequence[Item]) -> dict[BodyName, str]:
        """Ask for each version's own row, then for the row that first carried its body.

        A version that is not delivered yet has no row of its own; the other may have been removed
        by retention.
        """
        own = {RecordKey.of(item): item.body_name for item in items}
        found = await self._ask_store(own)
        first = {_first_key(i): i.body_name for i in _without(found, items) if i.body_version}
        found |= await self._ask_store({key: n for key, n in first.items() if key not in own})
        return found

    async def _ask_store(self, wanted: Mapping[RecordKey, BodyName]) -> dict[BodyName, str]:
        records = await self._store.get_many(list(wanted)) if wanted else {}
        there = {key: name for key, name in wanted.items() if key.id in records}
        return {name: records[key.id].content_body for key, name in there.items()}


def _without(found: Mapping[BodyName, str], items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.body_name not in found]


def _first_key(item: Item) -> RecordKey:
    return msgspec.structs.replace(RecordKey.of(item), version=item.body_version)


def _refuse_lost(items: Sequence[Item], found: Mapping[BodyName, str]) -> None:
    lost = _without(found, items)
    if lost:
        raise Unavailable(
            f"The bodies of {len(lost)} of {len(items)} items cannot be read from any store now. "
            "They are not lost as long as a store can be restored."
        )
