"""What a parcel becomes in the body store: its content, and what its version changed.

Owns the rule that nothing is written that is only half known: a version is told against the body
of the one before it, or not yet.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from anyio.lowlevel import checkpoint

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.history import snapshot_of
from engarde_daemon.domain.records import (
    ContentRecord,
    VersionRecord,
    record_of,
    version_record_of,
)
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.history import Comparer
from engarde_daemon.ports.outbox import Parcel


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel's rows; `version` is None while the body of the version before it is missing."""

    parcel: Parcel
    record: ContentRecord
    version: VersionRecord | None


class Packer:
    """Makes rows of parcels."""

    def __init__(self, bodies: Bodies, comparer: Comparer) -> None:
        self._bodies = bodies
        self._comparer = comparer

    async def pack(self, parcels: Sequence[Parcel]) -> list[Packed]:
        """The rows of those parcels whose body is to be had.

        Raises:
            Unavailable: A place that must be asked for bodies does not answer.
        """
        bodies = await self._bodies_of(parcels)
        packed = []
        for parcel in parcels:
            if parcel.item.body_name in bodies:
                packed.append(await self._packed(parcel, bodies))
                await checkpoint()  # comparing takes a while, and people wait for the loop
        return packed

    async def _bodies_of(self, parcels: Sequence[Parcel]) -> dict[BodyName, str]:
        bodies = {p.item.body_name: p.body for p in parcels if p.body is not None}
        missing: dict[str, list[Item]] = defaultdict(list)
        for parcel in parcels:
            # Both are asked for although they may share a body: each has a row that may hold it.
            for item in (parcel.item, parcel.previous):
                if item is not None and item.body_name not in bodies:
                    missing[item.tenant_id].append(item)
        for tenant_id, items in missing.items():
            bodies |= await self._bodies.find(tenant_id, items)
        return bodies

    async def _packed(self, parcel: Parcel, bodies: Mapping[BodyName, str]) -> Packed:
        item, previous = parcel.item, parcel.previous
        record = record_of(item, bodies[item.body_name])
        if previous is not None and previous.body_name not in bodies:
            return Packed(parcel=parcel, record=record, version=None)
        before = snapshot_of(previous, bodies[previous.body_name]) if previous else None
        after = snapshot_of(item, record.content_body)
        compared = await self._comparer.compare(parcel.change, before, after)
        version = version_record_of(record, parcel.change, snapshot=after, compared=compared)
        return Packed(parcel=parcel, record=record, version=version)
