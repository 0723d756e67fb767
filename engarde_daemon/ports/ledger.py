"""The book of promised room."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

Verb = Literal["reserve", "settle", "release"]
Resource = Literal["storage", "generation"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on a reservation; `amount` is in bytes of storage or generated pieces."""

    verb: Verb
    id: str
    tenant_id: str
    resource: Resource
    period: date | None = None
    amount: int
    ttl_s: float = 0.0


class Verdict(StrEnum):
    """What became of an operation."""

    OK = "ok"
    REPLAYED = "replayed"
    FULL = "full"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    RELEASED = "released"
    ABOVE_RESERVED = "above_reserved"
    ID_REUSED = "id_reused"


class Drift(msgspec.Struct, frozen=True):
    """One figure on which the ledger and what it counts disagree."""

    tenant_id: str
    measure: str
    ledger: int
    actual: int


class LedgerBook(Protocol):
    """Reservations, and the proof that the books are right."""

    async def apply(self, entries: Sequence[Entry]) -> list[Verdict]:
        """Do all operations in one transaction, each with its own verdict. An id comes once.

        Raises:
            Unavailable: PostgreSQL does not answer; what happened is not known.
        """

    async def expire(self, most: int) -> int:
        """Give back the room of reservations past their time and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def pending(self) -> int:
        """How many reservations are neither settled nor released.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def tenants_after(self, tenant_id: str, most: int) -> list[str]:
        """The next tenants in order of their ids.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def drift(self, tenant_ids: Sequence[str]) -> list[Drift]:
        """Where the ledger of these tenants is wrong: nowhere, unless there is a defect.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def reconcile(self, tenant_id: str) -> list[Drift]:
        """Make a tenant's figures what they count, and give those that were wrong.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note_levels(self, most: int) -> int:
        """Write down how full tenants are where the plans of now make that another level.

        So many tenants at most; answers with how many there were. Crossings become events.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def restate_usage(self, tenant_ids: Sequence[str]) -> None:
        """Write the usage by type where other programs of the platform look for it.

        A plan that was changed shows here: a level that is crossed by it becomes an event.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
