"""The health actor: one look at the stores a second, for readiness, metrics and the write gate.

Owns the freshness of `Vitals`: whoever reads them does not wait for a store, and a store that does
not answer makes them say so within one probe's deadline. What waits is counted in no more than a
small share of the time: after a count, none is made for `REST_SHARE` times as long as that took.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import assert_never

import anyio
import msgspec

from actors.clock import ticking
from actors.health.messages import FailBack, FailOver, HealthMessage, ProbeDue
from actors.health.watch import ZERODB, StoreWatch
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.vitals import StoreVitals, Vitals, Waiting
from engarde_daemon.ports.outbox import Outbox

PROBE_TIMEOUT_S = 2.0
REST_SHARE = 20.0


class Health(Actor[HealthMessage]):
    """Probes what promise 1 depends on, and keeps watch over the stores outside."""

    def __init__(
        self,
        outbox: Outbox,
        watch: StoreWatch,
        *,
        vitals: Callable[[], Vitals],
        publish: Callable[[Vitals], None],
        publish_stores: Callable[[Mapping[str, StoreVitals]], None],
        clock: Callable[[], float],
        every_s: float,
    ) -> None:
        self._outbox = outbox
        self._watch = watch
        self._vitals = vitals
        self._publish = publish
        self._publish_stores = publish_stores
        self._clock = clock
        self._every_s = every_s
        self._count_from = clock()

    async def started(self, resources: AsyncExitStack) -> None:
        """Know how things stand before anyone asks, then look again regularly."""
        await self._look()
        await ticking(resources, self.own, ProbeDue(), every_s=self._every_s)

    async def receive(self, message: HealthMessage) -> StoreVitals | None:
        """Look, or do what an operator orders and tell what came of it."""
        match message:
            case ProbeDue():
                await self._look()
                return None
            case FailOver(ordered_by):
                await self._watch.latches.latch(ZERODB, by=ordered_by)
            case FailBack():
                await self._watch.latches.unlatch(ZERODB)
            case _:
                assert_never(message)
        await self._look()
        return self._vitals().stores[ZERODB]

    async def _look(self) -> None:
        waiting = await self._probe_postgres()
        await self._watch.look(waiting.get(ZERODB))
        self._publish_stores(self._watch.vitals())

    async def _probe_postgres(self) -> Mapping[str, Waiting]:
        """Look at PostgreSQL and give what waits, as far as it is known."""
        try:
            with anyio.fail_after(PROBE_TIMEOUT_S):
                waiting = await self._count_waiting()
                staged_bytes = await self._outbox.staged_bytes()
                await self._watch.obey()
        except (Unavailable, TimeoutError) as error:
            reason = str(error) or f"PostgreSQL did not answer within {PROBE_TIMEOUT_S:g} s"
            self._publish(msgspec.structs.replace(self._vitals(), postgres=reason))
            return self._vitals().waiting
        self._publish(
            msgspec.structs.replace(
                self._vitals(), postgres=None, staged_bytes=staged_bytes, waiting=waiting
            )
        )
        return waiting

    async def _count_waiting(self) -> Mapping[str, Waiting]:
        """What waits for each destination; what was counted before, while counting has to rest."""
        began = self._clock()
        if began < self._count_from:
            return self._vitals().waiting
        backlog = await self._outbox.backlog()
        counted = self._clock()
        self._count_from = counted + REST_SHARE * (counted - began)
        return {name: Waiting(each.rows, each.oldest_age_s) for name, each in backlog.items()}
