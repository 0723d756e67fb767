"""Examples of the routes of those who watch; see `examples`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engarde_daemon.api.admin.overview import Overview, QueueRetried, QueuesView, QueueView
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.ports.overview import JobStanding, ParkedRow
from engarde_daemon.protocol import (
    ActorView,
    BacklogView,
    DaemonState,
    DaemonView,
    FeedEvent,
    JobView,
    Missed,
    Rates,
    Risk,
    Safety,
    Severity,
    StoreState,
    StoreView,
    TenantsView,
    TenantView,
)

_AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
_TENANT = "7c1f8a5e-4b0c-4b53-8a53-5f6f0a8f1f0e"
_ITEM = "01a20506-e2c2-75db-bf6a-a94a82058695"
_CAUSE = "No answer for 5 s. ZeroDB answered 503."
_EFFECT = (
    "Writes go on, their bodies wait in PostgreSQL (1.2 MiB of 2.0 GiB in use). "
    "Bodies are read from PostgreSQL and the archive in its place."
)
_ACTOR = ActorView(
    name="delivery",
    path="root/pipelines/delivery",
    kind="actor",
    status="running",
    restarts=0,
    last_error=None,
    depth=0,
    capacity=1,
    waiting=0,
    busy_s=0.0,
    oldest_message_age_s=0.0,
    processed=5193,
)
_DAEMON = DaemonView(
    id="01a20623-1dfd-7dcf-a744-be1fb0527573",
    name="content-1",
    address="0.0.0.0:8700",
    version="0.1.0",
    pid=7,
    state=DaemonState.RUNNING,
    started_at=_AT - timedelta(hours=2),
    last_seen=_AT,
    uptime_s=7200.0,
    actors=[_ACTOR],
)
_BACKLOG = BacklogView(
    queue="delivery",
    title="to ZeroDB",
    rows=12,
    oldest_age_s=9.0,
    size_bytes=1_258_291,
    limit_bytes=2_147_483_648,
)
_JOB = JobView(
    id="01a20506-e2c2-75db-bf6a-a94a82058700",
    kind="generation",
    tenant_id=_TENANT,
    state="running",
    done=40,
    total=100,
    failed=1,
    created_at=_AT,
    started_at=_AT,
    cost_usd=0.21,
)
_STORES = [
    StoreView(
        name="zerodb",
        title="ZeroDB",
        state=StoreState.FAILED_OVER,
        severity=Severity.WARNING,
        since=_AT,
        latency_s=0.012,
        cause=_CAUSE,
        effect=_EFFECT,
    )
]
_SAFETY = Safety(
    severity=Severity.WARNING,
    words="Of 12,345 versions, 12 not in ZeroDB yet, the oldest for 9 s. "
    "None is lost: PostgreSQL has what they need.",
    versions=12_345,
    missing={"zerodb": 12, "archive": 0},
    since=_AT,
    risks=[
        Risk(severity=Severity.WARNING, about="ZeroDB", cause=_CAUSE, effect=_EFFECT, since=_AT)
    ],
)
_TENANTS = TenantsView(
    total=2,
    levels={"normal": 1, "warning": 1},
    fullest=[
        TenantView(
            tenant_id=_TENANT,
            name="Example Ltd",
            plan="starter",
            level="warning",
            used_bytes=8_589_934_592,
            pending_bytes=0,
            limit_bytes=10_737_418_240,
        )
    ],
)

ANSWERS: dict[Any, Any] = {
    Overview: Overview(
        at=_AT,
        known_at=_AT,
        daemon=_DAEMON,
        safety=_SAFETY,
        stores=_STORES,
        rates=Rates(reads_per_s=120.0, writes_per_s=14.0, errors_per_s=0.0),
        backlog=[_BACKLOG],
        others=[],
        jobs=[_JOB],
        tenants=_TENANTS,
    ),
    QueuesView: QueuesView(
        mailboxes=[_ACTOR],
        queues=[
            QueueView(
                backlog=_BACKLOG,
                parked=[
                    ParkedRow(
                        tenant_id=_TENANT,
                        content_id=_ITEM,
                        version=3,
                        reason="ZeroDB answered 503.",
                        since=_AT,
                        attempts=2,
                    )
                ],
            )
        ],
        jobs=[_JOB],
    ),
    QueueRetried: QueueRetried(queue="archive", retried=12),
    Page[JobView]: Page(
        data=[_JOB], pagination=Onward(page_size=50, has_next=False, next_cursor=None)
    ),
    JobStanding: JobStanding(id=_JOB.id, kind=_JOB.kind, tenant_id=_TENANT, state="cancelled"),
    FeedEvent: FeedEvent(
        at=_AT,
        source="stores",
        type="store.failed_over",
        severity=Severity.WARNING,
        text=f"ZeroDB is failed over. {_CAUSE}",
        subject="zerodb",
    ),
    Missed: Missed(count=12, why="you were too far behind"),
}
PATHS = {"queue": "archive"}
