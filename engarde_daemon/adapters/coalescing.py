"""Readers that wait together are answered together.

The counterpart of group commit: while `lanes` round trips are under way, whoever comes waits, and
everything that waits goes into the next one. Equal questions are asked once. A question never
joins a round trip that began before it was asked, so a reader always sees what was written before.

Owns the fairness of reads: questions are answered in the order they came, and nobody starves
behind a pool's queue, where a newcomer may overtake those who wait (asyncpg 0.32).
"""

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")


class _Waiter(msgspec.Struct, eq=False):
    """One who asked: woken when the answer is there, or when it is their turn to ask for all."""

    question: Hashable
    leads: bool = False
    settled: bool = False
    answer: Any = None
    error: Exception | None = None
    signal: Future[None] | None = None

    def wake(self) -> None:
        if self.signal is not None and not self.signal.done():
            self.signal.set_result(None)

    async def sleep(self) -> None:
        self.signal = get_running_loop().create_future()
        await self.signal

    def settle(self, *, answer: Any = None, error: Exception | None = None) -> None:
        self.settled, self.answer, self.error = True, answer, error
        self.wake()


class Coalesced(Generic[Q, A]):
    """Asks for many at once; `ask_all` answers each question of a list, in its order."""

    def __init__(
        self, ask_all: Callable[[list[Q]], Awaitable[Sequence[A]]], *, lanes: int, most: int
    ) -> None:
        self._ask_all = ask_all
        self._free_lanes = lanes
        self._most = most
        self._waiting: deque[_Waiter] = deque()

    async def ask(self, question: Q) -> A:
        """The answer to one question.

        Raises:
            Exception: Whatever `ask_all` raised for the round trip this question was in.
        """
        me = _Waiter(question)
        self._waiting.append(me)
        if self._free_lanes:
            self._free_lanes -= 1
            me.leads = True
        try:
            await self._until_settled(me)
        except BaseException:
            self._leave(me)
            raise
        if me.error is not None:
            raise me.error
        return cast("A", me.answer)

    async def _until_settled(self, me: _Waiter) -> None:
        while not me.settled:
            if me.leads:
                await self._lead(me)
            else:
                await me.sleep()
        if me.leads:
            self._pass_on(me)

    async def _lead(self, me: _Waiter) -> None:
        """Ask for everyone who waits, then pass the lane on."""
        count = min(self._most, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(count)]
        try:
            await self._answer(batch)
        except BaseException:
            # Only the leader was cancelled: the others wait on, in their order.
            self._waiting.extendleft(w for w in reversed(batch) if w is not me and not w.settled)
            raise
        self._pass_on(me)

    async def _answer(self, batch: list[_Waiter]) -> None:
        questions = list(dict.fromkeys(waiter.question for waiter in batch))
        try:
            found = await self._ask_all(cast("list[Q]", questions)) if questions else ()
        except Exception as error:  # noqa: BLE001 - each asker gets it as their own
            for waiter in batch:
                waiter.settle(error=error)
            return
        answers = dict(zip(questions, found, strict=True))
        for waiter in batch:
            waiter.settle(answer=answers[waiter.question])

    def _leave(self, me: _Waiter) -> None:
        if me in self._waiting:
            self._waiting.remove(me)
        if me.leads:
            self._pass_on(me)

    def _pass_on(self, me: _Waiter) -> None:
        """Give the lane to the first who waits without one, or set it free."""
        me.leads = False
        for waiter in self._waiting:
            if not waiter.leads:
                waiter.leads = True
                waiter.wake()
                return
        self._free_lanes += 1
