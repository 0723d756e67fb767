"""Putting back what ZeroDB or the archive has lost, from wherever a body still is.

Owns the rule that nothing is taken away that could be lost by it: a wrong row goes only after the
right body is staged in PostgreSQL, from where it is delivered even if this daemon dies meanwhile.
"""

from collections.abc import Sequence
from contextlib import suppress

from actors.delivery.packing import Packed, Packer
from actors.recovery.checking import TO_ARCHIVE, TO_ZERODB, ZERODB, missing_in
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey, Standing
from engarde_daemon.domain.recovery import DifferenceKind, Report, differing, fault_of
from engarde_daemon.ports.archive import ArchiveReader
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.outbox import Parcel
from engarde_daemon.ports.recovery import Entry, Inventory

SET_ASIDE_S = 60.0
_NOTHING = Standing()


class Restorer:
    """Completes ZeroDB, and has completed what the archive lacks."""

    def __init__(
        self, inventory: Inventory, store: BodyStore, *, archive: ArchiveReader, packer: Packer
    ) -> None:
        self._inventory = inventory
        self._store = store
        self._archive = archive
        self._packer = packer

    async def page(self, entries: Sequence[Entry]) -> Report:
        """Put back what ZeroDB lacks of these versions, and name what could not be.

        What is on its way anyway is left to delivery. What the archive lacks is sent to it by the
        replicator, as soon as it answers.

        Raises:
            Unavailable: A store does not answer; the page is to be done again.
        """
        await self._owe_archive([e for e in entries if TO_ARCHIVE not in e.awaited])
        due = [entry for entry in entries if TO_ZERODB not in entry.awaited]
        report = Report(versions=len(entries), waiting=len(entries) - len(due))
        faults = await self._faults(due) if due else {}
        if not faults:
            return report
        packed = await self._packer.pack([_parcel(e) for e in due if e.key in faults])
        await self._make_room([one for one in packed if _stands_wrong(one, faults)])
        proved = await self._put(packed)
        left = {k: _why(k, packed) for k in faults if k not in proved}
        return report.plus(Report(restored=len(proved))).plus(differing(ZERODB, left))

    async def _owe_archive(self, entries: Sequence[Entry]) -> None:
        with suppress(Unavailable):  # ZeroDB is restored also while the archive is away
            if entries and (missing := await missing_in(self._archive, entries)):
                await self._inventory.owe_archive(missing)

    async def _faults(self, entries: Sequence[Entry]) -> dict[RecordKey, DifferenceKind]:
        keys = [entry.key for entry in entries]
        standing = await self._store.standing(keys)
        told = await self._store.get_versions(keys)
        faults = {key: fault_of(standing.get(key.id, _NOTHING), key) for key in keys}
        return {
            key: fault or DifferenceKind.HISTORY
            for key, fault in faults.items()
            if fault or key.history_id not in told
        }

    async def _make_room(self, packed: Sequence[Packed]) -> None:
        """Take away rows that stand where right ones must."""
        if not packed:
            return
        bodies = [(one.parcel.item, one.record.content_body) for one in packed]
        await self._inventory.set_aside(bodies, for_s=SET_ASIDE_S)
        for one in packed:
            await self._store.delete_many(one.record.tenant_id, [one.record.id])

    async def _put(self, packed: Sequence[Packed]) -> set[RecordKey]:
        if not packed:
            return set()
        versions = [one.version for one in packed if one.version is not None]
        proved = await self._store.put_many([one.record for one in packed])
        proved |= await self._store.put_versions(versions) if versions else frozenset()
        return {
            RecordKey.of(one.parcel.item)
            for one in packed
            if one.version is not None and {one.record.id, one.version.id} <= proved
        }


def _parcel(entry: Entry) -> Parcel:
    """The version as delivery would have it, from no outbox."""
    return Parcel(
        id=0,
        token=0,
        attempts=0,
        item=entry.item,
        change=entry.change,
        previous=entry.previous,
        body=None,
    )


def _stands_wrong(packed: Packed, faults: dict[RecordKey, DifferenceKind]) -> bool:
    fault = faults[RecordKey.of(packed.parcel.item)]
    return fault in (DifferenceKind.CHANGED, DifferenceKind.DUPLICATE)


def _why(key: RecordKey, packed: Sequence[Packed]) -> DifferenceKind:
    """Why a row could not be restored."""
    for one in packed:
        if RecordKey.of(one.parcel.item) == key:
            return DifferenceKind.REFUSED if one.version else DifferenceKind.HISTORY
    return DifferenceKind.LOST
