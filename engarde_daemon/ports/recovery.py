"""What failover and recovery need to know and to keep."""

from collections.abc import Sequence
from typing import Protocol

from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.records import RecordKey


class Latches(Protocol):
    """Stores that an operator keeps every daemon from asking."""

    async def latched(self) -> frozenset[str]:
        """Their names.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def latch(self, store: str, *, by: str) -> None:
        """Keep every daemon from asking a store.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def unlatch(self, store: str) -> None:
        """Let it be asked again, once it is found to be well.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Samples(Protocol):
    """Versions drawn by chance."""

    async def sample(self, most: int) -> Sequence[RecordKey]:
        """Some versions that ZeroDB has confirmed, fewer where there are fewer.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Bulletin(Protocol):
    """Where those read who answer for the daemon, and a tenant whom it concerns."""

    async def post(
        self, type_: EventType, data: dict[str, object], *, tenant_id: str | None = None
    ) -> None:
        """Have it told to operators, and to one tenant besides.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it will be told is not known.
        """
