"""What is owed to the archive, with its bodies from whatever place has them."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

import anyio.lowlevel
import msgspec

from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.dues import Due
from engarde_daemon.ports.replication import Owed

ROWS_PER_TURN = 100


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of versions whose bodies were found, and the outbox's numbers of the others."""

    dues: list[Due]
    missing: list[int]


def _due(owed: Owed, body: str) -> Due:
    # Whoever freezes it knows when it is taken in.
    snapshot = ContentSnapshot.of(
        owed.item, owed.change, body=body, ingested_at=owed.item.updated_at
    )
    at = snapshot.snapshot_timestamp
    return Due(id=owed.id, row_id=snapshot.snapshot_id, at=at, row=snapshot.row)


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
        bound = Bound(dues=[], missing=[])
        for one in owed:
            body = bodies.get(one.item.body_name)
            if body is None:
                bound.missing.append(one.id)
                continue
            bound.dues.append(_due(one, body))
            if len(bound.dues) % ROWS_PER_TURN == 0:
                await anyio.lowlevel.checkpoint()  # others have their turn
        return bound

    async def _elsewhere(self, items: Sequence[Item]) -> dict[BodyName, str]:
        of_tenant: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            of_tenant[item.tenant_id].append(item)
        found: dict[BodyName, str] = {}
        for tenant_id, some in of_tenant.items():
            with suppress(Unavailable):
                found |= await self._bodies.find(tenant_id, some, keep=False)
        return found
