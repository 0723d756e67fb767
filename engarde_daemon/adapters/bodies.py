"""Where bodies are read: at hand, staged, then the body store.

Owns the rule that a reader gets the body that was acknowledged or an error, never something else:
each place is asked by (content, version), which never changes its body, and what a store returns
is checked by hash.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.bodies import BodyStore

BodyName = tuple[str, int]


class StagedBodies(Protocol):
    """Bodies that PostgreSQL holds until they are delivered."""

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are staged.

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
        self._cache.put(_name_of(item), body)

    async def of(self, item: Item) -> tuple[str, str]:
        """See `Bodies.of`."""
        at_hand = self._cache.get(_name_of(item))
        if at_hand is not None:
            return at_hand, "cache"
        staged = await self._staged.staged(item.tenant_id, [item])
        if staged:
            return staged[_name_of(item)], "staged"
        stored = await self._from_store([item])
        return stored[item.id], "zerodb"

    async def of_many(self, tenant_id: str, items: Sequence[Item]) -> dict[str, str]:
        """See `Bodies.of_many`."""
        found = {i.id: b for i in items if (b := self._cache.get(_name_of(i))) is not None}
        missing = [item for item in items if item.id not in found]
        if missing:
            staged = await self._staged.staged(tenant_id, missing)
            found |= {content_id: body for (content_id, _), body in staged.items()}
            missing = [item for item in missing if item.id not in found]
        if missing:
            found |= await self._from_store(missing)
        return found

    async def _from_store(self, items: Sequence[Item]) -> dict[str, str]:
        keys = {item.id: _key_of(item) for item in items}
        records = await self._store.get_many(list(keys.values()))
        lost = [content_id for content_id, key in keys.items() if key.id not in records]
        if lost:
            raise Unavailable(
                f"The bodies of {len(lost)} of {len(items)} items cannot be read from any store "
                "now. They are not lost as long as a store can be restored."
            )
        for item in items:
            self._cache.put(_name_of(item), records[keys[item.id].id].content_body)
        return {item.id: records[keys[item.id].id].content_body for item in items}


def _name_of(item: Item) -> BodyName:
    return item.id, item.body_version


def _key_of(item: Item) -> RecordKey:
    return RecordKey(item.tenant_id, item.id, item.body_version, item.sha256)
