"""What happened, as the daemon tells it: one document for listeners and webhooks alike.

Owns the names of events, and the patterns by which some of them are asked for. A position orders
the events of one tenant without gaps and says nothing of other tenants.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

EVERYTHING = "*"

_JSON = msgspec.json.Encoder()


class EventType(StrEnum):
    """Everything that a tenant can be told of."""

    CONTENT_CREATED = "content.created"
    CONTENT_UPDATED = "content.updated"
    CONTENT_PUBLISHED = "content.published"
    CONTENT_ARCHIVED = "content.archived"
    CONTENT_DELETED = "content.deleted"
    CONTENT_RESTORED = "content.restored"
    QUOTA_WARNING = "quota.warning"
    QUOTA_CRITICAL = "quota.critical"
    QUOTA_EXCEEDED = "quota.exceeded"
    GENERATION_COMPLETED = "generation.completed"
    GENERATION_FAILED = "generation.failed"
    IMPORT_COMPLETED = "import.completed"
    IMPORT_FAILED = "import.failed"
    RECOVERY_STATE_CHANGED = "recovery.state_changed"
    RECOVERY_STARTED = "recovery.started"
    RECOVERY_COMPLETED = "recovery.completed"
    RECOVERY_FAILED = "recovery.failed"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TEST = "webhook.test"


class EventDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An event about to be written down; without a brand it concerns the whole tenant."""

    tenant_id: str
    type: EventType
    brand_id: str | None = None
    subject_id: str | None = None
    actor_id: str | None = None
    data: dict[str, Any] | None = None
    occurred_at: datetime | None = None


class EventDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An event as listeners and webhooks get it."""

    id: str
    type: str
    timestamp: datetime
    tenant_id: str
    brand_id: str | None
    actor_id: str | None
    data: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was written down; `data` is JSON already."""

    id: str
    tenant_id: str
    type: str
    occurred_at: datetime
    brand_id: str | None
    actor_id: str | None
    data: msgspec.Raw

    def document(self) -> bytes:
        """What listeners and webhooks get; type, timestamp and data as Standard Webhooks has them."""
        return _JSON.encode(
            EventDocument(
                id=self.id,
                type=self.type,
                timestamp=self.occurred_at,
                tenant_id=self.tenant_id,
                brand_id=self.brand_id,
                actor_id=self.actor_id,
                data=self.data,
            )
        )


def wants(patterns: Collection[str], type_: str) -> bool:
    """Whether one of the patterns (`*`, `content.*` or a name) stands for this type."""
    area = type_.partition(".")[0]
    return EVERYTHING in patterns or f"{area}.*" in patterns or type_ in patterns


def unknown_patterns(patterns: Iterable[str]) -> list[str]:
    """Those that stand for no event there is."""
    return [pattern for pattern in patterns if not any(wants([pattern], t) for t in EventType)]
