"""An event loop without real time, on which a seed chooses who goes on next.

Owns two promises. Time passes only while nobody can go on, and then jumps to the next timer, so
that an hour costs nothing. Of all callbacks that could run, the seed picks the next one: one seed
is one interleaving, and gives the same one again. asyncio itself runs callbacks in the order they
were registered, so this explores more than any daemon will meet; code that is right here does not
rest on that order.

It is for what needs no outside. A thread or a socket that somebody waits for looks like a deadlock::

    for seed in range(300):
        replay(scenario, seed=seed)
"""

import asyncio
import bisect
import contextvars
import itertools
import math
import random
import selectors
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar, TypeVarTuple

import anyio
import msgspec

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Deadlock(Exception):
    """Everybody waits for somebody: no callback is ready, and no timer will ever be due."""


class _Call(msgspec.Struct, eq=False):
    run: Callable[[], Any]
    task: int
    handle: asyncio.Handle | None = None


class _NumberedTask(asyncio.Task[Any]):
    """A task that can be told from another by something else than its address."""

    def __init__(self, number: int, *args: Any, **options: Any) -> None:
        self.number = number
        super().__init__(*args, **options)


class SeededLoop(asyncio.SelectorEventLoop):
    """An event loop for one run.

    `after_step` is called after each callback, to look for harm. What it raises, and what a
    callback raises, ends the run, and stays in `failure`.
    """

    def __init__(self, seed: int, after_step: Callable[[], None] = lambda: None) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._after_step = after_step
        self._calls: list[_Call] = []
        self._now = 0.0
        self.failure: Exception | None = None
        self._untold: Exception | None = None
        super().__init__(_Idleness(self._pass))
        numbers = itertools.count()
        self.set_task_factory(
            lambda loop, coroutine, **options: _NumberedTask(
                next(numbers), coroutine, loop=loop, **options
            )
        )

    def time(self) -> float:
        """Give the virtual time, in seconds since the loop was made."""
        return self._now

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Let the callback run at some step from the next one on."""
        call = self._call(callback, args, context)
        call.handle = asyncio.Handle(callback, args, self, context)
        self._offer(call)
        return call.handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Let the callback run at some step from this time on."""
        call = self._call(callback, args, context)
        timer = super().call_at(when, self._offer, call)
        call.handle = timer
        return timer

    def _call(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> _Call:
        run = partial((context or contextvars.copy_context()).run, callback, *args)
        owner = getattr(callback, "__self__", None)
        return _Call(run, owner.number if isinstance(owner, _NumberedTask) else -1)

    def _offer(self, call: _Call) -> None:
        # anyio cancels tasks in the order of a set, so by their addresses: no two runs have the same.
        bisect.insort(self._calls, call, key=attrgetter("task"))
        super().call_soon(self._step)

    def _step(self) -> None:
        call = self._calls.pop(self._chance.randrange(len(self._calls)))
        if call.handle is None or call.handle.cancelled():
            return
        try:
            call.run()
            if self.failure is None:
                self._after_step()
        except Exception as error:  # noqa: BLE001 - asyncio would only log it
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = self._untold = error

    def _pass(self, idle_s: float | None) -> None:
        if idle_s is None:
            self._fail(Deadlock("nobody can go on, and nothing is due"))
        if self._untold is not None:
            untold, self._untold = self._untold, None
            raise untold
        if idle_s is None:
            raise Deadlock("the clean-up cannot go on either")
        is_stuck = idle_s == 0 and not self._calls  # the clock's resolution is below a float's
        self._now = math.nextafter(self._now, math.inf) if is_stuck else self._now + idle_s


class _Idleness(selectors.SelectSelector):
    """Where a loop that has nothing to do learns that time has passed."""

    def __init__(self, pass_: Callable[[float | None], None]) -> None:
        super().__init__()
        self._pass = pass_

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return at once, with the time moved on by as much as there was to wait."""
        self._pass(timeout)
        return super().select(0)


def replay(
    scenario: Callable[[], Awaitable[T]],
    *,
    seed: int,
    after_step: Callable[[], None] = lambda: None,
) -> T:
    """Run a scenario in the interleaving of a seed, which an error will name.

    Raises:
        Deadlock: The scenario waits for what will never happen.
    """
    loop = SeededLoop(seed, after_step)
    options = {"loop_factory": lambda: loop}
    try:
        with ThreadPoolExecutor(1) as thread:  # the caller's thread may have a loop of its own
            return thread.submit(partial(anyio.run, scenario, backend_options=options)).result()
    except BaseException as error:  # noqa: BLE001 - raised again, with its seed
        # After a failure the clean-up may fail as well.
        first = loop.failure or error
        first.add_note(f"in the interleaving of seed {seed}")
        raise first from None
