"""The health actor: one look at the stores a second, for readiness, metrics and the write gate.

Owns the freshness of `Vitals`: whoever reads them does not wait for a store, and a store that does
not answer makes them say so within one probe's deadline.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack

import anyio
import msgspec

from actors.clock import ticking
from actors.health.messages import HealthMessage, ProbeDue
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.vitals import Vitals, Waiting
from engarde_daemon.ports.outbox import Outbox

PROBE_TIMEOUT_S = 2.0


class Health(Actor[HealthMessage]):
    """Probes what promise 1 depends on."""

    def __init__(
        self,
        outbox: Outbox,
        vitals: Callable[[], Vitals],
        publish: Callable[[Vitals], None],
        *,
        every_s: float,
    ) -> None:
        self._outbox = outbox
        self._vitals = vitals
        self._publish = publish
        self._every_s = every_s

    async def started(self, resources: AsyncExitStack) -> None:
        """Know how things stand before anyone asks, then look again regularly."""
        await self._probe()
        await ticking(resources, self.own, ProbeDue(), every_s=self._every_s)

    async def receive(self, message: HealthMessage) -> None:
        """Look."""
        del message
        await self._probe()

    async def _probe(self) -> None:
        try:
            with anyio.fail_after(PROBE_TIMEOUT_S):
                backlog = await self._outbox.backlog()
                staged_bytes = await self._outbox.staged_bytes()
        except (Unavailable, TimeoutError) as error:
            reason = str(error) or f"PostgreSQL did not answer within {PROBE_TIMEOUT_S:g} s"
            self._publish(msgspec.structs.replace(self._vitals(), postgres=reason))
            return
        waiting = {name: Waiting(b.rows, b.oldest_age_s) for name, b in backlog.items()}
        self._publish(
            msgspec.structs.replace(
                self._vitals(), postgres=None, staged_bytes=staged_bytes, waiting=waiting
            )
        )
