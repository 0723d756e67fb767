"""What is asked about the versions of a content."""

from collections.abc import Sequence
from typing import Protocol

from engarde_daemon.domain.content import Change
from engarde_daemon.domain.history import Comparison, Patch, Snapshot
from engarde_daemon.ports.content import ContentKey, Version


class HistoryLibrary(Protocol):
    """Versions as they were written; each question names its tenant and sees nothing of another."""

    async def versions_before(
        self, key: ContentKey, *, before: int | None, size: int, trashed: bool
    ) -> list[Version] | None:
        """Versions of an item, the newest first; None where there is no such item.

        An item in the trash is there only for those who ask for `trashed` ones too.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def versions(
        self, key: ContentKey, numbers: Sequence[int], *, trashed: bool
    ) -> dict[int, Version]:
        """Some versions of an item by number, for those there are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Comparer(Protocol):
    """Compares versions without holding up those who wait for something else."""

    async def compare(self, change: Change, before: Snapshot | None, after: Snapshot) -> Comparison:
        """What a version changed, in words and as a patch."""

    async def diff(self, before: Snapshot, after: Snapshot) -> Patch:
        """The patch that leads from one version to another."""
