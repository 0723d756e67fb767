"""Two ZeroDBs during a move: one is in use, the other stands beside it.

Owns the promise of the move: what is not in the one that is in use is still read from the other, so
that neither cutting over nor going back can make a body disappear. Writes go to the one in use,
removals to both.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing, VersionRecord
from engarde_daemon.ports.crossing import Named


class Switch:
    """The `BodyStore` and `Crossing` ports over the one store, or over both."""

    def __init__(self, configured: Named, following: Named | None) -> None:
        self._configured = configured
        self._following = following
        self._used, self._beside = configured, following

    @property
    def configured(self) -> Named:
        """The store of `[zerodb]`."""
        return self._configured

    @property
    def following(self) -> Named | None:
        """The store of `[zerodb_next]`."""
        return self._following

    def use(self, address: str | None) -> None:
        """Use the store at this address, where it is one of the two; else the configured one."""
        if self._following is not None and address == self._following.address:
            self._used, self._beside = self._following, self._configured
        else:
            self._used, self._beside = self._configured, self._following

    def is_using(self, address: str) -> bool:
        """Whether this is the address of the store in use."""
        return self._used.address == address

    async def prepare(self) -> None:
        """See `BodyStore.prepare`."""
        await self._used.store.prepare()

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_many`."""
        return await self._used.store.put_many(records, unsent=unsent)

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_versions`."""
        return await self._used.store.put_versions(records, unsent=unsent)

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """See `BodyStore.get_many`."""
        found = await self._used.store.get_many(keys)
        missing = [key for key in keys if key.id not in found]
        if missing and self._beside is not None:
            with suppress(Unavailable):
                found |= await self._beside.store.get_many(missing)
        return found

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """See `BodyStore.get_versions`."""
        found = await self._used.store.get_versions(keys)
        missing = [key for key in keys if key.history_id not in found]
        if missing and self._beside is not None:
            with suppress(Unavailable):
                found |= await self._beside.store.get_versions(missing)
        return found

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """See `BodyStore.standing`; only the store in use is looked at."""
        return await self._used.store.standing(keys)

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """See `BodyStore.delete_many`."""
        removed = await self._used.store.delete_many(tenant_id, ids)
        if self._beside is None:
            return removed
        return removed + await self._beside.store.delete_many(tenant_id, ids)

    async def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """See `BodyStore.scan`; only the store in use is walked over."""
        async for record in self._used.store.scan(tenant_id):
            yield record
