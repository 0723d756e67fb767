"""A body store that keeps an index of likeness beside its rows.

Owns the rule that a version counts as stored only when it is indexed too, so that nothing is ever
missing from a search by meaning for good.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet

from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing, VersionRecord
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.likeness import LikenessIndex


class IndexedBodyStore:
    """The `BodyStore` port around another one."""

    def __init__(self, store: BodyStore, index: LikenessIndex) -> None:
        self._store = store
        self._index = index

    async def prepare(self) -> None:
        """See `BodyStore.prepare`."""
        await self._store.prepare()

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_many`."""
        proved = await self._store.put_many(records, unsent=unsent)
        await self._index.add([record for record in records if record.id in proved])
        return proved

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """See `BodyStore.get_many`."""
        return await self._store.get_many(keys)

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_versions`."""
        return await self._store.put_versions(records, unsent=unsent)

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """See `BodyStore.get_versions`."""
        return await self._store.get_versions(keys)

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """See `BodyStore.standing`."""
        return await self._store.standing(keys)

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """See `BodyStore.delete_many`."""
        await self._index.remove(tenant_id, ids)
        return await self._store.delete_many(tenant_id, ids)

    def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """See `BodyStore.scan`."""
        return self._store.scan(tenant_id)
