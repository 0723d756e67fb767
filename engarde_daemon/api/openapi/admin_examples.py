"""Examples of the routes of operators; see `examples`."""

from typing import Any

from engarde_daemon.api.admin.actors import ActorList, view_of
from engarde_daemon.api.admin.tenants import (
    PlanChange,
    PlanChanged,
    Reconciled,
    TenantPage,
    TenantPagination,
)
from engarde_daemon.core import Health, HealthReport
from engarde_daemon.domain.plans import GB, Level
from engarde_daemon.ports.ledger import Drift
from engarde_daemon.ports.tenants import TenantStanding

_TENANT = "7c1f8a5e-4b0c-4b53-8a53-5f6f0a8f1f0e"
_ACTOR = view_of(
    HealthReport(
        path="root/pipelines/delivery",
        status=Health.RUNNING,
        restarts=0,
        last_error=None,
        heartbeat_age_s=0.2,
        capacity=1,
        processed=5193,
    )
)

ANSWERS: dict[Any, Any] = {
    type(_ACTOR): _ACTOR,
    ActorList: ActorList(data=[_ACTOR]),
    TenantPage: TenantPage(
        data=[
            TenantStanding(
                tenant_id=_TENANT,
                name="Example Ltd",
                plan="starter",
                items=5193,
                media_files=12,
                used_bytes=8 * GB,
                pending_bytes=0,
                limit_bytes=10 * GB,
                level=Level.WARNING,
            )
        ],
        pagination=TenantPagination(page=1, page_size=50, total=1, has_next=False),
    ),
    PlanChanged: PlanChanged(tenant_id=_TENANT, plan="professional", plan_before="starter"),
    Reconciled: Reconciled(
        tenant_id=_TENANT, mended=[Drift(_TENANT, "bytes", ledger=8_123, actual=8_000)]
    ),
}
REQUESTS: dict[Any, Any] = {PlanChange: {"plan": "professional"}}
PATHS = {"name": "delivery", "tenant_id": _TENANT}
