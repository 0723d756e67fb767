"""Where bodies are read: at hand, staged, then the body store, then the archive.

Owns the rule that a reader gets the body that was acknowledged or an error, never something else:
each place is asked by a name under which no body ever changes, and what PostgreSQL or a store returns
is checked by hash. A store that does not answer is passed over; that is an error only for those
bodies which no other place has.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from engarde_daemon.adapters.places import LANES, ArchivePlace, Place, StorePlace
from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.archive import ArchiveReader
from engarde_daemon.ports.bodies import BodyStore

ENTRY_CHARACTERS = 600
"""About what the name of a body and its place take, as if they were text."""


class StagedBodies(Protocol):
    """Bodies that PostgreSQL holds until they are delivered."""

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are staged and sound.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class BodyCache:
    """Recently used bodies, bounded in characters; safe to keep, since a version never changes.

    Each counts as `ENTRY_CHARACTERS` more than it holds, or nothing would bound the empty ones.
    """

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
        self._size += _cost(body)
        while self._size > self._capacity:
            _, oldest = self._bodies.popitem(last=False)
            self._size -= _cost(oldest)


class LayeredBodies:
    """The `Bodies` port: every place a body may be, in order of nearness.

    While `prefers_archive` says so, the archive comes before the body store. `store_lanes` is how many
    trips at a time are made to the store for readers of one body each.
    """

    def __init__(
        self,
        cache: BodyCache,
        staged: StagedBodies,
        store: BodyStore,
        *,
        archive: ArchiveReader | None = None,
        prefers_archive: Callable[[], bool] = lambda: False,
        store_lanes: int = LANES,
    ) -> None:
        self._cache = cache
        self._staged = staged
        near = [StorePlace(store, lanes=store_lanes)]
        far = [ArchivePlace(archive)] if archive else []
        self._usual: list[Place] = [*near, *far]
        self._in_need: list[Place] = [*far, *near]
        self._prefers_archive = prefers_archive

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
        return await self._fetched(item)

    async def of_delivered(self, item: Item) -> tuple[str, str]:
        """See `Bodies.of_delivered`."""
        at_hand = self._cache.get(item.body_name)
        return (at_hand, "cache") if at_hand is not None else await self._fetched(item)

    async def _fetched(self, item: Item) -> tuple[str, str]:
        failures: list[Unavailable] = []
        for place in self._places():
            try:
                body = await place.find_one(item)
            except Unavailable as failure:
                failures.append(failure)
                continue
            if body is not None:
                self._cache.put(item.body_name, body)
                return body, place.name
        raise failures[0] if failures else _lost(1, of=1)

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
            stored = await self._outside(missing)
            found |= {name: body for name, (body, _) in stored.items()}
            for name, (body, _) in stored.items() if keep else ():
                self._cache.put(name, body)
        return found

    async def _outside(self, items: Sequence[Item]) -> dict[BodyName, tuple[str, str]]:
        """What the places outside have, each body with the name of the place."""
        found: dict[BodyName, tuple[str, str]] = {}
        failures: list[Unavailable] = []
        for place in self._places():
            missing = _without(found, items)
            if not missing:
                break
            try:
                bodies = await place.find(missing)
            except Unavailable as failure:
                failures.append(failure)
                continue
            found |= {name: (body, place.name) for name, body in bodies.items()}
        if failures and _without(found, items):
            raise failures[0]
        return found

    def _places(self) -> Sequence[Place]:
        return self._in_need if self._prefers_archive() else self._usual


def _cost(body: str) -> int:
    return len(body) + ENTRY_CHARACTERS


def _without(found: Collection[BodyName], items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.body_name not in found]


def _refuse_lost(items: Sequence[Item], found: Collection[BodyName]) -> None:
    lost = _without(found, items)
    if lost:
        raise _lost(len(lost), of=len(items))


def _lost(bodies: int, *, of: int) -> Unavailable:
    return Unavailable(
        f"The bodies of {bodies} of {of} items cannot be read from any store now. "
        "They are not lost as long as a store can be restored."
    )
