"""The route of the audit log: who did what, for those who answer for the whole tenant."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get
from msgspec import Meta

from engarde_daemon.api.access import reaches_tenant
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.fields import Moment
from engarde_daemon.api.giving import Given
from engarde_daemon.api.paging import Mark, Page, PageSize, page_of
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.register import AuditEntry, AuditFilters, RegisterReader

Word = Annotated[str, Meta(min_length=1, max_length=100)]


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of the audit log; all conditions hold together."""

    user_id: Word | None = None
    principal_id: Word | None = None
    operation: Word | None = None
    subject_id: Word | None = None
    request_id: Word | None = None
    status_from: Annotated[int, Meta(ge=100, le=599)] | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    cursor: Mark | None = None
    page_size: PageSize = msgspec.field(default=50, name="pageSize")

    def filters(self) -> AuditFilters:
        """Which entries are wanted."""
        return AuditFilters(
            user_id=self.user_id,
            principal_id=self.principal_id,
            operation=self.operation,
            subject_id=self.subject_id,
            request_id=self.request_id,
            status_from=self.status_from,
            since=self.date_from.utc if self.date_from else None,
            until=self.date_to.utc if self.date_to else None,
        )


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """One request, who sent it and how it ended."""

    id: str
    at: datetime
    principal_id: str
    user_id: str
    role: str
    operation: str
    subject_id: str | None
    status: int
    request_id: str
    address: str


class AuditController(Controller):
    """Who did what in the caller's tenant."""

    path = "/api/audit"
    tags = ("access",)
    guards = (reaches_tenant(Role.ADMIN),)
    opt = {AUDITED: True}  # noqa: RUF012 - Litestar declares it so

    @get(operation_id="listAudit", opt=promise(query=AuditQuery))
    async def page(
        self, request: Request[Principal, Any, Any], register: Given[RegisterReader]
    ) -> Page[AuditView]:
        """A page of the audit log, newest first."""
        query = decode_query(query_of(request.scope["query_string"]), AuditQuery)
        found = await register.audit(
            request.user.tenant_id,
            filters=query.filters(),
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        return page_of([_view_of(entry) for entry in found], _place_of, size=query.page_size)


def _view_of(entry: AuditEntry) -> AuditView:
    fields = msgspec.structs.asdict(entry)
    del fields["tenant_id"]
    return AuditView(**fields)


def _place_of(view: AuditView) -> Place:
    return Place(view.at, view.id)
