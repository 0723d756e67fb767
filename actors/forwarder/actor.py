"""The forwarder: sends items to their providers in bulk, and brings the answers home.

Everything that lasts is in the database. Owns what this daemon looks after: a batch at a time is
one daemon's, under a lease that is held as long as looking after it takes.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec
from anyio.abc import TaskGroup

from actors.clock import ticking
from actors.forwarder.errands import Errands
from actors.forwarder.messages import ForwarderMessage, HoldOn, Wake
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.batches import Batch, BatchBench, BatchHouse

GATHERED_PER_LOOK = 20


class ForwarderPace(msgspec.Struct, frozen=True, kw_only=True):
    """How many batches at once, how large one may be, how long a lease holds, how often to look."""

    places: int = 4
    items_max: int = 1000
    lease_s: float = 30.0
    poll_s: float = 1.0


class _Held(msgspec.Struct, eq=False):
    """A batch that is looked after here, and how to stop that."""

    batch: Batch
    scope: anyio.CancelScope


class Forwarder(Actor[ForwarderMessage]):
    """Looks after batches until there are none."""

    def __init__(
        self,
        *,
        bench: BatchBench,
        errands: Errands,
        house: BatchHouse,
        providers: Sequence[str],
        new_id: Callable[[], str],
        pace: ForwarderPace,
    ) -> None:
        self._bench = bench
        self._errands = errands
        self._house = house
        self._providers = providers
        self._new_id = new_id
        self._pace = pace
        self._held: dict[str, _Held] = {}
        self._work: TaskGroup

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look for work."""
        resources.push_async_callback(self._house.close)
        self._work = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._work.cancel_scope.cancel)
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, HoldOn(), every_s=self._pace.lease_s / 3)

    async def receive(self, message: ForwarderMessage) -> None:
        """Do what is due; what PostgreSQL does not let us do now, the next reminder does."""
        with suppress(Unavailable):
            match message:
                case Wake():
                    await self._gather()
                    await self._lease()
                case HoldOn():
                    await self._hold_on()
                case _:
                    assert_never(message)

    async def _gather(self) -> None:
        for _ in range(GATHERED_PER_LOOK):
            if not await self._bench.gather(
                self._new_id(), most=self._pace.items_max, providers=self._providers
            ):
                return

    async def _lease(self) -> None:
        room = self._pace.places - len(self._held)
        if not room:
            return
        for batch in await self._bench.lease(most=room, lease_s=self._pace.lease_s):
            held = self._held[batch.id] = _Held(batch, anyio.CancelScope())
            self._work.start_soon(self._look_after, held)

    async def _look_after(self, held: _Held) -> None:
        try:
            # What PostgreSQL did not take comes back when the lease runs out.
            with held.scope, suppress(Unavailable):
                await self._errands.run(held.batch)
        finally:
            # Where its lease ran out, this daemon may have leased the batch anew in the meantime.
            if self._held.get(held.batch.id) is held:
                del self._held[held.batch.id]

    async def _hold_on(self) -> None:
        held = list(self._held.values())
        if not held:
            return
        ours = await self._bench.hold([one.batch for one in held], lease_s=self._pace.lease_s)
        for one in held:
            if one.batch.id not in ours:
                one.scope.cancel()
