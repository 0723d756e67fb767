"""What an actor is: its own state, and one message or one batch of messages at a time.

An actor never sees concurrency: the next message is taken when the present one is answered.
Whatever it owns is opened in `started` and undone in reverse when it ends, crashed or not.
A call that failed is retried inside the actor; an exception that leaves it says that its state
cannot be trusted, and its supervisor will start a new one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Generic, TypeVar, final, get_args, get_origin

from engarde_daemon.core.errors import Refusal
from engarde_daemon.core.mailbox import Address, BatchLimit, Envelope, M, Mailbox
from engarde_daemon.core.messages import Message


class Actor(ABC, Generic[M]):
    """State behind one mailbox: `class Ledger(Actor[Reserve | Settle])`."""

    accepts: ClassVar[frozenset[type[Message]]] = frozenset()
    batch: BatchLimit = BatchLimit(messages=1)
    own: Address[M]
    """The actor's own address, there from `started` on: for reminders to itself."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            if issubclass(get_origin(base) or object, Actor):
                (said,) = get_args(base)
                if not isinstance(said, TypeVar):
                    cls.accepts = _message_classes(cls, get_args(said) or (said,))

    @property
    def is_paused(self) -> bool:
        """Whether an operator paused it: work that goes on for long asks between two pieces."""
        return hasattr(self, "own") and self.own.paused

    async def started(self, resources: AsyncExitStack) -> None:
        """Open what this actor owns.

        A task group entered into `resources` may hold background tasks: if one of them dies,
        the actor crashes. Add a callback after it that ends them, or closing will wait.
        """

    @abstractmethod
    async def receive(self, message: M) -> Any:
        """Act on one message and give the answer.

        Raises:
            Refusal: The asker gets it as its error, and the actor lives on.
        """

    async def stopping(self) -> None:
        """Finish what is open before a polite stop; after a crash nobody calls this."""

    def cost(self, message: M) -> int:  # noqa: ARG002 - a message is free unless one says more
        """Count what a message adds to its batch, as a rule in bytes."""
        return 0

    @final
    async def turn(self, mailbox: Mailbox[M]) -> Sequence[Exception]:
        """Work off one batch, which every asker learns about, and give the poison found.

        The kernel calls this, after `Mailbox.wait`.
        """
        batch: list[Envelope[M]] = []
        try:
            mailbox.fill(batch, self.batch, self.cost)
            return await self._settle(batch)
        except BaseException as error:
            for envelope in batch:
                envelope.fail(error)
            raise

    async def _settle(self, batch: list[Envelope[M]]) -> Sequence[Exception]:
        for envelope in batch:
            try:
                answer = await self.receive(envelope.message)
            except Refusal as refusal:
                answer = refusal
            envelope.answer(answer)
        return ()


class BatchActor(Actor[M]):
    """An actor that takes everything waiting as one batch, such as one transaction.

    Nothing is added to the delay: idle, it takes a batch of one. A batch that raises is bisected
    until the poisoned message stands alone; its asker gets `ActorCrashed`, its neighbours their
    answers. That is no restart, because such an actor's state is in the database, unless every
    message of a batch fails, or `failures_max` in a row do: then the actor itself is ill.
    """

    batch: BatchLimit = BatchLimit()
    failures_max: int = 5
    _failures = 0

    @abstractmethod
    async def receive_batch(self, messages: Sequence[M]) -> Sequence[Any]:
        """Act on all messages or on none, and give one answer for each, in their order.

        An answer that is a `Refusal` is raised to its asker. A batch that raised is called again
        in halves, so it must have left nothing behind.

        Raises:
            Refusal: Every asker of the batch gets it.
        """

    @final
    async def receive(self, message: M) -> Any:
        """Act on a batch of one."""
        (answer,) = await self.receive_batch([message])
        return answer

    async def _settle(self, batch: list[Envelope[M]]) -> Sequence[Exception]:
        poison = await self._attempt(batch) if batch else ()
        if len(poison) == len(batch) > 1:
            raise poison[-1]
        return poison

    async def _attempt(self, batch: list[Envelope[M]]) -> Sequence[Exception]:
        try:
            answers = await self.receive_batch([envelope.message for envelope in batch])
        except Refusal as refusal:
            answers = [refusal] * len(batch)
        except Exception as error:  # noqa: BLE001 - the message at fault is found and named
            return await self._bisect(batch, error)
        if len(answers) != len(batch):  # never guess whose answer is missing
            raise RuntimeError(f"{len(answers)} answers to a batch of {len(batch)}")
        for envelope, answer in zip(batch, answers, strict=True):
            envelope.answer(answer)
        self._failures = 0
        return ()

    async def _bisect(self, batch: list[Envelope[M]], error: Exception) -> Sequence[Exception]:
        if len(batch) > 1:
            middle = len(batch) // 2
            left = await self._attempt(batch[:middle])
            return [*left, *await self._attempt(batch[middle:])]
        batch[0].fail(error)
        self._failures += 1
        if self._failures >= self.failures_max:
            raise error
        return [error]


def _message_classes(actor: type, kinds: Sequence[Any]) -> frozenset[type[Message]]:
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Message)):
            raise TypeError(
                f"{actor.__name__} must name the Message classes it takes, not {kind!r}"
            )
    return frozenset(kinds)
