"""Readers that wait together are answered together.

The counterpart of group commit: while `lanes` round trips are under way, whoever comes waits, and
everything that waits goes into the next one. Equal questions are asked once. A question never
joins a round trip that began before it was asked, so a reader always sees what was written before.

Owns the fairness of reads: questions are answered in the order they came, and nobody starves
behind a pool's queue, where a newcomer may overtake those who wait (asyncpg 0.32). Nobody waits
longer than `patience_s`, for others' round trips and their own together.
"""

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar, cast

import anyio
import msgspec

PATIENCE_S = 15.0

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")


class _Waiter(msgspec.Struct, eq=False):
    """One who asked: woken when the answer is there, or when it is their turn to ask for all."""

    question: Hashable
    deadline: float
    leads: bool = False
    settled: bool = False
    answer: Any = None
    error: Exception | None = None
    signal: Future[None] | None = None

    def wake(self) -> None:
        if self.signal is not None and not self.signal.done():
            self.signal.set_result(None)

    async def sleep(self) -> None:
        loop = get_running_loop()
        self.signal = loop.create_future()
        # A bare timer, as in a mailbox: a cancel scope for everyone who waits is several times as dear.
        timer = loop.call_at(self.deadline, self.expire)
        try:
            await self.signal
        finally:
            timer.cancel()

    def expire(self) -> None:
        if not self.settled:
            self.settle(error=TimeoutError("no round trip came back in time"))

    def settle(self, *, answer: Any = None, error: Exception | None = None) -> None:
        self.settled, self.answer, self.error = True, answer, error
        self.wake()


class Coalesced(Generic[Q, A]):
    """Asks for many at once; `ask_all` answers each question of a list, in its order."""

    def __init__(
        self,
        ask_all: Callable[[list[Q]], Awaitable[Sequence[A]]],
        *,
        lanes: int,
        most: int,
        patience_s: float,
    ) -> None:
        self._ask_all = ask_all
        self._free_lanes = lanes
        self._most = most
        self._patience_s = patience_s
        self._waiting: deque[_Waiter] = deque()

    async def ask(self, question: Q) -> A:
        """The answer to one question.

        Raises:
            TimeoutError: There was none in time.
            Exception: Whatever `ask_all` raised for the round trip this question was in.
        """
        me = _Waiter(question, anyio.current_time() + self._patience_s)
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
            self._leave(me)
            raise me.error
        return cast("A", me.answer)

    async def _until_settled(self, me: _Waiter) -> None:
        while not me.settled:
            if me.leads:
                with anyio.fail_at(me.deadline):
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
            # Only the leader was cancelled, or has no time left: the others wait on, in their order.
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
        """Give the lane to the last who waits without one, or set it free.

        The last has the most time left, so its deadline cuts short nobody's round trip but its own.
        """
        me.leads = False
        for waiter in reversed(self._waiting):
            if not waiter.leads:
                waiter.leads = True
                waiter.wake()
                return
        self._free_lanes += 1
