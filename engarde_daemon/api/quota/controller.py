"""The quota of the caller's tenant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, get

from engarde_daemon.api.access import reaches
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.plans import GB, Plan, level, plan_named
from engarde_daemon.ports.content import ContentLibrary, Usage

GB_DECIMALS = 4
PERCENT_DECIMALS = 2


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """What is used."""

    total_content_items: int
    total_storage_bytes: int
    total_storage_gb: float
    total_media_files: int
    reserved_bytes: int
    usage_by_type: dict[str, dict[str, int]]


class LimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan allows; None where it sets no limit."""

    storage_limit_gb: float | None
    available_gb: float | None
    usage_percent: float
    retention_days: int | None
    monthly_items: int | None


class QuotaView(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant stands with its plan."""

    tenant_id: str
    plan_tier: str
    usage: UsageView
    limits: LimitsView
    warning_level: str
    last_calculated_at: datetime


class QuotaController(Controller):
    """The quota of the caller's tenant."""

    path = "/api/content/quota"
    tags = ("quota",)
    guards = (reaches(Role.VIEWER),)

    @get(operation_id="readQuota")
    async def read(
        self,
        request: Request[Principal, Any, Any],
        library: Given[ContentLibrary],
        plans: Given[Mapping[str, Plan]],
    ) -> QuotaView:
        """What is used, reserved and allowed."""
        tenant_id = request.user.tenant_id
        return quota_of(tenant_id, await library.usage(tenant_id), plans)


def quota_of(tenant_id: str, usage: Usage, plans: Mapping[str, Plan]) -> QuotaView:
    """The quota as a client sees it."""
    plan = plan_named(usage.plan, plans)
    held = usage.used_bytes + usage.pending_bytes
    return QuotaView(
        tenant_id=tenant_id,
        plan_tier=usage.plan,
        usage=UsageView(
            total_content_items=usage.items,
            total_storage_bytes=usage.used_bytes,
            total_storage_gb=round(usage.used_bytes / GB, GB_DECIMALS),
            total_media_files=usage.media_files,
            reserved_bytes=usage.pending_bytes,
            usage_by_type=usage.by_type,
        ),
        limits=_limits_of(plan, held),
        warning_level=level(held, plan.storage_bytes),
        last_calculated_at=usage.calculated_at,
    )


def _limits_of(plan: Plan, held: int) -> LimitsView:
    limit = plan.storage_bytes
    return LimitsView(
        storage_limit_gb=None if limit is None else limit / GB,
        available_gb=None if limit is None else round(max(0, limit - held) / GB, GB_DECIMALS),
        usage_percent=round(held / limit * 100, PERCENT_DECIMALS) if limit else 0.0,
        retention_days=plan.retention_days,
        monthly_items=plan.monthly_items,
    )
