"""A small world for the kernel: actors that fail, clients that lose patience, an operator.

Owns what must be so in every interleaving, and judges it from the outside, by what clients sent and
heard and by what actors began and did. Everything that happens follows from one `random.Random`,
on a loop whose interleaving follows from a seed.
"""

import asyncio
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from enum import Enum
from functools import partial
from itertools import count, pairwise
from typing import Any

import anyio
import msgspec

from engarde_daemon.core import (
    Actor,
    ActorCrashed,
    ActorStopped,
    Address,
    AskTimedOut,
    BatchActor,
    EventKind,
    Health,
    KernelEvent,
    MailboxFull,
    Message,
    Refusal,
    Request,
    RestartPolicy,
    Strategy,
    Supervisor,
)

LETTERS_AND_ASKS = 8
LOOK_S = 0.01
ENOUGH_S = 300.0
ENDED = (Health.WAITING, Health.STOPPED, Health.FAILED)


class Fate(Enum):
    """What an actor will do with a message."""

    DONE = "done"
    REFUSED = "refused"
    CRASH = "crash"


class Work(msgspec.Struct, frozen=True):
    """What a message asks for."""

    serial: int
    takes_s: float
    fate: Fate


class Ask(Request[int], frozen=True):
    """Answered with its own serial number."""

    work: Work


class Letter(Message, frozen=True):
    """Answered by nobody."""

    work: Work


class Declined(Refusal):
    """The answer to what is refused."""


class Sent(msgspec.Struct):
    """A message as its sender knows it."""

    client: int
    actor: str
    message: Ask | Letter
    deadline: float
    accepted: bool = False
    """Its sender was told that it is queued."""
    heard: list[str] = []
    heard_after: int | None = None
    """How much had happened in the world when its sender heard."""
    begun_after: list[int] = []
    begun_at: list[float] = []
    done: int = 0


class World:
    """One run: build it, `live`, and `judge`; `look` belongs after each step of the loop."""

    def __init__(self, seed: int, *, ends_early: bool) -> None:
        self.chance = random.Random(f"world {seed}")
        self.sent: dict[int, Sent] = {}
        self.events: list[KernelEvent] = []
        self.ends_early = ends_early
        self._serials, self._happenings = count(), count()
        self._at_work: Counter[str] = Counter()
        self._alive: Counter[str] = Counter()
        self._addresses: dict[str, Address[Ask | Letter]] = {}
        self._leaves: list[str] = []
        self.grace_s = self.chance.choice((0.0, 0.5)) if ends_early else 1e6

    async def live(self) -> None:
        """Run the tree among clients and an operator, and stop it: when all is sent, or before."""
        root = self._tree(asyncio.get_running_loop().time)
        with anyio.fail_after(ENOUGH_S):
            async with anyio.create_task_group() as everybody:
                await everybody.start(root.run)
                await self._visit(root)
                if not self.ends_early:
                    # Whoever is down when all must end abandons its letters, and says so.
                    while any(address.depth for address in self._addresses.values()):
                        await anyio.sleep(LOOK_S)
                root.stop()
        await self._is_over(root)

    def look(self) -> None:
        """Check what must be so after every single step.

        Raises:
            AssertionError: It is not so.
        """
        for address in self._addresses.values():
            assert address.depth <= address.capacity, "the mailbox holds more than its bound"
        for name, working in self._at_work.items():
            assert working <= 1, f"{name} does {working} things at once"
        for name, alive in self._alive.items():
            assert alive <= 1, f"{name} lives {alive} times"

    def judge(self) -> None:
        """Check what must be so when everything is over.

        Raises:
            AssertionError: It is not so.
        """
        for sent in self.sent.values():
            _judge(sent)
        for letters in self._by_way().values():
            begun = [letter.begun_after[0] for letter in letters if letter.begun_after]
            assert all(one < next_ for one, next_ in pairwise(begun)), "letters overtook each other"
        lost = [s for s in self.sent.values() if _is_letter(s) and s.accepted and not s.begun_after]
        abandoned = sum(e.messages for e in self.events if e.kind is EventKind.ABANDONED)
        assert len(lost) <= abandoned, f"{len(lost)} letters lost, {abandoned} abandoned"
        if not self.ends_early:
            assert not lost, f"{len(lost)} letters were accepted and never begun"

    def _tree(self, clock: Callable[[], float]) -> Supervisor:
        policy = RestartPolicy(intensity=10_000, backoff_s=0.1, backoff_max_s=1.0)
        draw, strategies = self.chance, list(Strategy)
        root = Supervisor(
            "root",
            draw.choice(strategies),
            policy,
            clock=clock,
            random=draw.random,
            report=self.events.append,
        )
        inner = Supervisor("inner", draw.choice(strategies), policy)
        root.add_supervisor(inner)
        for number in range(draw.randint(1, 3)):
            parent, path = draw.choice(((root, "root"), (inner, "root/inner")))
            name = f"{path}/{number}"
            kind: Callable[[World, str], Actor[Ask | Letter]] = draw.choice((Worker, Together))
            self._addresses[name] = parent.add(
                str(number),
                partial(kind, self, name),
                capacity=draw.randint(1, 3),
                grace_s=self.grace_s,
            )
            self._leaves.append(name)
        return root

    async def _visit(self, root: Supervisor) -> None:
        async with anyio.create_task_group() as visitors:
            visitors.start_soon(self._operate, root)
            for number in range(self.chance.randint(1, 4)):
                visitors.start_soon(self._send_all, number)
            if self.ends_early:
                await anyio.sleep(self.chance.uniform(0, 3))
                visitors.start_soon(self._stop, root)

    async def _send_all(self, client: int) -> None:
        for _ in range(LETTERS_AND_ASKS):
            await anyio.sleep(self.chance.choice((0.0, 0.0, 0.1, self.chance.random())))
            sent = self._draw(client)
            with anyio.CancelScope() as patience:
                patience.deadline = anyio.current_time() + self.chance.choice((0.05, 0.5, math.inf))
                await self._send(sent)
            if patience.cancelled_caught:
                self._hears(sent, "cancelled")

    def _draw(self, client: int) -> Sent:
        fate = self.chance.choices(list(Fate), (8, 1, 1))[0]
        work = Work(next(self._serials), self.chance.choice((0.0, 0.0, 0.1, 0.4)), fate)
        kind = self.chance.choice((Ask, Letter))
        timeout_s = self.chance.choice((0.05, 0.3, 1e6))
        deadline = anyio.current_time() + timeout_s if kind is Ask else math.inf
        sent = Sent(client, self.chance.choice(self._leaves), kind(work), deadline)
        self.sent[work.serial] = sent
        return sent

    async def _send(self, sent: Sent) -> None:
        address, message = self._addresses[sent.actor], sent.message
        try:
            if isinstance(message, Ask):
                timeout_s = sent.deadline - anyio.current_time()
                answer = await address.ask(message, timeout_s=timeout_s)
                assert answer == message.work.serial, "somebody else's answer"
                self._hears(sent, "answered")
                return
            if self.chance.random() < 0.5:
                address.offer(message)
            else:
                await address.tell(message)
            sent.accepted = True
        except (AskTimedOut, ActorCrashed, ActorStopped, Declined, MailboxFull) as error:
            self._hears(sent, type(error).__name__)

    def _hears(self, sent: Sent, what: str) -> None:
        sent.heard.append(what)
        sent.heard_after = next(self._happenings)
        assert what == "answered" or anyio.current_time() <= sent.deadline + 1e-6, "told too late"

    async def _operate(self, root: Supervisor) -> None:
        for _ in range(self.chance.randint(0, 4)):
            await anyio.sleep(self.chance.random())
            path = self.chance.choice(self._leaves)
            match self.chance.randrange(3):
                case 0:
                    root.restart(path)
                case 1:
                    root.restart("root/inner")
                case _:
                    root.pause(path)
                    await anyio.sleep(self.chance.random())
                    root.resume(path)

    async def _stop(self, root: Supervisor) -> None:
        began = anyio.current_time()
        root.stop(drain=self.chance.random() < 0.5)
        while root.status not in ENDED:
            await anyio.sleep(LOOK_S)
        lasted_s = anyio.current_time() - began
        # One after the other: the present work, and then the closing.
        assert lasted_s <= len(self._leaves) * 2 * self.grace_s + 2 * LOOK_S, (
            f"{lasted_s} s to stop"
        )

    async def _is_over(self, root: Supervisor) -> None:
        for report in root.health().walk():
            assert report.status in ENDED, f"{report.path} is {report.status}"
            assert report.depth == report.waiting == 0, f"{report.path} has messages left"
        for address in self._addresses.values():
            try:
                await address.ask(Ask(Work(-1, 0.0, Fate.DONE)), timeout_s=1)
            except ActorStopped:
                continue
            raise AssertionError("a stopped actor was asked, and did not refuse")
        assert not +self._alive, "an actor was not closed"
        assert len(asyncio.all_tasks()) == 1, "a task outlived the tree"

    def _by_way(self) -> dict[tuple[int, str], list[Sent]]:
        ways: dict[tuple[int, str], list[Sent]] = defaultdict(list)
        for sent in self.sent.values():
            if _is_letter(sent) and sent.accepted:
                ways[sent.client, sent.actor].append(sent)
        return ways

    # What follows is called by the actors.

    async def open(self, name: str, resources: AsyncExitStack) -> None:
        """An actor comes to life, which takes time and may fail."""
        self._alive[name] += 1
        resources.callback(self._alive.subtract, [name])
        await anyio.sleep(self.chance.choice((0.0, 0.05)))
        if self.chance.random() < 0.1:
            raise ConnectionError("could not start")

    async def work(self, name: str, works: Sequence[Work]) -> list[Any]:
        """Do what messages ask for, all or nothing."""
        self._at_work[name] += 1
        try:
            return await self._work(works)
        finally:
            self._at_work[name] -= 1

    async def _work(self, works: Sequence[Work]) -> list[Any]:
        for work in works:
            sent = self.sent[work.serial]
            sent.begun_after.append(next(self._happenings))
            sent.begun_at.append(anyio.current_time())
        await anyio.sleep(max(work.takes_s for work in works))
        for work in works:
            if work.fate is Fate.CRASH:
                raise ValueError("crashed")
        for work in works:
            self.sent[work.serial].done += 1
        return [Declined("no") if work.fate is Fate.REFUSED else work.serial for work in works]


class Worker(Actor[Ask | Letter]):
    """Takes one message at a time."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    async def started(self, resources: AsyncExitStack) -> None:
        """Open."""
        await self._world.open(self._name, resources)

    async def receive(self, message: Ask | Letter) -> Any:
        """Do it."""
        (answer,) = await self._world.work(self._name, [message.work])
        return answer


class Together(BatchActor[Ask | Letter]):
    """Takes everything that waits."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    async def started(self, resources: AsyncExitStack) -> None:
        """Open."""
        await self._world.open(self._name, resources)

    async def receive_batch(self, messages: Sequence[Ask | Letter]) -> Sequence[Any]:
        """Do them."""
        return await self._world.work(self._name, [message.work for message in messages])


def _is_letter(sent: Sent) -> bool:
    return isinstance(sent.message, Letter)


def _judge(sent: Sent) -> None:
    """What must be so of one message."""
    said, fate = sent.heard, sent.message.work.fate
    assert sent.done <= 1, "done twice"
    assert len(said) + (_is_letter(sent) and sent.accepted) == 1, f"its sender heard {said}"
    # A batch that raised is begun again in halves, whenever that is: only the first time counts.
    assert all(at < sent.deadline for at in sent.begun_at[:1]), "begun after its deadline"
    if sent.begun_after and said in (["cancelled"], ["AskTimedOut"]):
        assert sent.heard_after is not None
        assert sent.begun_after[0] < sent.heard_after, "begun after its asker had given up"
    if said in (["ActorStopped"], ["MailboxFull"]):
        assert not sent.begun_after, f"begun, and its sender heard {said}"
    if said == ["answered"]:
        assert (sent.done, fate) == (1, Fate.DONE), "answered, and not done"
    if said == ["ActorCrashed"]:
        assert sent.begun_after, "crashed on what it never began"
    if said == ["Declined"]:
        assert fate is Fate.REFUSED, "refused, and nobody wanted that"
