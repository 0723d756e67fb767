"""Search by meaning: which contents are most like a text."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.records import ContentRecord


class Alike(msgspec.Struct, frozen=True):
    """A content with how much it is like what was asked for: 1 is the same, 0 has nothing in common."""

    content_id: str
    likeness: float


class LikenessIndex(Protocol):
    """Knows the newest version of each content it was given by its meaning."""

    async def add(self, records: Sequence[ContentRecord]) -> None:
        """Take these versions in; one that is older than what is known changes nothing.

        Raises:
            Unavailable: The index does not answer.
        """

    async def remove(self, tenant_id: str, row_ids: Sequence[str]) -> None:
        """Forget the contents of a tenant whose newest known version has one of these row ids.

        Raises:
            Unavailable: The index does not answer.
        """

    async def nearest(self, tenant_id: str, brand_id: str, text: str, *, most: int) -> list[Alike]:
        """The contents of a brand that are most like a text, the likest first.

        Raises:
            Unavailable: The index does not answer.
        """

    async def is_complete(self) -> bool:
        """Whether everything that was stored before the index existed has been taken in.

        Raises:
            Unavailable: The index does not answer.
        """

    async def note_complete(self) -> None:
        """Remember that it is.

        Raises:
            Unavailable: The index does not answer.
        """
