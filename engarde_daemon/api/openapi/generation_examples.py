"""Examples of the routes of generation and of its credentials; see `examples`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engarde_daemon.api.generation.schemas import (
    CredentialList,
    CredentialPut,
    CredentialView,
    DryRun,
    GenerateBatch,
    ItemView,
    JobCancelled,
    JobCreated,
    JobSummary,
    KeyTest,
    QuotaCheck,
    RenderedPrompt,
    RetryWish,
)
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.domain.generation import (
    Finding,
    ItemState,
    JobStatus,
    Mode,
    cancelled_message,
)

_JOB = "01a20568-44e8-7536-8119-3c419b7dab3c"
_ITEM = "01a20568-4610-7a42-9c5e-0b6f1c2d3e4f"
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_MODEL = "gpt-5.4-mini"
_QUOTA = QuotaCheck(
    current_usage_gb=0.25, limit_gb=10.0, projected_usage_gb=0.2502, within_limit=True
)
_JOB_VIEW = JobSummary(
    job_id=_JOB,
    brand_id="3b420be8-b939-4cc9-900b-08afc95319f8",
    job_type="social_media_posts",
    content_type="post",
    status=JobStatus.RUNNING,
    phase="generating",
    mode=Mode.DIRECT,
    target_count=2,
    progress=1,
    progress_percent=50,
    provider="openai",
    model=_MODEL,
    items={ItemState.STORED: 1, ItemState.CALLING: 1},
    total_storage_bytes=126,
    total_cost_usd=0.00042,
    cost_is_complete=True,
    max_cost_usd=5.0,
    paused_reason=None,
    created_at=_AT,
    started_at=_AT,
    completed_at=None,
    estimated_completion=_AT + timedelta(seconds=8),
    error_message=None,
)
_ITEM_VIEW = ItemView(
    number=1,
    state=ItemState.STORED,
    content_id=_ITEM,
    size_bytes=126,
    attempts=1,
    calls=2,
    suspected_duplicate_calls=0,
    rewrites=1,
    input_tokens=412,
    output_tokens=96,
    cost_usd=0.00042,
    findings=[Finding(rule="required_phrase", message="It does not say “En Garde”.")],
    failure=None,
    reason=None,
    draft=None,
    ended_at=_AT + timedelta(seconds=4),
)
_CREDENTIAL = CredentialView(
    provider="openai",
    base_url=None,
    paused_reason=None,
    updated_by="3bea87c0-9a45-48ff-95f4-afbafe6cfeeb",
    updated_at=_AT,
    test=KeyTest(passed=True, message="OpenAI accepts this key."),
)

ANSWERS: dict[Any, Any] = {
    JobCreated: JobCreated(
        job_id=_JOB,
        status=JobStatus.PENDING,
        target_count=2,
        progress=0,
        estimated_completion_time=_AT + timedelta(seconds=8),
        estimated_storage_bytes=8192,
        estimated_cost_usd=0.0105,
        quota_check=_QUOTA,
        created_at=_AT,
    ),
    DryRun: DryRun(
        dry_run=True,
        target_count=1,
        provider="openai",
        model=_MODEL,
        estimated_completion_time=_AT + timedelta(seconds=4),
        estimated_storage_bytes=4096,
        estimated_input_tokens=130,
        estimated_output_tokens=1024,
        estimated_cost_usd=0.005,
        quota_check=_QUOTA,
        monthly_items_left=998,
        prompts=[
            RenderedPrompt(
                number=1, system="You write social posts for a brand.", user="About ⟦spring⟧"
            )
        ],
    ),
    JobSummary: _JOB_VIEW,
    Page[JobSummary]: Page(
        data=[_JOB_VIEW], pagination=Onward(page_size=20, has_next=False, next_cursor=None)
    ),
    ItemView: _ITEM_VIEW,
    Page[ItemView]: Page(
        data=[_ITEM_VIEW], pagination=Onward(page_size=1, has_next=True, next_cursor="1")
    ),
    JobCancelled: JobCancelled(
        job_id=_JOB,
        status=JobStatus.CANCELLED,
        progress=1,
        generated_content_ids=[_ITEM],
        message=cancelled_message(1, 2),
    ),
    CredentialView: _CREDENTIAL,
    CredentialList: CredentialList(data=[_CREDENTIAL]),
}
REQUESTS: dict[Any, Any] = {
    GenerateBatch: {
        "job_type": "social_media_posts",
        "content_type": "post",
        "target_count": 2,
        "platforms": ["instagram"],
        "generation_params": {
            "model": "template",
            "prompt_template": "Write about {topic}",
            "topics": ["spring", "our new shoes"],
        },
        "brand_adherence": {"level": "MODERATE"},
    },
    RetryWish: {"max_cost_usd": 5.0},
    CredentialPut: {"api_key": "sk-an-example", "test": False},
}
PATHS = {"job_id": _JOB, "provider": "openai"}
