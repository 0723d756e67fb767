"""The steward: what nobody waits for but someone must do.

Every chore is idempotent and bounded, so that several daemons may do it at the same time.
"""

from contextlib import AsyncExitStack

from actors.clock import ticking
from actors.steward.messages import StewardMessage, Tick
from engarde_daemon.core import Actor
from engarde_daemon.ports.outbox import Housekeeping

ROWS_PER_CHORE = 1000


class Steward(Actor[StewardMessage]):
    """Sweeps what other actors left behind."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        *,
        every_s: float,
    ) -> None:
        self._housekeeping = housekeeping
        self._every_s = every_s

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to sweep regularly."""
        await ticking(resources, self.own, Tick(), every_s=self._every_s)

    async def receive(self, message: StewardMessage) -> None:
        """Do a piece of each chore."""
        del message
        await self._housekeeping.sweep_staged(ROWS_PER_CHORE)
        await self._housekeeping.forget_keys(ROWS_PER_CHORE)
