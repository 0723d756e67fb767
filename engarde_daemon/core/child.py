"""One place in the tree: what stays when an actor is replaced by its successor.

`Child` owns the state machine of `Health`. `ActorChild` owns the life of one actor object:
open, work, finish, close, each within its bound. Both are the supervisor's own; the rest of the
daemon sees addresses and health reports.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from anyio import CancelScope, Event, current_time, move_on_after
from anyio.lowlevel import checkpoint

from engarde_daemon.core.actor import Actor
from engarde_daemon.core.health import EventKind, Health, HealthReport, KernelEvent, describe
from engarde_daemon.core.mailbox import Mailbox
from engarde_daemon.core.policy import Restart

ALIVE = frozenset({Health.BACKING_OFF, Health.STARTING, Health.RUNNING, Health.STOPPING})
SETTLED = frozenset({Health.RUNNING, Health.STOPPED, Health.FAILED})


class Surroundings(msgspec.Struct, frozen=True):
    """What the whole tree takes from outside."""

    clock: Callable[[], float]
    random: Callable[[], float]
    report: Callable[[KernelEvent], None]


class Child(ABC):
    """A child of a supervisor, through all its incarnations."""

    path: str
    surroundings: Surroundings
    restart_rule: Restart
    _last_sign: float

    def __init__(self, name: str) -> None:
        if not name or "/" in name:
            raise ValueError(f"a name is one part of a path, without slashes, not {name!r}")
        self.name = name
        self.status = Health.WAITING
        self.restarts = 0
        self.delay_s = 0.0
        self.was_ready = False
        self.error: Exception | None = None
        self.halted, self.down = Event(), Event()
        self._last_error: str | None = None
        self._busy_since: float | None = None

    @property
    def returns(self) -> bool:
        """Whether its last ending is one that a new start follows."""
        if self.restart_rule is Restart.TRANSIENT:
            return self.error is not None
        return self.restart_rule is Restart.PERMANENT

    def adopt(self, path: str, surroundings: Surroundings) -> None:
        """Take the place in the tree that the parent gives."""
        self.path, self.surroundings = path, surroundings
        self.enter(self.status)

    def prepare(self) -> None:
        """Forget the last incarnation."""
        self.halted, self.down = Event(), Event()
        self.error = self._busy_since = None
        self.enter(Health.BACKING_OFF)

    async def incarnate(self, announce: Callable[[], None]) -> None:
        """Back off, live one life, and record how it ended; `announce` once it is ready."""
        try:
            with move_on_after(self.delay_s):
                await self.halted.wait()
            if not self.halted.is_set():
                self.enter(Health.STARTING)
                await self.live(lambda: self._ready(announce))
        except Exception as error:  # noqa: BLE001 - this is where actors crash
            self.error = _lone(error)
            self._last_error = describe(self.error)
        finally:
            self.delay_s = 0.0
            self.enter(Health.FAILED if self.error else Health.STOPPED)
            self.down.set()
            self.report(EventKind.CRASHED if self.error else EventKind.STOPPED, error=self.error)

    @abstractmethod
    async def live(self, ready: Callable[[], None]) -> None:
        """Live until halted or crashed."""

    @abstractmethod
    def close(self) -> None:
        """Refuse everything from now on: there will be no further incarnation."""

    def stop(self, *, drain: bool = True) -> None:  # noqa: ARG002 - for those with a queue
        """Ask for a polite end, after the queued messages or only the present one."""
        if self.status in ALIVE:
            self.enter(Health.STOPPING)
        self.halted.set()

    def health(self) -> HealthReport:
        """Say how this child is."""
        now, busy_since = self.surroundings.clock(), self._busy_since
        resting = self.status is Health.RUNNING and busy_since is None
        return HealthReport(
            path=self.path,
            status=self.status,
            restarts=self.restarts,
            last_error=self._last_error,
            heartbeat_age_s=0.0 if resting else now - self._last_sign,
            busy_s=0.0 if busy_since is None else now - busy_since,
        )

    def enter(self, status: Health) -> None:
        """Move to another status, which is a sign of life."""
        self.status = status
        self._last_sign = self.surroundings.clock()

    def report(self, kind: EventKind, **details: Any) -> None:
        """Tell the operator's hook what happened here."""
        self.surroundings.report(KernelEvent(kind=kind, path=self.path, **details))

    def _ready(self, announce: Callable[[], None]) -> None:
        if self.status is Health.STARTING:
            self.was_ready = True
            self.enter(Health.RUNNING)
            self.report(EventKind.STARTED)
            announce()


class ActorChild(Child):
    """A place with a mailbox, in which one actor after the other works."""

    _life: CancelScope
    _work: CancelScope

    def __init__(
        self, name: str, factory: Callable[[], Actor[Any]], *, capacity: int, grace_s: float
    ) -> None:
        super().__init__(name)
        self.mailbox: Mailbox[Any] = Mailbox(capacity)
        self._factory = factory
        self._grace_s = grace_s
        self._processed = self._turns = 0

    def adopt(self, path: str, surroundings: Surroundings) -> None:
        """Take the place, and the mailbox with it."""
        super().adopt(path, surroundings)
        self.mailbox.place(path, surroundings.clock)

    def prepare(self) -> None:
        """Forget the last actor, but not the messages it left."""
        super().prepare()
        self.mailbox.reopen()
        self._life, self._work = CancelScope(), CancelScope()

    async def live(self, ready: Callable[[], None]) -> None:
        """Open, work, finish and close one actor.

        Two scopes bound a stop: `_work` ends the draining, and closing gets a grace of its own,
        because resources that are closed under cancellation leak.

        Raises:
            TimeoutError: The resources were not closed within the grace.
        """
        failure: Exception | None = None
        with self._life:
            async with AsyncExitStack() as resources:
                try:
                    await self._inhabit(resources, ready)
                except Exception as error:
                    failure = error  # closing may hang, and then this would be lost
                    raise
                finally:
                    self._life.deadline = current_time() + self._grace_s
        if self._life.cancelled_caught:
            raise TimeoutError(f"{self.path} not closed within {self._grace_s:g} s") from failure

    def close(self) -> None:
        """Refuse what is queued and all that comes."""
        self.mailbox.close()
        if abandoned := self.mailbox.discard():
            self.report(EventKind.ABANDONED, messages=abandoned)

    def stop(self, *, drain: bool = True) -> None:
        """Ask for a polite end, within the grace."""
        if drain:
            self.mailbox.close()
        else:
            self.mailbox.halt()
        deadline = current_time() + self._grace_s
        self._work.deadline = min(self._work.deadline, deadline)
        if self.status is Health.STARTING:
            self._life.deadline = deadline
        super().stop()

    def pause(self, *, paused: bool) -> None:
        """Take no more messages, which keep coming, or go on."""
        self.mailbox.pause(paused=paused)
        self.report(EventKind.PAUSED if paused else EventKind.RESUMED)

    def health(self) -> HealthReport:
        """Say how this actor and its mailbox are."""
        report, mailbox = super().health(), self.mailbox
        paused = mailbox.paused and report.status is Health.RUNNING
        return msgspec.structs.replace(
            report,
            status=Health.PAUSED if paused else report.status,
            depth=mailbox.depth,
            capacity=mailbox.capacity,
            waiting=mailbox.waiting,
            oldest_message_age_s=mailbox.oldest_message_age_s,
            processed=self._processed,
            turns=self._turns,
            expired=mailbox.expired,
        )

    async def _inhabit(self, resources: AsyncExitStack, ready: Callable[[], None]) -> None:
        actor = self._factory()
        actor.own = self.mailbox
        self.mailbox.open(actor.accepts)
        await actor.started(resources)
        self._life.deadline = math.inf  # told to stop meanwhile, it is bounded by `_work`
        ready()
        with self._work:
            await self._serve(actor)
        if self._work.cancelled_caught:
            cut_off = self.mailbox.taken - self._processed
            self.report(EventKind.ABANDONED, messages=cut_off)

    async def _serve(self, actor: Actor[Any]) -> None:
        while await self.mailbox.wait():
            self._last_sign = self._busy_since = self.surroundings.clock()
            for poison in await actor.turn(self.mailbox):
                self._last_error = describe(poison)
                self.report(EventKind.POISONED, error=poison)
            self._last_sign, self._busy_since = self.surroundings.clock(), None
            self._processed = self.mailbox.taken
            self._turns += 1
            await checkpoint()  # an actor that never waits must not keep the others waiting
        await actor.stopping()


def _lone(error: Exception) -> Exception:
    """Take a single error out of the groups that task groups put around it."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
