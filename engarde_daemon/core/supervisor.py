"""Who starts, restarts and ends actors, and in which order.

A supervisor starts its children in the order they were added and ends them in reverse. Each
child lives in a task of its own, shielded from outside cancellation: otherwise a cancelled
parent would kill them all at once, and nothing would be drained. When restarts come too
often it ends its children and raises `RestartLimitReached` to whoever runs it: its own
supervisor, or `main`, which decides on the exit code.

The loop in `_watch` is level-triggered: it looks at the children's status and does what
follows from it, so that no event can be missed and no two of them can collide.
"""

import random
import time
from collections import deque
from collections.abc import Callable

import msgspec
from anyio import TASK_STATUS_IGNORED, CancelScope, Event, create_task_group
from anyio.abc import TaskGroup, TaskStatus

from engarde_daemon.core.actor import Actor
from engarde_daemon.core.child import ALIVE, SETTLED, ActorChild, Child, Surroundings
from engarde_daemon.core.errors import RestartLimitReached
from engarde_daemon.core.health import EventKind, Health, HealthReport, KernelEvent
from engarde_daemon.core.mailbox import Address, M
from engarde_daemon.core.policy import Restart, RestartPolicy, Strategy


class Supervisor(Child):
    """A node of the tree: add children, then await `run` on the root.

    `clock`, `random` and `report` are given to the root; whatever joins the tree takes them over.
    `report` is called in the event loop and must neither wait nor raise.
    """

    def __init__(
        self,
        name: str,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        policy: RestartPolicy = RestartPolicy(),  # noqa: B008 - frozen
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        report: Callable[[KernelEvent], None] = lambda _event: None,
    ) -> None:
        super().__init__(name)
        self._strategy, self._policy = strategy, policy
        self._children: list[Child] = []
        self.adopt(name, Surroundings(clock=clock, random=random, report=report))
        self._changed = Event()
        self._ended: deque[Child] = deque()
        self._renewals: deque[Child] = deque()
        self._recent_restarts: deque[tuple[float, Child]] = deque()
        self._drain = True

    def add(
        self,
        name: str,
        factory: Callable[[], Actor[M]],
        *,
        capacity: int,
        restart: Restart = Restart.PERMANENT,
        grace_s: float = 5.0,
    ) -> Address[M]:
        """Add an actor, to be made by `factory` at each start, and give its address.

        Raises:
            ValueError: The name is taken or holds a slash, or there is no capacity.
        """
        child = ActorChild(name, factory, capacity=capacity, grace_s=grace_s)
        self._add(child, restart)
        return child.mailbox

    def add_supervisor(
        self, supervisor: "Supervisor", *, restart: Restart = Restart.PERMANENT
    ) -> None:
        """Add a supervisor with all its children, those still to come included.

        Raises:
            ValueError: The name is taken.
        """
        self._add(supervisor, restart)

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Live until `stop` or cancellation, both of which end the tree in order.

        Raises:
            RestartLimitReached: Restarts came too often; the last crash is the cause.
        """
        try:
            await self.incarnate(task_status.started)
        finally:
            self.close()
        if self.error is not None:
            raise self.error
        if not self.was_ready:
            task_status.started()  # stopped before: its starter must not take that for an error

    def pause(self, path: str) -> None:
        """Let the actor at this path take no more messages; its mailbox fills up.

        Raises:
            LookupError: There is no actor at this path.
        """
        self._actor(path).pause(paused=True)

    def resume(self, path: str) -> None:
        """Let a paused actor go on.

        Raises:
            LookupError: There is no actor at this path.
        """
        self._actor(path).pause(paused=False)

    def restart(self, path: str) -> None:
        """Replace the actor or supervisor at this path, as after a crash but at no charge.

        Raises:
            LookupError: There is nothing at this path.
        """
        parent, child = self._find(path)
        parent._request(child)  # noqa: SLF001 - the same class

    def health(self) -> HealthReport:
        """Say how this supervisor and everything below it is."""
        children = tuple(child.health() for child in self._children)
        return msgspec.structs.replace(super().health(), children=children)

    # What follows is called by the kernel only.

    def adopt(self, path: str, surroundings: Surroundings) -> None:
        """Take a place in the tree, and all children with it."""
        super().adopt(path, surroundings)
        for child in self._children:
            child.adopt(f"{path}/{child.name}", surroundings)

    def prepare(self) -> None:
        """Forget the last incarnation; every child will be started again."""
        super().prepare()
        self._ended.clear()
        self._recent_restarts.clear()
        for child in self._children:
            child.enter(Health.WAITING)

    async def live(self, ready: Callable[[], None]) -> None:
        """Start the children, mend what crashes, and end all in reverse.

        Raises:
            RestartLimitReached: Restarts came too often.
        """
        exhausted: RestartLimitReached | None = None
        async with create_task_group() as tasks:
            try:
                await self._watch(tasks, ready)
            except RestartLimitReached as limit:
                exhausted = limit  # raised in here, it would leave inside an ExceptionGroup
            finally:
                self.enter(Health.STOPPING)
                with CancelScope(shield=True):
                    await self._end(self._children, drain=self._drain and not exhausted)
        if exhausted is not None:
            raise exhausted

    def stop(self, *, drain: bool = True) -> None:
        """Ask for an orderly end of the whole branch; `run` returns when it is done."""
        self._drain = drain
        super().stop()
        self._look_again()

    def close(self) -> None:
        """Refuse everything from now on, in the whole branch."""
        for child in reversed(self._children):
            child.close()

    async def _watch(self, tasks: TaskGroup, ready: Callable[[], None]) -> None:
        while not self.halted.is_set():
            self._changed = Event()  # before looking, so that nothing is overlooked
            await self._mend()
            self._start_waiting(tasks)
            if all(child.status in SETTLED for child in self._children):
                ready()
            await self._changed.wait()

    def _start_waiting(self, tasks: TaskGroup) -> None:
        for child in self._children:
            if child.status is Health.WAITING:
                child.prepare()
                tasks.start_soon(self._house, child, name=child.path)
            if self._strategy is not Strategy.ONE_FOR_ONE and child.status not in SETTLED:
                return

    async def _house(self, child: Child) -> None:
        with CancelScope(shield=True):
            await child.incarnate(self._look_again)
        if not child.halted.is_set():
            self._ended.append(child)
        self._look_again()

    async def _mend(self) -> None:
        while self._ended:
            child = self._ended.popleft()
            if child.returns:
                self._charge(child)
                await self._renew(child)
            else:
                child.close()
        while self._renewals:
            await self._renew(self._renewals.popleft())

    def _charge(self, child: Child) -> None:
        now, policy = self.surroundings.clock(), self._policy
        self._recent_restarts.append((now, child))
        while now - self._recent_restarts[0][0] > policy.period_s:
            self._recent_restarts.popleft()
        if len(self._recent_restarts) > policy.intensity:
            raise RestartLimitReached(
                f"{self.path}: more than {policy.intensity} restarts in {policy.period_s:g} s"
            ) from child.error
        attempt = sum(restarted is child for _, restarted in self._recent_restarts)
        child.restarts += 1
        child.delay_s = policy.delay(attempt, self.surroundings.random())
        child.report(EventKind.RESTARTING, delay_s=child.delay_s)

    async def _renew(self, child: Child) -> None:
        others = [other for other in self._affected(child) if other.status in ALIVE]
        await self._end(others, drain=False)
        for one in (child, *others):
            one.enter(Health.WAITING)

    def _affected(self, child: Child) -> list[Child]:
        if self._strategy is Strategy.ONE_FOR_ALL:
            return self._children
        if self._strategy is Strategy.REST_FOR_ONE:
            return self._children[self._children.index(child) :]
        return [child]

    async def _end(self, children: list[Child], *, drain: bool) -> None:
        for child in reversed(children):
            if child.status in ALIVE:
                child.stop(drain=drain)
                await child.down.wait()
            if drain:
                child.close()

    def _add(self, child: Child, restart: Restart) -> None:
        if any(child.name == other.name for other in self._children):
            raise ValueError(f"{self.path} has a child named {child.name!r} already")
        child.restart_rule = restart
        child.adopt(f"{self.path}/{child.name}", self.surroundings)
        self._children.append(child)
        self._look_again()

    def _find(self, path: str) -> tuple["Supervisor", Child]:
        for child in self._children:
            if child.path == path:
                return self, child
            if isinstance(child, Supervisor) and path.startswith(f"{child.path}/"):
                return child._find(path)  # noqa: SLF001 - the same class
        known = ", ".join(child.path for child in self._children)
        raise LookupError(f"there is no {path!r}; {self.path} has {known}")

    def _actor(self, path: str) -> ActorChild:
        _, child = self._find(path)
        if isinstance(child, ActorChild):
            return child
        raise LookupError(f"{path!r} is a supervisor; name one of its actors")

    def _request(self, child: Child) -> None:
        self._renewals.append(child)
        self._look_again()

    def _look_again(self) -> None:
        self._changed.set()
