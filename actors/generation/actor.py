"""Generation: claims items, has them called side by side, and sees jobs to their end.

Everything that lasts is in the database. Owns what is under way on this daemon: no more calls at
once than there are places, each under a lease that is held as long as the call lasts. Whoever loses
a lease stops: another daemon has the item by then.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec
from anyio.abc import TaskGroup

from actors.clock import ticking
from actors.generation.bulletin import Bulletin
from actors.generation.calling import ATTEMPTS_MAX, Caller
from actors.generation.credentials import Credentials
from actors.generation.messages import GenerationMessage, HoldOn, Tidy, Wake
from actors.scribe.messages import NoteStep
from actors.shelver.messages import Shelve
from engarde_daemon.core import Actor, ActorError, ActorStopped, Address, MailboxFull
from engarde_daemon.domain.errors import Retryable, Unavailable
from engarde_daemon.domain.generation import ItemState
from engarde_daemon.failpoints import GENERATION_AFTER_ANSWER, GENERATION_AFTER_RECEIPT
from engarde_daemon.ports.generation import Claim, WorkBench
from engarde_daemon.ports.models import ModelHouse

NOTE_TIMEOUT_S = 20.0
SHELVE_TIMEOUT_S = 45.0
STAGGER_S = 0.001
JOBS_PER_LOOK = 50
SHELVES_WAITING_MAX = 4
"""How many times the places answers may wait to be stored before calls pause for them."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls at once, how long a claim holds, how often to look, how a stop waits."""

    places: int = 50
    lease_s: float = 30.0
    poll_s: float = 1.0
    grace_s: float = 10.0


class _Held(msgspec.Struct, eq=False):
    """An item under way here, and how to end it."""

    claim: Claim
    scope: anyio.CancelScope


class Generation(Actor[GenerationMessage]):
    """Works on items until there are none."""

    def __init__(
        self,
        *,
        bench: WorkBench,
        caller: Caller,
        credentials: Credentials,
        house: ModelHouse,
        scribe: Address[NoteStep],
        shelver: Address[Shelve],
        bulletin: Bulletin,
        happened: Callable[[Sequence[str]], None],
        pace: Pace,
    ) -> None:
        self._bench = bench
        self._caller = caller
        self._credentials = credentials
        self._house = house
        self._scribe = scribe
        self._shelver = shelver
        self._bulletin = bulletin
        self._happened = happened
        self._pace = pace
        self._held: dict[tuple[str, int], _Held] = {}
        self._calling = 0
        self._is_stopping = False
        self._is_behind = False
        self._idle = anyio.Event()
        self._work: TaskGroup

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look for work."""
        resources.push_async_callback(self._house.close)
        self._work = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._work.cancel_scope.cancel)
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, Tidy(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, HoldOn(), every_s=self._pace.lease_s / 3)

    async def receive(self, message: GenerationMessage) -> None:
        """Do what is due; what PostgreSQL does not let us do now, the next reminder does."""
        with suppress(Unavailable):
            match message:
                case Wake():
                    await self._claim()
                case Tidy():
                    await self._tidy()
                case HoldOn():
                    await self._hold_on()
                case _:
                    assert_never(message)

    async def stopping(self) -> None:
        """Let calls under way come home, for a moment: their answers are paid."""
        self._is_stopping = True
        with anyio.move_on_after(self._pace.grace_s):
            while self._held:
                self._idle = anyio.Event()
                await self._idle.wait()

    async def _claim(self) -> None:
        room = self._room()
        if not room:
            return
        claims = await self._bench.claim(
            most=room,
            lease_s=self._pace.lease_s,
            caps=self._credentials.caps(),
            closed=self._credentials.resting(),
        )
        await self._take_all(claims)
        if not claims and not self._held:
            await self._end_jobs()

    def _room(self) -> int:
        if self._is_stopping or self._is_crowded():
            return 0
        return self._pace.places - self._calling

    def _is_crowded(self) -> bool:
        waiting = len(self._held) - self._calling
        return waiting > SHELVES_WAITING_MAX * self._pace.places

    async def _tidy(self) -> None:
        if not self._is_stopping and not self._is_crowded():
            recovered = await self._bench.recover(
                most=self._pace.places, attempts_max=ATTEMPTS_MAX, lease_s=self._pace.lease_s
            )
            self._is_behind = len(recovered) == self._pace.places
            await self._take_all(recovered)
        await self._end_jobs()

    async def _end_jobs(self) -> None:
        tenants = await self._bench.end(most=JOBS_PER_LOOK)
        if tenants:
            self._happened(tenants)

    async def _hold_on(self) -> None:
        held = [one.claim for one in self._held.values()]
        if not held:
            return
        ours = {claim.place for claim in await self._bench.extend(held, lease_s=self._pace.lease_s)}
        for claim in held:
            one = self._held.get(claim.place)
            if claim.place not in ours and one is not None and one.claim is claim:
                one.scope.cancel()

    async def _take_all(self, claims: Sequence[Claim]) -> None:
        """Begin one after the other: calls that begin together end together, again and again.

        Whoever else wants something of the event loop would wait for all of them each time.
        """
        for place, claim in enumerate(claims):
            if place:
                await anyio.sleep(STAGGER_S)
            self._take(claim)

    def _take(self, claim: Claim) -> None:
        """Work on an item in the background."""
        held = self._held[claim.place] = _Held(claim, anyio.CancelScope())
        self._work.start_soon(self._see_through, held)

    async def _see_through(self, held: _Held) -> None:
        claim = held.claim
        try:
            # What PostgreSQL or a neighbour did not take now comes back when its lease runs out.
            with held.scope, suppress(Retryable, ActorError):
                shelve = await self._shelving_of(claim)
                if shelve is not None:
                    await self._shelver.ask(shelve, timeout_s=SHELVE_TIMEOUT_S)
        finally:
            if self._held.get(claim.place) is held:
                del self._held[claim.place]
            self._bulletin.note(claim.job_id)
            self._idle.set()
            self._look_again()

    async def _shelving_of(self, claim: Claim) -> Shelve | None:
        """What is to be stored of an item, committed by now, or None where there is nothing."""
        if claim.state is ItemState.RECEIVED:
            return Shelve(claim, claim.answer) if claim.answer else None
        self._calling += 1
        try:
            step = await self._caller.call(claim)
            await GENERATION_AFTER_ANSWER.reached()
            noted = await self._scribe.ask(NoteStep(step), timeout_s=NOTE_TIMEOUT_S)
            await GENERATION_AFTER_RECEIPT.reached()
        finally:
            self._calling -= 1
            self._look_again()
        if noted.is_held and step.state is ItemState.RECEIVED and step.answer:
            return Shelve(claim, step.answer, noted.signed)
        return None

    def _look_again(self) -> None:
        with suppress(MailboxFull, ActorStopped):
            if self.own.depth == 0:
                self.own.offer(Tidy() if self._is_behind and not self._held else Wake())
