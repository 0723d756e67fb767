"""Jobs of generation: how they are made and changed, and how they are shown."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from engarde_daemon.domain.generation import Finding, ItemState, JobSpec, JobStatus, Mode
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.generation.credentials import CredentialKeeper, CredentialRecord


class JobKey(msgspec.Struct, frozen=True):
    """A job of a tenant: one without the other finds nothing."""

    tenant_id: str
    job_id: str


class JobDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A job about to be made."""

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    job_type: str
    target_count: int
    content_type: str
    generation_params: Any
    spec: JobSpec
    provider: str
    model: str
    period: date
    item_bytes: int
    item_cost_usd: Decimal | None
    max_cost_usd: Decimal | None
    preview_items: int | None
    fingerprint: str
    hold_s: float


class Made(StrEnum):
    """What became of a wish for a job."""

    CREATED = "created"
    EXISTS = "exists"
    REUSED = "reused"
    BUSY = "busy"
    PIECES_FULL = "pieces_full"
    STORAGE_FULL = "storage_full"


class Retried(StrEnum):
    """What became of a wish to try failed items again."""

    RETRIED = "retried"
    MISSING = "missing"
    LIVE = "live"
    NOTHING = "nothing"
    BUSY = "busy"
    PIECES_FULL = "pieces_full"
    STORAGE_FULL = "storage_full"


class JobBook(CredentialKeeper, Protocol):
    """The one place where jobs and credentials change by somebody's wish."""

    async def create(self, draft: JobDraft, *, most: int) -> Made:
        """Make a job with its items and hold its room, all or nothing.

        Raises:
            Unavailable: PostgreSQL does not answer; the same draft may be given again.
        """

    async def cancel(self, key: JobKey) -> bool | None:
        """Cancel; None where there is no such job, False where it has ended already.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def approve(self, key: JobKey) -> bool | None:
        """Go on after a preview; None where there is no such job, False where none waits.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def retry(
        self, key: JobKey, *, period: date, hold_s: float, max_cost_usd: Decimal | None, most: int
    ) -> Retried:
        """Open a new round for the items that failed.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    id: str
    brand_id: str
    user_id: str
    job_type: str
    content_type: str
    status: JobStatus
    target_count: int
    progress: int
    error_message: str | None
    provider: str
    model: str
    total_storage_bytes: int
    spent_usd: Decimal
    unpriced_calls: int
    max_cost_usd: Decimal | None
    item_bytes: int
    item_cost_usd: Decimal | None
    preview_items: int | None
    paused_reason: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
    items: Mapping[ItemState, int]
    last_place: int
    mode: Mode


class ItemRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a job as it stands."""

    number: int
    state: ItemState
    place: int | None
    attempts: int
    calls: int
    unsure_calls: int
    rewrites: int
    content_id: str | None
    size_bytes: int | None
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    findings: list[Finding]
    failure: str | None
    reason: str | None
    draft: str | None
    ended_at: datetime | None


class Pieces(msgspec.Struct, frozen=True):
    """How many pieces of a month are made, and how many are held for jobs."""

    used: int
    pending: int


class JobLibrary(Protocol):
    """What readers ask; each question names its tenant and sees nothing of another."""

    async def job(self, key: JobKey) -> Job | None:
        """One job.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def jobs(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        statuses: Sequence[str] | None,
        after: Place | None,
        size: int,
    ) -> list[Job]:
        """A page of jobs, the newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def contents(self, key: JobKey) -> list[str]:
        """The ids of everything a job made, in the order of its items.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def items(
        self, key: JobKey, *, states: Sequence[str] | None, after: int, size: int
    ) -> list[ItemRecord]:
        """A page of items by number.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def ended_items(self, key: JobKey, *, after: int, size: int) -> list[ItemRecord]:
        """The items that ended after a place, in the order in which they did.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def credentials(self, tenant_id: str) -> list[CredentialRecord]:
        """The credentials of a tenant, without their keys.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def pieces(self, tenant_id: str, period: date) -> Pieces:
        """What a tenant generated in a month.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
