"""How the kernel looks to a type checker.

Nothing here runs: mypy reads it. An `assert_type` says what must be inferred; a
`type: ignore` says what must be refused, because an unused one is an error itself.
"""

from collections.abc import Sequence
from typing import Any, assert_type

from engarde_daemon.core import Actor, Address, BatchActor, Message, Request, Supervisor


class Reserve(Request[int], frozen=True):
    """Asks for bytes, and is answered with what is left."""

    size_bytes: int


class Release(Message, frozen=True):
    """Gives bytes back."""

    size_bytes: int


class Strange(Request[str], frozen=True):
    """Means nothing to a ledger."""


LedgerMessage = Reserve | Release


class Ledger(Actor[LedgerMessage]):
    """An actor that takes two messages."""

    async def receive(self, message: LedgerMessage) -> Any:
        """Match on the union, exhaustively."""
        match message:
            case Reserve(size_bytes):
                return assert_type(size_bytes, int)
            case Release():
                return None


class Archivist(BatchActor[Reserve]):
    """An actor that takes batches of one message."""

    def __init__(self, shelves: int) -> None:
        self.shelves = shelves

    async def receive_batch(self, messages: Sequence[Reserve]) -> Sequence[Any]:
        """See typed messages."""
        return [assert_type(message, Reserve).size_bytes for message in messages]


def addresses_are_typed_by_the_factory(root: Supervisor, limit_bytes: int) -> None:
    """A class, and a function that makes an actor, both tell which messages it takes."""
    assert_type(root.add("ledger", Ledger, capacity=1), Address[LedgerMessage])
    assert_type(root.add("archivist", lambda: Archivist(8), capacity=1), Address[Reserve])
    root.add("limit", limit_bytes, capacity=1)  # type: ignore[arg-type]


async def an_answer_has_the_type_of_its_request(ledger: Address[LedgerMessage]) -> None:
    """The `R` of `Request[R]` comes out of `ask`."""
    assert_type(await ledger.ask(Reserve(1), timeout_s=1.0), int)


async def a_fact_cannot_be_asked(ledger: Address[LedgerMessage]) -> None:
    """Only a request has an answer."""
    await ledger.ask(Release(1), timeout_s=1.0)  # type: ignore[arg-type]


async def an_ask_needs_a_deadline(ledger: Address[LedgerMessage]) -> None:
    """Nobody waits for ever."""
    await ledger.ask(Reserve(1))  # type: ignore[call-arg]


async def a_strange_message_cannot_be_told(ledger: Address[LedgerMessage]) -> None:
    """The union of messages is checked where it is sent; for `ask`, only at run time."""
    await ledger.tell(Strange())  # type: ignore[arg-type]
    ledger.offer(Strange())  # type: ignore[arg-type]


def who_takes_more_may_stand_in_for_who_takes_less(ledger: Address[LedgerMessage]) -> None:
    """An address is contravariant: hand out only what the receiver needs."""
    only_release: Address[Release] = ledger
    everything: Address[LedgerMessage] = only_release  # type: ignore[assignment]
    assert_type(everything, Address[LedgerMessage])


def a_message_cannot_be_changed(release: Release) -> None:
    """Messages are frozen."""
    release.size_bytes = 2  # type: ignore[misc]
