"""Delivery packs many versions at once, beside people who wait for answers."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
from anyio.lowlevel import checkpoint

from actors.delivery.packing import Packer
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.comparing import ThreadedComparer
from engarde_daemon.domain import changes
from engarde_daemon.domain.content import BodyName, Item
from engarde_daemon.ports.outbox import Parcel
from engarde_daemon.testing.bodies import MemoryBodies
from tests.support.content import draft


class NothingStaged:
    """A PostgreSQL whose parcels bring their bodies along."""

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[BodyName, str]:
        """See `StagedBodies.staged`."""
        del tenant_id, items
        return {}


def parcel(number: int) -> Parcel:
    """A new item on its way."""
    write = changes.create(
        draft(f"body {number}"),
        content_id=str(uuid.uuid4()),
        tenant_id="tenant",
        brand_id="brand",
        user_id="user",
        at=datetime.now(UTC),
    )
    return Parcel(
        id=number,
        token=1,
        attempts=1,
        item=write.item,
        change=write.change,
        previous=None,
        body=write.body,
    )


async def test_others_have_their_turn_between_two_versions():
    """Fifty comparisons in a row would be as many milliseconds in which nobody is answered."""
    bodies = LayeredBodies(BodyCache(0), NothingStaged(), MemoryBodies())
    packer, turns = Packer(bodies, ThreadedComparer()), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(others)
        packed = await packer.pack([parcel(number) for number in range(5)])
        group.cancel_scope.cancel()

    assert [one.parcel.id for one in packed] == [0, 1, 2, 3, 4]
    assert turns >= 5
