"""What is owed to the archive, with its bodies from whatever place has them."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.archive import ArchiveRow
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.replication import Owed


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """Versions with their bodies, by the outbox's number, and the numbers of those without."""

    found: dict[int, tuple[Owed, str]]
    missing: list[int]

    @property
    def ids(self) -> list[int]:
        """The numbers of those that have their bodies."""
        return list(self.found)

    def rows(self, ingested_at: datetime) -> dict[int, ArchiveRow]:
        """The rows of the archive; the same whenever they are made of the same batch."""
        return {
            number: _row(
                ContentSnapshot.of(owed.item, owed.change, body=body, ingested_at=ingested_at)
            )
            for number, (owed, body) in self.found.items()
        }


def _row(snapshot: ContentSnapshot) -> ArchiveRow:
    at = snapshot.snapshot_timestamp
    return ArchiveRow(row_id=snapshot.snapshot_id, at=at, row=snapshot.row)


class Binder:
    """Finds the bodies: staged ones came along, others may be in ZeroDB alone."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies

    async def bind(self, owed: Sequence[Owed]) -> Bound:
        """Bring each version together with its body.

        Where ZeroDB is away, what it alone holds is missing: the staged ones go on without it.
        """
        bodies = {one.item.body_name: one.body for one in owed if one.body is not None}
        bodies |= await self._elsewhere([o.item for o in owed if o.item.body_name not in bodies])
        found = {
            one.id: (one, bodies[one.item.body_name])
            for one in owed
            if one.item.body_name in bodies
        }
        return Bound(found=found, missing=[one.id for one in owed if one.id not in found])

    async def _elsewhere(self, items: Sequence[Item]) -> dict[BodyName, str]:
        of_tenant: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            of_tenant[item.tenant_id].append(item)
        found: dict[BodyName, str] = {}
        for tenant_id, some in of_tenant.items():
            with suppress(Unavailable):
                found |= await self._bodies.find(tenant_id, some, keep=False)
        return found
