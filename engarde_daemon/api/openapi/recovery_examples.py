"""Examples of the routes of recovery; see `examples`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engarde_daemon.api.recovery.schemas import (
    MigrationOrder,
    RecoveryJob,
    RecoveryView,
    ScopeQuery,
)
from engarde_daemon.domain.recovery import Report, Scope
from engarde_daemon.domain.vitals import StoreVitals

_TENANT = "7c1f8a5e-4b0c-4b53-8a53-5f6f0a8f1f0e"
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_ZERODB = StoreVitals(
    state="healthy", breaker="closed", lasts_s=5193.0, reason="", steps={"healthy": 1}
)
_JOB = RecoveryJob(
    id="01a20513-0d5c-7b8e-9d8f-1c2d3e4f5a6b",
    kind="verify",
    state="completed",
    phase="versions",
    done=5193,
    total=5193,
    eta_s=None,
    scope=Scope(tenant_id=_TENANT),
    report=Report(versions=5193, counts={"archive": 5193, "zerodb": 5193}),
    error=None,
    ordered_by="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
    created_at=_AT,
    started_at=_AT + timedelta(seconds=1),
    finished_at=_AT + timedelta(seconds=4),
)

ANSWERS: dict[Any, Any] = {
    StoreVitals: _ZERODB,
    RecoveryJob: _JOB,
    RecoveryView: RecoveryView(stores={"zerodb": _ZERODB, "archive": _ZERODB}, jobs=[_JOB]),
}
REQUESTS: dict[Any, Any] = {ScopeQuery: {"tenant_id": _TENANT}, MigrationOrder: {"back": False}}
PATHS = {"job_id": _JOB.id}
