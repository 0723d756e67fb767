"""Orders of lists, marks in what was found, and the walk over everything a brand has."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import Item

MARK_START, MARK_END = "\x02", "\x03"
"""What stands around a hit; a marked text holds them nowhere else."""


class Sort(StrEnum):
    """The orders of a list; a minus stands for the last or newest first."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    LAST_CHANGED = "-updated_at"
    FIRST_CHANGED = "updated_at"
    TITLE = "title"
    TITLE_DOWN = "-title"
    SCHEDULE = "scheduled_at"
    SCHEDULE_DOWN = "-scheduled_at"
    RELEVANCE = "relevance"


class SortedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page of a list starts: after this item, which is sorted by `at` or `key`.

    `at` is a moment, `key` a title or a rank; by relevance it is the rank and then the moment of
    creation. An item without a schedule has neither.
    """

    content_id: str
    at: datetime | None = None
    key: str | None = None


class Marker(Protocol):
    """Shows why something was found."""

    async def mark(
        self, tenant_id: str, brand_id: str, *, words: str, texts: Sequence[str]
    ) -> list[str]:
        """Cut out of each text what fits the words, each hit between `MARK_START` and `MARK_END`.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Shelves(Protocol):
    """Everything a tenant has, to be walked along."""

    async def brands(self, tenant_id: str) -> list[str]:
        """The brands in which the tenant has, or had, items.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def place_of(self, tenant_id: str, content_id: str) -> tuple[str, SortedPlace] | None:
        """The brand of an item, trashed or not, and its place in the walk, unless it is gone.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def along(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        after: SortedPlace | None,
        until: datetime,
        size: int,
    ) -> list[Item]:
        """The next items of a brand, oldest first, up to a moment of creation.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
