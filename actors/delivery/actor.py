"""Delivery: staged bodies become rows of the body store.

Owns the rule that a body leaves PostgreSQL only after the store has proved by hash that it holds
it, and what its version changed. A store that fails is not hammered: a lane that met a failure
ends, and none begins while the store is left alone. Delivery is at least once and idempotent, because the store knows
each version by its own id. It gives way to people: while writes come in, it works in one lane and
rests between batches.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress

import anyio
import msgspec

from actors.clock import ticking
from actors.delivery.messages import DeliveryMessage, Wake
from actors.delivery.packing import Packed, Packer
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.failpoints import (
    DELIVERY_AFTER_CLAIM,
    DELIVERY_AFTER_PUT,
    DELIVERY_BETWEEN_COLLECTIONS,
)
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.outbox import CLAIM_BYTES, Outbox, Parcel

DESTINATION = "zerodb"
RETRY_MAX_S = 60.0


class DeliveryPace(msgspec.Struct, frozen=True, kw_only=True):
    """How much is carried at once, and how often the outbox is looked at without a hint."""

    batch_items: int = 50
    batches_in_flight: int = 4
    lease_s: float = 30.0
    poll_s: float = 1.0


class Delivery(Actor[DeliveryMessage]):
    """Carries versions to the body store until the outbox has none left."""

    def __init__(
        self,
        outbox: Outbox,
        store: BodyStore,
        packer: Packer,
        *,
        pace: DeliveryPace,
        rest_s: Callable[[], float],
        is_open: Callable[[], bool],
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._packer = packer
        self._pace = pace
        self._rest_s = rest_s
        self._is_open = is_open

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look into the outbox regularly."""
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)

    async def receive(self, message: DeliveryMessage) -> None:
        """Carry what there is: one batch after the other while it gives way, else in several lanes.

        A store that is left alone is not tried: what waits is not even claimed. PostgreSQL that goes
        away ends it: leases run out, and the next reminder goes on.
        """
        del message
        is_left = True
        with suppress(Unavailable):
            while is_left and self._may_go_on():
                if rest_s := self._rest_s():
                    await anyio.sleep(rest_s)
                    is_left = await self._carry_batch()
                else:
                    is_left = await self._work_off()

    async def _work_off(self) -> bool:
        """Carry until nothing is left or people want the way, and tell whether it ended for them."""
        gave_way = False

        async def lane() -> None:
            nonlocal gave_way
            with suppress(Unavailable):
                while self._may_go_on() and await self._carry_batch():
                    if self._rest_s() > 0:
                        gave_way = True
                        return

        async with anyio.create_task_group() as lanes:
            for _ in range(self._pace.batches_in_flight):
                lanes.start_soon(lane)
        return gave_way

    def _may_go_on(self) -> bool:
        return self._is_open() and not self.is_paused

    async def _carry_batch(self) -> bool:
        """Carry what a claim gives, and tell whether to go on: it was cut short, and the store answers."""
        parcels = await self._outbox.claim(
            DESTINATION, limit=self._pace.batch_items, lease_s=self._pace.lease_s
        )
        answered = await self._carry(parcels) if parcels else False
        weight_bytes = sum(parcel.weight_bytes for parcel in parcels)
        is_cut_short = len(parcels) == self._pace.batch_items or weight_bytes >= CLAIM_BYTES
        return answered and is_cut_short

    async def _carry(self, parcels: Sequence[Parcel]) -> bool:
        await DELIVERY_AFTER_CLAIM.reached()
        try:
            packed = await self._packer.pack(parcels)
            proved = await self._put(packed)
        except Unavailable as error:
            await self._defer(parcels, str(error))
            return False
        await DELIVERY_AFTER_PUT.reached()
        await self._outbox.settle([one.parcel for one in packed if one.parcel.id in proved])
        told = {one.parcel.id for one in packed if one.version is not None}
        await self._defer(
            [parcel for parcel in parcels if parcel.id not in told],
            "the body of this version, or of the one before, cannot be read from any store now",
        )
        await self._defer(
            [parcel for parcel in parcels if parcel.id in told - proved],
            "the store did not prove that it holds the version",
        )
        return True

    async def _put(self, packed: Sequence[Packed]) -> set[int]:
        """Store the rows and give the parcels of which both are proved."""
        versions = [one.version for one in packed if one.version is not None]
        first = [one for one in packed if one.parcel.attempts == 1]
        proved = await self._store.put_many(
            [one.record for one in packed], unsent={one.record.id for one in first}
        )
        await DELIVERY_BETWEEN_COLLECTIONS.reached()
        proved |= await self._store.put_versions(
            versions, unsent={one.version.id for one in first if one.version is not None}
        )
        return {
            one.parcel.id
            for one in packed
            if one.version is not None and {one.record.id, one.version.id} <= proved
        }

    async def _defer(self, parcels: Sequence[Parcel], reason: str) -> None:
        if parcels:
            attempts = min(parcel.attempts for parcel in parcels)
            await self._outbox.defer(
                parcels, after_s=min(RETRY_MAX_S, 2.0 ** min(attempts, 6) / 2), reason=reason
            )
