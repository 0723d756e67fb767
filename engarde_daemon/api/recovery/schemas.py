"""What operators send to the routes of recovery, and what they get."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from engarde_daemon.api.fields import Moment
from engarde_daemon.domain.recovery import Job, JobState, Report, Scope
from engarde_daemon.domain.vitals import StoreVitals

Id = Annotated[str, Meta(min_length=1, max_length=36)]


class ScopeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions are meant; nothing given means all of all tenants."""

    tenant_id: Id | None = None
    brand_id: Id | None = None
    until: Moment | None = None

    def scope(self) -> Scope:
        """The same for the actor."""
        until = self.until.utc if self.until else None
        return Scope(tenant_id=self.tenant_id, brand_id=self.brand_id, until=until)


class MigrationOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a migration leads: to the other ZeroDB, or `back` to where the last one came from."""

    back: bool = False


class RecoveryJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as operators see it; `eta_s` is None while nothing can be said."""

    id: str
    kind: str
    state: str
    phase: str
    done: int
    total: int
    eta_s: float | None
    scope: Scope
    report: Report
    error: str | None
    ordered_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RecoveryView(msgspec.Struct, frozen=True, kw_only=True):
    """How the stores stand, as this daemon sees them, and the newest jobs."""

    stores: Mapping[str, StoreVitals]
    jobs: Sequence[RecoveryJob]


def job_view(job: Job, now: Callable[[], datetime]) -> RecoveryJob:
    """What is shown of a job."""
    progress = job.progress
    return RecoveryJob(
        id=job.id,
        kind=job.kind,
        state=job.state,
        phase=progress.phase,
        done=progress.done,
        total=progress.total,
        eta_s=_eta_s(job, now()),
        scope=job.wish.scope,
        report=progress.report,
        error=job.error,
        ordered_by=job.ordered_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _eta_s(job: Job, now: datetime) -> float | None:
    progress = job.progress
    if job.state is not JobState.RUNNING or job.started_at is None or not progress.done:
        return None
    elapsed_s = (now - job.started_at).total_seconds()
    return round(elapsed_s * (progress.total - progress.done) / progress.done, 1)
