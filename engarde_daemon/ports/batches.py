"""What is asked of the database, and of providers, about items that are worked on in bulk."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from engarde_daemon.domain.generation import JobSpec
from engarde_daemon.ports.generation import Claim, Step
from engarde_daemon.ports.models import Ask, ModelFault, Reply, Secret

BATCH_KINDS = frozenset({"openai", "anthropic"})
"""The kinds of providers that take batches."""


class BatchState(StrEnum):
    """Where a batch stands."""

    OPENING = "opening"
    OPEN = "open"
    CLOSED = "closed"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is this daemon's to look after, as long as its epoch stands."""

    tenant_id: str
    id: str
    job_id: str
    provider: str
    epoch: int
    state: BatchState
    name: str | None
    strangers: Collection[str]
    items: int
    attempts: int
    created_at: datetime
    is_cancelled: bool
    is_wanted: bool
    spec: JobSpec


class Move(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a batch under its lease; `wait_s` gives the lease back until then.

    `begun` counts a creation of which nobody may hear how it ended, or takes it back.
    """

    tenant_id: str
    id: str
    epoch: int
    state: BatchState
    name: str | None = None
    stranger: str | None = None
    begun: int = 0
    cancelled: bool = False
    wait_s: float | None = None


class BatchBench(Protocol):
    """Batches by lease and epoch."""

    async def gather(self, batch_id: str, *, most: int, providers: Sequence[str]) -> bool:
        """Put waiting items of a job together under this name; False where there are none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def lease(self, *, most: int, lease_s: float) -> list[Batch]:
        """Lease batches that are to be looked at.

        Raises:
            Unavailable: PostgreSQL does not answer; what it leased comes back by itself.
        """

    async def hold(self, batches: Sequence[Batch], *, lease_s: float) -> set[str]:
        """Hold these longer; answers with the names of those that are held still.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def move(self, move: Move) -> bool:
        """Write down what happened to a batch; False where its lease did not hold.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it was written is not known.
        """

    async def claims(self, batch: Batch) -> list[Claim]:
        """The items that a batch still has to give an answer for.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note(self, steps: Sequence[Step]) -> None:
        """Write down what became of items, of each once, whoever reads it again.

        What no row can hold is set aside for itself: its item fails.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it was written is not known.
        """

    async def names(self, batch: Batch) -> set[str]:
        """What the provider calls the other batches of the same tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that a provider may have, and which of its batches it cannot be."""

    id: str
    items: int
    since: datetime
    not_these: Collection[str]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a provider is; `fault` is why it did not take the batch at all."""

    is_over: bool
    fault: ModelFault | None = None


class StrangeBatchError(Exception):
    """What was taken for ours belongs to somebody else who uses the same key."""


Outcome: TypeAlias = tuple[int, Reply | ModelFault]
"""The number of an item, and what became of it."""


class BatchModel(Protocol):
    """A provider that takes many questions at once, and answers within a day."""

    async def submit(self, batch_id: str, asks: Mapping[int, Ask]) -> str:
        """Order answers to all questions; gives the provider's name for the batch.

        Raises:
            ModelFault: It was not taken, or, where that is BROKEN, nobody knows.
        """

    async def find(self, sought: Sought) -> str | None:
        """The provider's name for a batch whose creation may have succeeded unheard.

        Raises:
            ModelFault: The provider does not say.
        """

    async def standing(self, name: str) -> Standing:
        """How far the provider is.

        Raises:
            ModelFault: The provider does not say.
        """

    async def cancel(self, name: str) -> None:
        """Ask for no more of a batch; what is answered already comes all the same.

        Raises:
            ModelFault: The provider does not do it.
        """

    def outcomes(
        self, batch_id: str, name: str, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome]]:
        """What became of the items, in any order and one by one.

        Raises:
            ModelFault: The provider does not tell, or its answer broke off.
            StrangeBatchError: These are not answers to our questions.
        """


class BatchHouse(Protocol):
    """Knows which providers take batches."""

    def batches_of(self, provider: str, secret: Secret | None) -> BatchModel:
        """The batches of a provider.

        Raises:
            ModelFault: There are none, or it needs a key and there is none.
        """

    async def close(self) -> None:
        """Close all connections."""
