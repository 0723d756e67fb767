"""The observer: says now and then that this daemon lives, and shows everything to those who watch.

While nobody watches, it writes one row every `beat_s` and looks at nothing. All who watch share one
snapshot a second, and one at once when a store changes.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec

from actors.clock import ticking
from actors.observer.hearsay import Hearsay
from actors.observer.lookout import PATIENCE_S, Lookout, Surroundings
from actors.observer.messages import LookDue, LookNow, ObserverMessage, TakeSnapshot
from actors.observer.rates import Counts, RateMeter
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.safety.happenings import store_event
from engarde_daemon.ports.overview import DaemonRegister, FeedAudience, OverviewReader
from engarde_daemon.protocol import Snapshot, StoreView

FAREWELL_S = 2.0
FRESH_S = 0.9
_TOO_MANY = "more happened than can be told; the newest are shown"


class ObserverPace(msgspec.Struct, frozen=True, kw_only=True):
    """How often those who watch get a snapshot, and the register a sign of life."""

    look_s: float = 1.0
    beat_s: float = 2.0


class Observer(Actor[ObserverMessage]):
    """Sees everything, and changes nothing."""

    def __init__(
        self,
        around: Surroundings,
        *,
        register: DaemonRegister,
        reader: OverviewReader,
        audience: FeedAudience,
        counts: Callable[[], Counts],
        pace: ObserverPace,
    ) -> None:
        self._around = around
        self._register = register
        self._audience = audience
        self._counts = counts
        self._pace = pace
        self._lookout = Lookout(around, reader)
        self._hearsay = Hearsay(reader, around.clock)
        self._meter = RateMeter()
        self._stores: dict[str, StoreView] = {}
        self._last: tuple[float, Snapshot] | None = None
        self._beat_due = 0.0

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, LookDue(), every_s=self._pace.look_s)

    async def receive(self, message: ObserverMessage) -> Snapshot | None:
        """Look, and show what is seen."""
        match message:
            case LookDue():
                self._meter.read(self._counts(), self._around.clock())
                if self._audience.watchers:
                    await self._show()
                await self._beat()
            case LookNow():
                self._note_stores()
                if self._audience.watchers:
                    self._audience.show(await self._look())
            case TakeSnapshot():
                return await self._recent()
            case _:
                assert_never(message)
        return None

    async def stopping(self) -> None:
        """Say that this is a stop and no crash."""
        with anyio.move_on_after(FAREWELL_S, shield=True), suppress(Unavailable):
            await self._register.stop(self._around.identity.id)

    async def _show(self) -> None:
        self._note_stores()
        with suppress(Unavailable, TimeoutError), anyio.fail_after(PATIENCE_S):
            events, is_all = await self._hearsay.listen(self._around.now())
            self._audience.tell(events)
            if not is_all:
                self._audience.miss(_TOO_MANY)
        self._audience.show(await self._look())

    async def _look(self) -> Snapshot:
        snapshot = await self._lookout.snapshot(self._meter.rates)
        self._last = self._around.clock(), snapshot
        return snapshot

    async def _recent(self) -> Snapshot:
        if self._last is not None and self._around.clock() - self._last[0] < FRESH_S:
            return self._last[1]
        return await self._look()

    def _note_stores(self) -> None:
        """Tell of every store that is in another state than when it was last told of."""
        at = self._around.now()
        for store in self._lookout.stores():
            event = store_event(self._stores.get(store.name), store, at)
            self._stores[store.name] = store
            if event is not None:
                self._audience.tell([event])

    async def _beat(self) -> None:
        now = self._around.clock()
        if now < self._beat_due:
            return
        self._beat_due = now + self._pace.beat_s
        with suppress(Unavailable, TimeoutError), anyio.fail_after(PATIENCE_S):
            await self._register.beat(self._around.identity, self._lookout.actors())
