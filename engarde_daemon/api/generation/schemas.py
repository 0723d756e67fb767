"""What generation looks like on the wire, as the platform's architecture writes it and beyond."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.fields import CursorText, Parsed
from engarde_daemon.api.paging import Mark, PageSize
from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.generation import (
    ITEMS_MAX,
    Adherence,
    Finding,
    ItemState,
    JobStatus,
    Mode,
    Name,
    Params,
    Platforms,
    percent,
)
from engarde_daemon.ports.generation import ItemRecord, Job

USD_DECIMALS = 6
PLACE_MAX = 999_999_999

Dollars = Annotated[float, Meta(gt=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=1, le=ITEMS_MAX)]


class GenerateBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wish for a batch; with `preview`, only so many items until it is approved.

    The mode `batch` has the provider write them in bulk: at half the price, and within a day.
    """

    job_type: Annotated[str, Meta(min_length=1, max_length=50)] = "batch"
    content_type: ContentType = ContentType.POST
    target_count: Count
    platforms: Platforms = []
    generation_params: Params
    brand_adherence: Adherence = Adherence()
    brand_id: Id | None = None
    campaign_space_id: Id | None = None
    max_cost_usd: Dollars | None = None
    mode: Mode = Mode.DIRECT
    preview: Count | None = None


class GenerateQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a wish for a batch."""

    dry_run: bool = False


class RetryWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to retry."""

    max_cost_usd: Dollars | None = None


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of the list of jobs."""

    status: list[JobStatus] | None = None
    brand_id: Id | None = None
    page_size: PageSize = msgspec.field(default=20, name="pageSize")
    cursor: Mark | None = None


class After(Parsed):
    """The number of the item after which a page starts."""

    __slots__ = ("number",)
    written = CursorText

    def __init__(self, number: int) -> None:
        self.number = number

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        text = str(value or "0")
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise ValueError("is not a cursor of this API; start without one")
        return cls(int(text))


class ItemsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a job's items."""

    state: list[ItemState] | None = None
    page_size: PageSize = msgspec.field(default=50, name="pageSize")
    cursor: After | None = None


class QuotaCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How a job would stand with the plan's storage."""

    current_usage_gb: float
    limit_gb: float | None
    projected_usage_gb: float
    within_limit: bool


class JobCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was accepted; a cost that nobody knows is null."""

    job_id: str
    status: JobStatus
    target_count: int
    progress: int
    estimated_completion_time: datetime
    estimated_storage_bytes: int
    estimated_cost_usd: float | None
    quota_check: QuotaCheck
    created_at: datetime


class RenderedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """What would be asked for one item."""

    number: int
    system: str
    user: str


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a job would take; nothing was made or called."""

    dry_run: bool
    target_count: int
    provider: str
    model: str
    estimated_completion_time: datetime
    estimated_storage_bytes: int
    estimated_input_tokens: int
    estimated_output_tokens: int
    estimated_cost_usd: float | None
    quota_check: QuotaCheck
    monthly_items_left: int | None
    prompts: list[RenderedPrompt]


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A job in a list."""

    job_id: str
    brand_id: str
    job_type: str
    content_type: str
    status: JobStatus
    phase: str
    mode: Mode
    target_count: int
    progress: int
    progress_percent: int
    provider: str
    model: str
    items: dict[ItemState, int]
    total_storage_bytes: int
    total_cost_usd: float | None
    cost_is_complete: bool
    max_cost_usd: float | None
    paused_reason: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    estimated_completion: datetime | None
    error_message: str | None
    generated_content_ids: list[str] | UnsetType = UNSET


class JobCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a cancel."""

    job_id: str
    status: JobStatus
    progress: int
    generated_content_ids: list[str]
    message: str


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One item; `draft` is a paid answer that has not become content."""

    number: int
    state: ItemState
    content_id: str | None
    size_bytes: int | None
    attempts: int
    calls: int
    suspected_duplicate_calls: int
    rewrites: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    findings: list[Finding]
    failure: str | None
    reason: str | None
    draft: str | None
    ended_at: datetime | None


class FollowQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a stream; `last_event_id` is the last item a follower was told of."""

    last_event_id: Annotated[int, Meta(ge=0, le=PLACE_MAX)] = 0


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What the model has just written, while it writes the one item of a job."""

    text: str


class JobEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended; nothing follows."""

    job_id: str
    status: JobStatus


Key = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"^[\x21-\x7e]+(?!\n)$")]
Digits = Annotated[str, Meta(pattern=r"^[0-9-]{1,20}(?!\n)$")]


class CredentialPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a provider; which fields it takes, the provider says.

    A provider of models takes `api_key`, and `base_url` where its API is not where the operator says.
    Google Ads takes `client_id`, `client_secret`, `refresh_token`, `customer_id` and, through a
    manager account, `login_customer_id`. Meta takes `access_token`, `account_id` and `app_secret`.

    With `test`, a provider of models is asked about the key first; one that it refuses is not kept.
    """

    api_key: Annotated[str, Meta(max_length=1000, pattern=r"^[\x21-\x7e]+(?!\n)$")] | None = None
    base_url: Annotated[str, Meta(min_length=1, max_length=2048)] | None = None
    client_id: Key | None = None
    client_secret: Key | None = None
    refresh_token: Key | None = None
    customer_id: Digits | None = None
    login_customer_id: Digits | None = None
    access_token: Key | None = None
    account_id: Annotated[str, Meta(pattern=r"^(act_)?[0-9]{1,20}(?!\n)$")] | None = None
    app_secret: Key | None = None
    test: bool = False


class KeyTest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a key; where the provider could not say, the key is kept all the same."""

    passed: bool
    message: str


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """A credential without its key."""

    provider: Name
    base_url: str | None
    paused_reason: str | None
    updated_by: str
    updated_at: datetime
    test: KeyTest | UnsetType = UNSET


class CredentialList(msgspec.Struct, frozen=True, kw_only=True):
    """All credentials of a tenant."""

    data: list[CredentialView]


def job_view(job: Job, *, now: datetime, contents: list[str] | UnsetType = UNSET) -> JobSummary:
    """A job as a client sees it."""
    return JobSummary(
        job_id=job.id,
        brand_id=job.brand_id,
        job_type=job.job_type,
        content_type=job.content_type,
        status=job.status,
        phase=_phase_of(job),
        mode=job.mode,
        target_count=job.target_count,
        progress=job.progress,
        progress_percent=percent(job.progress, job.target_count),
        provider=job.provider,
        model=job.model,
        items=dict(job.items),
        total_storage_bytes=job.total_storage_bytes,
        total_cost_usd=None if job.unpriced_calls and not job.spent_usd else usd(job.spent_usd),
        cost_is_complete=not job.unpriced_calls,
        max_cost_usd=usd(job.max_cost_usd),
        paused_reason=job.paused_reason,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        estimated_completion=_completion_of(job, now),
        error_message=job.error_message,
        generated_content_ids=contents,
    )


def item_view(item: ItemRecord) -> ItemView:
    """An item as a client sees it."""
    renamed: dict[str, Any] = {
        "suspected_duplicate_calls": item.unsure_calls,
        "cost_usd": usd(item.cost_usd),
    }
    same = {n: getattr(item, n) for n in ItemView.__struct_fields__ if n not in renamed}
    return ItemView(**same, **renamed)


def usd(amount: Decimal | None) -> float | None:
    """An amount of money as JSON has it."""
    return None if amount is None else round(float(amount), USD_DECIMALS)


def _phase_of(job: Job) -> str:
    """What a running job is doing, in a word that a user interface can show."""
    if job.status not in {JobStatus.PENDING, JobStatus.RUNNING}:
        return job.status.value
    if job.paused_reason is not None:
        return "paused"
    under_way = job.items.get(ItemState.CALLING, 0) + job.items.get(ItemState.RECEIVED, 0)
    ended = job.target_count - job.items.get(ItemState.PENDING, 0) - under_way
    if job.preview_items is not None and ended >= job.preview_items:
        return "awaiting_approval"
    return "generating" if job.started_at else "queued"


def _completion_of(job: Job, now: datetime) -> datetime | None:
    """When a job will be done at the pace it had so far."""
    if job.completed_at is not None or job.started_at is None or not job.progress:
        return job.completed_at
    left = sum(
        job.items.get(state, 0)
        for state in (ItemState.PENDING, ItemState.CALLING, ItemState.RECEIVED)
    )
    return now + (now - job.started_at) / job.progress * left
