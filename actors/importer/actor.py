"""The importer: claims imports and has them seen through, side by side.

Everything that lasts is in the database. Owns what is under way on this daemon, each import under a
lease that is held as long as it is worked on. Whoever loses a lease stops: another daemon has the
import by then.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec
from anyio.abc import TaskGroup

from actors.clock import ticking
from actors.importer.errand import ClaimLost, Errand, Watch
from actors.importer.messages import HoldOn, ImporterMessage, Look, Wake
from engarde_daemon.core import Actor, ActorError
from engarde_daemon.domain.errors import Retryable, Unavailable
from engarde_daemon.domain.importing import ImportStatus
from engarde_daemon.ports.importing import ImportBench, ImportClaim


class ImporterPace(msgspec.Struct, frozen=True, kw_only=True):
    """How many imports at once, how long a claim holds, how often to look, how a stop waits."""

    imports: int = 4
    lease_s: float = 30.0
    poll_s: float = 1.0
    grace_s: float = 10.0


class Importer(Actor[ImporterMessage]):
    """Works on imports until there are none."""

    def __init__(
        self,
        bench: ImportBench,
        errand: Errand,
        connections: Sequence[Callable[[], Awaitable[None]]],
        *,
        happened: Callable[[Sequence[str]], None],
        pace: ImporterPace,
    ) -> None:
        self._bench = bench
        self._errand = errand
        self._connections = connections
        self._happened = happened
        self._pace = pace
        self._watches: dict[str, Watch] = {}
        self._is_stopping = False
        self._idle = anyio.Event()
        self._work: TaskGroup

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look for work."""
        for close in self._connections:
            resources.push_async_callback(close)
        self._work = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._work.cancel_scope.cancel)
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, HoldOn(), every_s=self._pace.lease_s / 3)

    async def receive(self, message: ImporterMessage) -> None:
        """Do what is due; what PostgreSQL does not let us do now, the next reminder does."""
        with suppress(Unavailable):
            match message:
                case Wake():
                    await self._claim()
                case HoldOn():
                    await self._hold_on()
                case Look():
                    await self._hold_on()
                    await self._claim()
                case _:
                    assert_never(message)

    async def stopping(self) -> None:
        """Let assets under way be taken in, and give their imports back."""
        self._is_stopping = True
        for watch in self._watches.values():
            watch.is_stopping = True
        with anyio.move_on_after(self._pace.grace_s):
            while self._watches:
                self._idle = anyio.Event()
                await self._idle.wait()

    async def _claim(self) -> None:
        room = self._pace.imports - len(self._watches)
        if room <= 0 or self._is_stopping:
            return
        for claim in await self._bench.claim(most=room, lease_s=self._pace.lease_s):
            self._take(claim)

    async def _hold_on(self) -> None:
        for watch in list(self._watches.values()):
            status = await self._bench.extend(watch.claim, lease_s=self._pace.lease_s)
            if status is None:
                watch.scope.cancel()
            elif status is ImportStatus.CANCELLED:
                watch.is_cancelled = True

    def _take(self, claim: ImportClaim) -> None:
        """Work on an import in the background."""
        watch = Watch(claim, anyio.CancelScope(), is_cancelled=claim.is_cancelled)
        self._watches[claim.id] = watch
        self._work.start_soon(self._see_through, watch)

    async def _see_through(self, watch: Watch) -> None:
        try:
            with watch.scope:
                await self._seen(watch)
        finally:
            if self._watches.get(watch.claim.id) is watch:
                del self._watches[watch.claim.id]
            self._idle.set()

    async def _seen(self, watch: Watch) -> None:
        # What PostgreSQL or a neighbour did not take now comes back when its lease runs out.
        try:
            if await self._errand.see_through(watch):
                self._happened([watch.claim.origin.tenant_id])
        except* (Retryable, ActorError, ClaimLost):
            pass
