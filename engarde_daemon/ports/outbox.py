"""Work that PostgreSQL has promised to do elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import Change, Item

CLAIM_BYTES = 8 * 1024 * 1024


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One version on its way to a destination, as claimed.

    `token` fences: when the lease ran out and someone else claimed the row, it no longer fits.
    `body` is None when PostgreSQL does not hold it any more; `previous` is the version before this
    one, None when there is none or it is not kept.
    """

    id: int
    token: int
    attempts: int
    item: Item
    change: Change
    previous: Item | None
    body: str | None

    @property
    def weight_bytes(self) -> int:
        """The bodies that are in hand while it is carried."""
        return self.item.size_bytes + (self.previous.size_bytes if self.previous else 0)


class Backlog(msgspec.Struct, frozen=True):
    """What waits for one destination."""

    rows: int
    oldest_age_s: float


class Outbox(Protocol):
    """Versions that a destination does not have yet."""

    async def claim(
        self, destination: str, *, limit: int, lease_s: float, bytes_max: int = CLAIM_BYTES
    ) -> list[Parcel]:
        """Lease the oldest parcels of a destination, at most `limit`.

        No further one once they weigh `bytes_max` together: one alone may weigh more.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle(self, parcels: Sequence[Parcel]) -> int:
        """Acknowledge delivered parcels and count those that still were ours.

        Raises:
            Unavailable: PostgreSQL does not answer; they will be delivered again.
        """

    async def defer(self, parcels: Sequence[Parcel], *, after_s: float, reason: str) -> None:
        """Give parcels back to be claimed again after a while.

        Raises:
            Unavailable: PostgreSQL does not answer; their lease will run out.
        """

    async def expedite(self, destination: str, *, most: int) -> int:
        """Let parcels that were given back be claimed at once, and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def backlog(self) -> Mapping[str, Backlog]:
        """What waits, by destination.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def staged_bytes(self) -> int:
        """How much PostgreSQL holds for others.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Housekeeping(Protocol):
    """Chores inside PostgreSQL, done a bounded piece at a time."""

    async def index_pending(self, most: int) -> int:
        """Take versions into the full-text index and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def sweep_staged(self, most: int) -> int:
        """Release staged bodies that nobody waits for and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def forget_keys(self, most: int) -> int:
        """Drop idempotency keys past their time and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
