"""The bounded queue in front of one actor, as its senders and as its owner see it.

A mailbox belongs to a place in the tree, not to an actor object, so it outlives restarts and
nobody ever looks a name up again. It owns these invariants:

- never more than `capacity` messages are queued, and they leave in the order they came;
- an asker hears exactly one thing: an answer, an error, or `AskTimedOut`;
- a request whose asker has given up is never begun.

Replies are bare asyncio futures with bare timers. An ask is on the path of every write, and
`anyio.Future` under `anyio.fail_after` makes it 2.6 times as dear (CPython 3.11, anyio 4.16).
anyio cancels a task that waits on such a future like any other, but never once the future is
resolved, so a delivered answer is not lost.
"""

import math
from asyncio import Future, get_running_loop
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import msgspec
from anyio.lowlevel import checkpoint_if_cancelled

from engarde_daemon.core.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimedOut,
    MailboxFull,
    Refusal,
)
from engarde_daemon.core.messages import Message, Request

M = TypeVar("M", bound=Message)
M_contra = TypeVar("M_contra", bound=Message, contravariant=True)
R = TypeVar("R")


class BatchLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How much an actor takes at once; a single message always fits."""

    messages: int = 512
    cost: int = 8 * 1024 * 1024


class Envelope(msgspec.Struct, Generic[M], eq=False):
    """A message on its way, with what its sender waits for."""

    message: M
    addressee: str
    queued_at: float
    deadline: float = math.inf
    reply: Future[Any] | None = None

    def answer(self, answer: object) -> None:
        """Give the asker its answer, unless it has one or has given up."""
        if self.reply is not None and not self.reply.done():
            self.reply.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """Tell the asker that the actor failed on its request, or was cut off at it."""
        failed = isinstance(error, Exception)
        verb = "failed on" if failed else "was cut off at"
        crash = ActorCrashed(f"{self.addressee} {verb} {type(self.message).__name__}")
        crash.__cause__ = error if failed else None
        self.answer(crash)

    def expire(self, timeout_s: float) -> None:
        """Tell the asker that its time is up."""
        request = type(self.message).__name__
        self.answer(AskTimedOut(f"{self.addressee} did not answer {request} in {timeout_s:g} s"))

    def given_up(self, now: float) -> bool:
        """Tell whether nobody waits for the answer any more."""
        return self.reply is not None and (self.reply.done() or now >= self.deadline)


class Address(Generic[M_contra]):
    """Where to send messages to one actor; it outlives the actor's restarts.

    Ask only actors that were started before you, and tell the others: asks that all point one
    way cannot wait for each other in a circle. Addresses belong to the event loop's thread.
    """

    paused = False
    """Whether an operator keeps the actor from taking more."""
    _path: str
    _clock: Callable[[], float]

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.capacity = capacity
        self._accepts: frozenset[type[Message]] | None = None
        self._closed = False
        self._queue: deque[Envelope[Any]] = deque()
        self._waiting: OrderedDict[Envelope[Any], Future[Any]] = OrderedDict()
        self._alarm: Future[None] | None = None

    @property
    def depth(self) -> int:
        """How many messages are queued."""
        return len(self._queue)

    @property
    def waiting(self) -> int:
        """How many senders wait for room."""
        return len(self._waiting)

    def offer(self, message: M_contra) -> None:
        """Send without ever waiting.

        Raises:
            MailboxFull: There is no room.
            ActorStopped: The address is closed.
        """
        if not self._post(self._seal(message)):
            raise MailboxFull(f"{self._path} has {self.capacity} messages queued already")

    async def tell(self, message: M_contra) -> None:
        """Send, waiting for room as long as your own scope allows; none is sent once cancelled.

        Raises:
            ActorStopped: The address is closed, or was while the message waited for room.
        """
        await checkpoint_if_cancelled()
        envelope = self._seal(message)
        if self._post(envelope):
            return
        self._waiting[envelope] = admitted = get_running_loop().create_future()
        try:
            refusal = await admitted
        finally:
            self._waiting.pop(envelope, None)
        if refusal is not None:
            raise refusal

    async def ask(self, request: Request[R], *, timeout_s: float) -> R:
        """Send and wait for the answer; the time to wait for room counts too.

        Raises:
            AskTimedOut: No answer came in time; a request not yet begun never will be.
            ActorCrashed: The actor failed on this request.
            ActorStopped: The address is closed.
            Refusal: The actor's answer is an error.
        """
        await checkpoint_if_cancelled()
        envelope, loop = self._seal(request), get_running_loop()
        envelope.deadline = envelope.queued_at + timeout_s
        envelope.reply = reply = loop.create_future()
        if not self._post(envelope):
            self._waiting[envelope] = reply
        timer = loop.call_later(timeout_s, envelope.expire, timeout_s)
        try:
            answer = await reply
        finally:
            timer.cancel()
            self._waiting.pop(envelope, None)
        if isinstance(answer, (Refusal, ActorError)):
            raise answer.with_traceback(None)
        return cast("R", answer)

    def close(self) -> None:
        """End intake: what is queued is drained, whoever waits for room is refused."""
        self._closed = True
        while self._waiting:
            _, signal = self._waiting.popitem()
            if not signal.done():
                signal.set_result(self._stopped())
        self._wake()

    def _seal(self, message: Message) -> Envelope[Any]:
        if self._accepts is not None and type(message) not in self._accepts:
            known = ", ".join(sorted(kind.__name__ for kind in self._accepts))
            raise TypeError(f"{self._path} takes {known}, not {type(message).__name__}")
        if self._closed:
            raise self._stopped()
        return Envelope(message, self._path, self._clock())

    def _post(self, envelope: Envelope[Any]) -> bool:
        if len(self._queue) >= self.capacity:
            return False
        self._queue.append(envelope)
        self._wake()
        return True

    def _wake(self) -> None:
        if self._alarm is not None and not self._alarm.done():
            self._alarm.set_result(None)

    def _stopped(self) -> ActorStopped:
        return ActorStopped(f"{self._path} has stopped and takes no messages")


class Mailbox(Address[M]):
    """The same queue as its owner sees it; only the kernel holds one by this name."""

    taken = 0
    expired = 0
    _halted: bool

    @property
    def oldest_message_age_s(self) -> float:
        """How long the next message has been waiting."""
        return self._clock() - self._queue[0].queued_at if self._queue else 0.0

    def place(self, path: str, clock: Callable[[], float]) -> None:
        """Put the mailbox where its actor stands in the tree."""
        self._path, self._clock = path, clock

    def open(self, accepts: frozenset[type[Message]]) -> None:
        """Refuse senders whose message the actor does not know."""
        self._accepts = accepts

    async def wait(self) -> bool:
        """Wait until there is a message to take; false when this incarnation should end."""
        while not self._halted:
            if self._queue and not self.paused:
                return True
            if self._closed:
                return False
            self._alarm = get_running_loop().create_future()
            await self._alarm
        return False

    def fill(self, batch: list[Envelope[M]], limit: BatchLimit, cost: Callable[[M], int]) -> None:
        """Move what is queued into `batch`, within the limit, leaving out the given up."""
        now, total = self._clock(), 0
        try:
            while self._queue and len(batch) < limit.messages:
                envelope = self._queue.popleft()
                if envelope.given_up(now):
                    self.expired += 1
                    continue
                batch.append(envelope)
                total += cost(envelope.message)
                if total > limit.cost and len(batch) > 1:
                    self._queue.appendleft(batch.pop())
                    break
        finally:
            self.taken += len(batch)
            self._admit()

    def pause(self, *, paused: bool) -> None:
        """Stop or go on giving messages out."""
        self.paused = paused
        self._wake()

    def halt(self) -> None:
        """End this incarnation after its present message; the queue stays for the next."""
        self._halted = True
        self._wake()

    def reopen(self) -> None:
        """Make ready for the next incarnation."""
        self._closed = self._halted = False

    def discard(self) -> int:
        """Refuse all that was never taken, and count it."""
        count = len(self._queue)
        while self._queue:
            self._queue.popleft().answer(self._stopped())
        return count

    def _admit(self) -> None:
        while self._waiting and len(self._queue) < self.capacity:
            envelope, signal = self._waiting.popitem(last=False)
            if signal.done():
                continue  # its sender was cancelled in this very turn of the loop
            self._queue.append(envelope)
            if envelope.reply is None:
                signal.set_result(None)
