"""Content as tests write it, below the HTTP API."""

import uuid
from datetime import UTC, datetime
from typing import Any

from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Draft, Idempotency, Write
from engarde_daemon.domain.content import ContentType, Details, Status
from tests.support.database import Tenant


def draft(body: str, *, title: str = "Title", tags: tuple[str, ...] = (), **other: Any) -> Draft:
    """A new item."""
    return Draft(
        title=title,
        body=body,
        content_type=ContentType.POST,
        status=Status.DRAFT,
        details=Details(tags=tags),
        **other,
    )


def creation(
    tenant: Tenant, body: str, *, idempotency: Idempotency | None = None, **other: Any
) -> Write:
    """The write that makes a new item."""
    return changes.create(
        draft(body, **other),
        content_id=str(uuid.uuid4()),
        tenant_id=tenant.id,
        brand_id=tenant.brand_id,
        user_id=tenant.user_id,
        at=datetime.now(UTC),
        idempotency=idempotency,
    )
