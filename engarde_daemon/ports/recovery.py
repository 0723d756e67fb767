"""What failover and recovery need to know and to keep."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.content import Change, Item
from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.recovery import Job, JobKind, JobState, Place, Progress, Scope, Wish


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


class Claim(msgspec.Struct, frozen=True):
    """A job as claimed; `token` fences: when another daemon took over, it no longer fits."""

    job: Job
    token: int
    is_first: bool


class JobBook(Protocol):
    """The orders, kept through crashes."""

    async def order(self, job_id: str, kind: JobKind, wish: Wish, *, by: str) -> Job | None:
        """Write an order down; None where one of its kind is not finished.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def claim(self, *, lease_s: float) -> Claim | None:
        """Lease the oldest job that nobody works at.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def advance(self, claim: Claim, progress: Progress, *, lease_s: float) -> JobState | None:
        """Note how far a job came, and whether to go on; None where another daemon took over.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def postpone(self, claim: Claim, *, after_s: float, reason: str) -> None:
        """Give a job back, to be gone on with after a while.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease will run out.
        """

    async def settle(self, claim: Claim, state: JobState, *, error: str | None) -> bool:
        """Finish a job, if it still is ours.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease will run out.
        """

    async def cancel(self, job_id: str) -> None:
        """Have a job end where it stands.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def find(self, job_id: str) -> Job | None:
        """One job.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def newest(self, most: int) -> Sequence[Job]:
        """The newest jobs, the newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A version that PostgreSQL knows, the one before it, and which destinations still wait."""

    item: Item
    change: Change
    previous: Item | None
    awaited: frozenset[str]

    @property
    def key(self) -> RecordKey:
        """Its row in every store."""
        return RecordKey.of(self.item)


class Inventory(Protocol):
    """All versions there are, of all tenants: what the other stores must have."""

    async def count(self, scope: Scope) -> int:
        """How many versions are meant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def after(self, place: Place, scope: Scope, *, most: int) -> Sequence[Entry]:
        """The next versions, all of one tenant; none at the end.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def named(self, keys: Sequence[RecordKey]) -> Sequence[Entry]:
        """Those of these versions that are still there, without the ones before them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def unknown(
        self, rows: Sequence[tuple[str, RecordKey]]
    ) -> Sequence[tuple[RecordKey, bool]]:
        """Which of these rows, each with its own id, are no version's and not about to be removed.

        Each with whether there is such a version all the same, whose row has another id.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def set_aside(self, bodies: Sequence[tuple[Item, str]], *, for_s: float) -> None:
        """Stage these bodies again and have them delivered to ZeroDB, though not before a while.

        Raises:
            Unavailable: PostgreSQL does not answer; whether they were staged is not known.
        """

    async def owe_archive(self, keys: Sequence[RecordKey]) -> None:
        """Have these versions sent to the archive once more.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
