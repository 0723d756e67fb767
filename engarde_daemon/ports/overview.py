"""What is asked and told so that operators see everything at a glance."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.ports.content import Place
from engarde_daemon.protocol import (
    ActorView,
    DaemonView,
    FeedEvent,
    JobView,
    Snapshot,
    TenantsView,
)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Which daemon this is, in this life of it."""

    id: str
    name: str
    address: str
    version: str
    pid: int


class DaemonRegister(Protocol):
    """All daemons on one database, each of which says now and then that it lives."""

    async def beat(self, identity: Identity, actors: Sequence[ActorView]) -> None:
        """Say that this daemon lives, and how its actors are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def stop(self, daemon_id: str) -> None:
        """Say that it stops, so that nobody takes it for dead.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What only PostgreSQL knows; `versions` is how many there are."""

    versions: int
    others: Sequence[DaemonView]
    jobs: Sequence[JobView]
    tenants: TenantsView


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event of some tenant, without what the tenant keeps; `data` is JSON, bounded."""

    tenant_id: str
    position: int
    type: str
    subject_id: str | None
    version: int | None
    occurred_at: datetime
    data: str | None


class OverviewReader(Protocol):
    """All tenants at once: for operators alone."""

    async def look(self, daemon_id: str) -> Known:
        """What there is beside this daemon.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def happenings(self, since: datetime, *, most: int) -> Sequence[Happening]:
        """The newest events of all tenants from a moment on, the oldest of them first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class JobSort(StrEnum):
    """Which jobs are wanted."""

    ALL = "all"
    LIVE = "live"


class JobStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whose job it is, of which kind, and how it stands; `tenant_id` is None where it is about all."""

    id: str
    kind: str
    tenant_id: str | None
    state: str


class ParkedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version that cannot go on by itself, and why; `attempts` is None where nobody counts."""

    tenant_id: str
    content_id: str
    version: int
    reason: str
    since: datetime
    attempts: int | None = None


class QueueOffice(Protocol):
    """Jobs and parked rows of all tenants, for operators."""

    async def jobs(
        self, sort: JobSort, *, tenant_id: str | None, after: Place | None, size: int
    ) -> Sequence[JobView]:
        """A page of jobs, the newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def find_job(self, job_id: str) -> JobStanding | None:
        """A job of whatever kind and tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def parked(self, queue: str, *, most: int) -> Sequence[ParkedRow]:
        """Rows of a queue that were refused or put off, some of them where there are many.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def retry(self, queue: str, *, most: int) -> int:
        """Let what was refused or put off in a queue be tried at once, and count it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class FeedAudience(Protocol):
    """Everyone who watches this daemon."""

    @property
    def watchers(self) -> int:
        """How many there are."""

    def tell(self, events: Sequence[FeedEvent]) -> None:
        """Give them events; nobody is waited for."""

    def miss(self, why: str) -> None:
        """Tell them that some events they will not be told."""

    def show(self, snapshot: Snapshot) -> None:
        """Give them a snapshot in place of the one before."""
