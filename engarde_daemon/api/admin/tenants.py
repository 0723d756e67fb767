"""Tenants, their plans and their books."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath
from msgspec import Meta

from actors.ledger.messages import LedgerMessage, Reconcile
from engarde_daemon.api.access import reaches
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import promise
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound
from engarde_daemon.domain.plans import Level, Plan
from engarde_daemon.ports.ledger import Drift
from engarde_daemon.ports.tenants import TenantFilters, TenantOffice, TenantSort, TenantStanding

RECONCILE_TIMEOUT_S = 60.0

Asked = Request[Principal, Any, Any]


class TenantsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of tenants."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Meta(ge=1, le=500)] = msgspec.field(default=50, name="pageSize")
    sort: TenantSort = TenantSort.ID
    level: Level | None = None
    plan: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    search: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class TenantPagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which page it is, of how many tenants."""

    page: int
    page_size: int
    total: int
    has_next: bool


class TenantPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tenants."""

    data: list[TenantStanding]
    pagination: TenantPagination


class PlanChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan a tenant is to have."""

    plan: Annotated[str, Meta(min_length=1, max_length=50)]


class PlanChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The plan a tenant has now, and had before."""

    tenant_id: str
    plan: str
    plan_before: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures of a tenant were wrong; they are right now."""

    tenant_id: str
    mended: list[Drift]


class TenantsController(Controller):
    """See all tenants, change a plan, mend the books."""

    path = "/api/admin"
    tags = ("admin",)
    guards = (reaches(Role.OPERATOR),)

    @get("/tenants", operation_id="listTenants", opt=promise(query=TenantsQuery))
    async def page(self, request: Asked, tenant_office: Given[TenantOffice]) -> TenantPage:
        """A page of tenants with their usage."""
        query = decode_query(query_of(request.scope["query_string"]), TenantsQuery)
        skip = (query.page - 1) * query.page_size
        filters = TenantFilters(level=query.level, plan=query.plan, search=query.search)
        found, total = await tenant_office.page(
            filters, sort=query.sort, size=query.page_size, skip=skip
        )
        pagination = TenantPagination(
            page=query.page,
            page_size=query.page_size,
            total=total,
            has_next=skip + len(found) < total,
        )
        return TenantPage(data=found, pagination=pagination)

    @put(
        "/tenants/{tenant_id:str}/plan",
        operation_id="changePlan",
        opt=promise(body=PlanChange, errors=(NotFound,)),
    )
    async def change_plan(
        self,
        request: Asked,
        tenant_id: FromPath[str],
        *,
        tenant_office: Given[TenantOffice],
        plans: Given[Mapping[str, Plan]],
    ) -> PlanChanged:
        """Put a tenant on another plan; what it stores stays, even above the new limit."""
        wish = decode_json(await request.body(), PlanChange)
        if wish.plan not in plans:
            known = ", ".join(plans)
            raise Invalid([FieldError("plan", f"is none of the plans of this daemon: {known}")])
        before = await tenant_office.set_plan(tenant_id, wish.plan)
        return PlanChanged(tenant_id=tenant_id, plan=wish.plan, plan_before=before)

    @post(
        "/quota/{tenant_id:str}/reconcile",
        operation_id="reconcileQuota",
        status_code=200,
        opt=promise(errors=(NotFound,)),
    )
    async def reconcile(
        self,
        tenant_id: FromPath[str],
        tenant_office: Given[TenantOffice],
        ledger: Given[Address[LedgerMessage]],
    ) -> Reconciled:
        """Count a tenant's content again and make its figures right."""
        if not await tenant_office.exists(tenant_id):
            raise NotFound("There is no such tenant.")
        mended = await ledger.ask(Reconcile(tenant_id), timeout_s=RECONCILE_TIMEOUT_S)
        return Reconciled(tenant_id=tenant_id, mended=mended)
