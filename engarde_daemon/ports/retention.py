"""What must go, and what must happen at its time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from engarde_daemon.ports.content import ContentKey, VersionKey

Reason = Literal["request", "retention"]


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What must leave a store, as claimed: a row of ZeroDB, or what the archive has of a content.

    That is all of it, or one version.
    """

    id: int
    tenant_id: str
    record_id: str
    version: int | None = None


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of an erasure; `stores_cleared_at` is None until every store has forgotten.

    `brand_id` is None for content that had no brand, and in receipts of older daemons.
    """

    id: str
    brand_id: str | None
    content_id: str
    reason: str
    requested_by: str
    requested_at: datetime
    versions: int
    bytes: int
    stores_cleared_at: datetime | None


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """What is past its plan's days, and the bytes that it takes."""

    what: str
    pieces: int
    bytes: int


class MediaLook(msgspec.Struct, frozen=True):
    """How many files were looked at, and how many of them went."""

    looked_at: int
    expired: int


class VersionsLook(msgspec.Struct, frozen=True):
    """How many versions went, and whether the next look begins anew."""

    trimmed: int
    is_through: bool


class Retention(Protocol):
    """Erasure, retention and schedules, a bounded piece at a time."""

    async def erase(
        self, key: ContentKey, *, erasure_id: str, by: str, reason: Reason
    ) -> int | None:
        """Forget a content and count its versions; None where there is no such content.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def due_items(self, most: int) -> list[VersionKey]:
        """Scheduled items whose time has come, at the version they are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def expired_trash(self, most: int) -> list[ContentKey]:
        """Trashed items past their plan's retention.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def trim_versions(self, pages: int) -> VersionsLook:
        """Look at the next part of all versions, and forget those past their plan's retention.

        The part is of so many pages of the table, of 8 KB each.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def expire_media(self, most: int, *, unseen_since: datetime) -> MediaLook:
        """Look at files that were not looked at since then, and forget those that nothing needs.

        That is: no content has them, live or trashed, and no version shows them; and they were of a
        content that was erased, or are older than their plan's retention.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def report(self) -> list[Expired]:
        """What would go if retention ran to its end now; changes nothing.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def claim_removals(self, destination: str, most: int) -> list[Removal]:
        """Lease what must leave a store.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle_removals(self, removals: Sequence[Removal]) -> None:
        """Note that these rows were removed, and close the receipts that are complete.

        Raises:
            Unavailable: PostgreSQL does not answer; they will be removed again.
        """


class Receipts(Protocol):
    """Receipts of erasures, for readers."""

    async def find_erasure(self, tenant_id: str, erasure_id: str) -> Erasure | None:
        """One receipt of a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
