"""What is asked of the database about generation: jobs, the claims on their items, credentials."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from engarde_daemon.domain.generation import (
    Failure,
    Finding,
    ItemState,
    JobSpec,
    JobStatus,
    Mode,
    Usage,
)
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.secrets import SealedKey


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


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wrote for an item, as it is kept."""

    text: str
    model: str
    is_cut_off: bool = False


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is this daemon's to work on, as long as its epoch stands.

    `is_final` says that its answer will not be written anew, whatever is wrong with it.
    """

    tenant_id: str
    job_id: str
    number: int
    epoch: int
    state: ItemState
    brand_id: str
    user_id: str
    spec: JobSpec
    is_cancelled: bool
    attempts: int
    rewrites: int
    answer: Written | None
    findings: list[Finding]
    cost_usd: Decimal | None
    is_final: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """The item, whoever holds it."""
        return self.job_id, self.number


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an item under its claim; the constructors below say what there is."""

    tenant_id: str
    job_id: str
    number: int
    epoch: int
    state: ItemState
    answer: Written | None = None
    findings: list[Finding] | None = None
    failure: Failure | None = None
    reason: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    paid: bool = False
    wait_s: float | None = None
    rewrite: bool = False
    burn: bool = False
    unsure: bool = False
    content_id: str | None = None
    size_bytes: int | None = None
    signature: bytes | None = None


def received(
    claim: Claim,
    answer: Written,
    *,
    usage: Usage | None,
    cost_usd: Decimal | None,
    signature: bytes | None = None,
    wait_s: float | None = None,
) -> Step:
    """A paid answer; with `wait_s`, one that whoever is free may store after so long."""
    counted = usage or Usage()
    return Step(
        **_claimed(claim),
        state=ItemState.RECEIVED,
        answer=answer,
        input_tokens=counted.input_tokens,
        output_tokens=counted.output_tokens,
        cost_usd=cost_usd,
        paid=True,
        wait_s=wait_s,
        signature=signature,
    )


def stored(claim: Claim, *, content_id: str, size_bytes: int, findings: Sequence[Finding]) -> Step:
    """A piece that is content now."""
    return Step(
        **_claimed(claim),
        state=ItemState.STORED,
        content_id=content_id,
        size_bytes=size_bytes,
        findings=list(findings),
    )


def failed(
    claim: Claim, failure: Failure, reason: str, *, findings: Sequence[Finding] = ()
) -> Step:
    """An item that will not be made."""
    return Step(
        **_claimed(claim),
        state=ItemState.FAILED,
        failure=failure,
        reason=reason[:500],
        findings=list(findings),
    )


def given_back(claim: Claim, *, wait_s: float, burn: bool, unsure: bool = False) -> Step:
    """An item to be called again after a while.

    `burn` counts the attempt; `unsure` says that nobody knows whether the call was charged.
    """
    return Step(**_claimed(claim), state=ItemState.PENDING, wait_s=wait_s, burn=burn, unsure=unsure)


def to_rewrite(claim: Claim, findings: Sequence[Finding]) -> Step:
    """An item that is to be written anew, with what was wrong about it."""
    return Step(
        **_claimed(claim),
        state=ItemState.PENDING,
        findings=list(findings),
        rewrite=True,
        wait_s=0.0,
    )


def kept_back(claim: Claim, *, wait_s: float) -> Step:
    """An answer that is to be stored later."""
    return Step(**_claimed(claim), state=ItemState.RECEIVED, wait_s=wait_s)


def _claimed(claim: Claim) -> dict[str, Any]:
    return {
        "tenant_id": claim.tenant_id,
        "job_id": claim.job_id,
        "number": claim.number,
        "epoch": claim.epoch,
    }


class JobBook(Protocol):
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

    async def put_credential(
        self, tenant_id: str, provider: str, *, sealed: bytes, base_url: str | None, by: str
    ) -> None:
        """Keep a sealed key in the place of an older one, and let go on what it held up.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def remove_credential(self, tenant_id: str, provider: str) -> bool:
        """Forget a key; False where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class WorkBench(Protocol):
    """Claims on items, by lease and epoch, and what is written down under them."""

    async def claim(
        self, *, most: int, lease_s: float, caps: Mapping[str, int], closed: Sequence[str]
    ) -> list[Claim]:
        """Lease items that are due, fairly between tenants and within each provider's cap.

        Raises:
            Unavailable: PostgreSQL does not answer; what it claimed comes back with its lease.
        """

    async def recover(self, *, most: int, attempts_max: int, lease_s: float) -> list[Claim]:
        """Free what lost its holder, and lease the answers among it that are to be stored.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def extend(self, claims: Sequence[Claim], *, lease_s: float) -> list[Claim]:
        """Hold these longer; answers with those that are held still.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note(self, steps: Sequence[Step]) -> Mapping[int, int | None]:
        """Write steps down in one transaction; answers for those that held, by their index.

        Where a step brought a signature, it is said which of its job's it became.

        Raises:
            Unavailable: PostgreSQL does not answer; whether they were written is not known.
        """

    async def signatures(self, places: Mapping[JobKey, int], *, most: int) -> list[SignedAnswer]:
        """What was answered for jobs after these places, in order, so many of each job at most.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def draw(self, sizes: Mapping[str, int]) -> None:
        """Take bytes out of what jobs hold, because they are about to be stored.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def end(self, *, most: int) -> list[str]:
        """End the jobs that are done; answers with their tenants, who have something to hear.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def key(self, tenant_id: str, provider: str) -> SealedKey:
        """The key of a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def pause(self, key: SealedKey, reason: str) -> None:
        """Stop all work that needs this key until another is set; nothing if it has been already.

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


class CredentialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a credential but its key."""

    provider: str
    base_url: str | None
    paused_reason: str | None
    updated_by: str
    updated_at: datetime


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
