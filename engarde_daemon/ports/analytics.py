"""Figures of content: staged in PostgreSQL, kept in the archive, added up from both.

What is staged is durable at once and reaches the archive soon after. Until then readers add it to
what the archive has: a staged figure stands for every earlier revision of its key.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.analytics import Performance, Question

__all__ = ["PerformanceBook", "StagedFigures", "Staging"]


class Staging(msgspec.Struct, frozen=True, kw_only=True):
    """What became of figures; `unknown` are the ids of contents that do not exist."""

    staged: int = 0
    unchanged: int = 0
    unknown: frozenset[str] = frozenset()


class PerformanceBook(Protocol):
    """Takes figures in."""

    async def stage(self, figures: Sequence[Performance]) -> Staging:
        """Take figures in; those that say what was said before change nothing.

        Of several with one key the last counts. Figures of contents that do not exist are left out.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def forget(self, *, older_than_s: float, most: int) -> int:
        """Forget what was said under keys long ago, and count them; the archive keeps it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class StagedFigures(Protocol):
    """What the archive does not have yet."""

    async def waiting(self, question: Question, *, most: int) -> list[Performance]:
        """The newest revision of each staged key that may matter to a question.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
