"""Examples for the document: answers as the Structs that are encoded, requests as they are sent.

Answers cannot drift, because they are instances. Requests are plain, as a client would write them;
a test reads each with the Struct that its route reads it with.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from engarde_daemon.api.audit.controller import AuditView
from engarde_daemon.api.brands.controller import BrandList, BrandView, VoiceView
from engarde_daemon.api.bulk.reading import Bulk
from engarde_daemon.api.bulk.schemas import (
    BulkChanged,
    BulkCreated,
    BulkDelete,
    BulkStatus,
    BulkTags,
    Changed,
)
from engarde_daemon.api.campaigns.controller import SpaceCreate
from engarde_daemon.api.content.schemas import (
    ContentCreate,
    ContentPage,
    ContentPatch,
    ContentSummary,
    ContentView,
    Deleted,
    Pagination,
    StorageView,
)
from engarde_daemon.api.content.trash import Erased
from engarde_daemon.api.content.versions import HistoryPage, HistoryPagination, VersionView
from engarde_daemon.api.keys.schemas import KeyCreate, KeyRevoked, KeyView
from engarde_daemon.api.openapi import (
    admin_examples,
    analytics_examples,
    generation_examples,
    import_examples,
    log_examples,
    media_examples,
    overview_examples,
    recovery_examples,
)
from engarde_daemon.api.operations.controller import Liveness, Readiness
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.api.quota.controller import LimitsView, QuotaView, UsageView
from engarde_daemon.api.transfer.importing import Imported
from engarde_daemon.api.transfer.lines import ExportedItem, ImportedItem
from engarde_daemon.api.webhooks.schemas import (
    DeliveryPage,
    DeliveryView,
    WebhookCreate,
    WebhookList,
    WebhookPatch,
    WebhookView,
)
from engarde_daemon.domain.access import Role
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.events import EventDocument
from engarde_daemon.domain.history import Patch, Snapshot
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.register import CampaignSpace
from engarde_daemon.ports.retention import Erasure
from engarde_daemon.ports.webhooks import DeliveryState

_ITEM = "01a20506-e2c2-75db-bf6a-a94a82058695"
_BRAND = "3b420be8-b939-4cc9-900b-08afc95319f8"
_TENANT = "65d0ae60-3d0c-4c6e-9f5c-6f2f1f3c9a41"
_USER = "3bea87c0-9a45-48ff-95f4-afbafe6cfeeb"
_HOOK = "01a20532-5240-73c4-b1fa-18fe65118758"
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_BODY = "Spring is here.\nOur new shoes are light and dry.\nOrder today."
_URL = "https://studio.example.com/hooks/engarde"

_VIEW = ContentView(
    id=_ITEM,
    brand_id=_BRAND,
    campaign_space_id=None,
    title="Spring launch",
    body=_BODY,
    type="article",
    status="draft",
    platforms=("linkedin",),
    tags=("spring",),
    hashtags=(),
    mentions=(),
    media=(),
    scheduled_at=None,
    published_at=None,
    metadata={"language": "en"},
    storage=StorageView(size_bytes=len(_BODY), zerodb_id=_ITEM),
    created_at=_AT,
    updated_at=_AT,
    version=1,
)
_SUMMARY = ContentSummary(
    id=_ITEM,
    brand_id=_BRAND,
    campaign_space_id=None,
    title="Spring launch",
    type="article",
    status="draft",
    platforms=("linkedin",),
    tags=("spring",),
    preview=_BODY,
    scheduled_at=None,
    created_at=_AT,
    updated_at=_AT,
    version=1,
)
_VERSION = VersionView(
    version=2,
    change_type="update",
    changed_by=_USER,
    changes_summary="title changed; body +3 −1 words",
    diff_from_previous=[{"op": "replace", "path": "/title", "value": "Spring launch 2026"}],
    created_at=_AT,
)
_SNAPSHOT = Snapshot(
    title="Spring launch 2026",
    content_body=_BODY,
    content_type="article",
    status="draft",
    metadata={"tags": ["spring"]},
)
_KEY = KeyView(
    id="axzr73eieqky",
    name="for reports",
    role=Role.VIEWER,
    status="active",
    brand_id=_BRAND,
    brand_ids=[_BRAND],
    user_id=_USER,
    created_at=_AT,
    created_by=_USER,
    expires_at=_AT + timedelta(days=365),
    last_used_at=None,
    revoked_at=None,
)
_SPACE = CampaignSpace(
    id=_HOOK,
    brand_id=_BRAND,
    user_id=_USER,
    campaign_name="Spring",
    platform="meta",
    external_campaign_id="238500",
    created_at=_AT,
    updated_at=_AT,
)
_AUDIT = AuditView(
    id=_HOOK,
    at=_AT,
    principal_id="7macdtqrxwid",
    user_id=_USER,
    role="editor",
    operation="deleteContent",
    subject_id=_ITEM,
    status=200,
    request_id="ecb7abbd647eacd7",
    address="192.0.2.7",
)
_WEBHOOK = WebhookView(
    id=_HOOK,
    url=_URL,
    types=["content.*"],
    description="Content Studio",
    enabled=True,
    disabled_reason=None,
    failing_since=None,
    created_at=_AT,
    updated_at=_AT,
)
_DELIVERY = DeliveryView(
    id="17",
    event_id="c391691c-09ee-8c7b-6fc9-143bcaa3bbc2",
    type="content.published",
    status=DeliveryState.DELIVERED,
    attempts=1,
    response_status=204,
    response_excerpt=None,
    error=None,
    took_ms=35,
    last_attempt_at=_AT,
    next_attempt_at=None,
    created_at=_AT,
)
_ONWARD = Onward(page_size=50, has_next=False, next_cursor=None)

_ANSWERS: dict[Any, Any] = {
    **admin_examples.ANSWERS,
    **media_examples.ANSWERS,
    **generation_examples.ANSWERS,
    **analytics_examples.ANSWERS,
    **import_examples.ANSWERS,
    **recovery_examples.ANSWERS,
    **overview_examples.ANSWERS,
    **log_examples.ANSWERS,
    ContentView: _VIEW,
    ContentPage: ContentPage(
        data=[_SUMMARY],
        pagination=Pagination(
            page=1,
            page_size=20,
            total=1,
            total_pages=1,
            has_next=False,
            has_previous=False,
            next_cursor=None,
        ),
    ),
    Deleted: Deleted(message="Content deleted successfully", id=_ITEM, deleted_at=_AT),
    Erased: Erased(message="Content erased", id=_ITEM, receipt_id=_HOOK, versions=3),
    Erasure: Erasure(
        id=_HOOK,
        brand_id=_BRAND,
        content_id=_ITEM,
        reason="request",
        requested_by=_USER,
        requested_at=_AT,
        versions=3,
        bytes=183,
        stores_cleared_at=_AT + timedelta(minutes=1),
    ),
    BulkCreated: BulkCreated(data=[_VIEW], errors=[]),
    BulkChanged: BulkChanged(
        data=[
            Changed(
                id=_ITEM,
                version=2,
                status="draft",
                tags=("spring", "launch"),
                deleted_at=None,
                changed=True,
            )
        ],
        errors=[],
    ),
    HistoryPage: HistoryPage(
        data=[_VERSION], pagination=HistoryPagination(has_next=True, next_cursor="2")
    ),
    VersionView: msgspec.structs.replace(_VERSION, content_snapshot=_SNAPSHOT),
    Patch: _VERSION.diff_from_previous,
    QuotaView: QuotaView(
        tenant_id=_TENANT,
        plan_tier="free",
        usage=UsageView(
            total_content_items=1,
            total_storage_bytes=len(_BODY),
            total_storage_gb=0.0,
            total_media_files=0,
            reserved_bytes=0,
            usage_by_type={"article": {"count": 1, "bytes": len(_BODY)}},
        ),
        limits=LimitsView(
            storage_limit_gb=1.0,
            available_gb=1.0,
            usage_percent=0.0,
            retention_days=30,
            monthly_items=100,
        ),
        warning_level="normal",
        last_calculated_at=_AT,
    ),
    KeyView: _KEY,
    KeyRevoked: KeyRevoked(message="The key opens nothing any more", id=_KEY.id, revoked_at=_AT),
    Page[KeyView]: Page(data=[_KEY], pagination=_ONWARD),
    BrandList: BrandList(
        data=[BrandView(id=_BRAND, name="Acme", role=Role.EDITOR, is_default=True)]
    ),
    VoiceView: VoiceView(
        brand_id=_BRAND, tone="Warm and plain.", version=1, updated_by=_USER, updated_at=_AT
    ),
    CampaignSpace: _SPACE,
    Page[CampaignSpace]: Page(data=[_SPACE], pagination=_ONWARD),
    Page[AuditView]: Page(data=[_AUDIT], pagination=_ONWARD),
    WebhookView: _WEBHOOK,
    WebhookList: WebhookList(data=[_WEBHOOK]),
    DeliveryView: _DELIVERY,
    DeliveryPage: DeliveryPage(data=[_DELIVERY], pagination=_ONWARD),
    Imported: Imported(items=1, imported=1, checksum="right"),
    ExportedItem: ExportedItem(
        id=_ITEM,
        brand_id=_BRAND,
        campaign_space_id=None,
        user_id=_USER,
        title="Spring launch",
        body=_BODY,
        type="article",
        status="draft",
        platforms=("linkedin",),
        tags=("spring",),
        hashtags=(),
        mentions=(),
        media=(),
        metadata={"language": "en"},
        scheduled_at=None,
        published_at=None,
        created_at=_AT,
        updated_at=_AT,
        version=1,
        size_bytes=len(_BODY),
        sha256=sha256_of(_BODY),
    ),
    EventDocument: EventDocument(
        id="c391691c-09ee-8c7b-6fc9-143bcaa3bbc2",
        type="content.published",
        timestamp=_AT,
        tenant_id=_TENANT,
        brand_id=_BRAND,
        actor_id=_USER,
        data=msgspec.Raw(b'{"id": "%b", "version": 3}' % _ITEM.encode()),
    ),
    Liveness: Liveness(status="alive", stuck=[]),
    Readiness: Readiness(status="ready", reason=None),
    str: "engarde_quota_drift 0.0\n",
}

REQUESTS: dict[Any, Any] = {
    ContentCreate: {
        "title": "Spring launch",
        "body": _BODY,
        "type": "article",
        "tags": ["spring"],
        "platforms": ["linkedin"],
    },
    ContentPatch: {"status": "scheduled", "scheduled_at": "2027-03-02T09:30:00+01:00"},
    Bulk[ContentCreate]: {
        "items": [{"title": "One", "body": "First."}, {"title": "Two", "body": "Second."}],
        "partial": True,
    },
    BulkStatus: {"ids": [_ITEM], "status": "published"},
    BulkTags: {"filter": {"tags": ["spring"]}, "confirm": 0, "add": ["launch"]},
    BulkDelete: {"ids": [_ITEM]},
    KeyCreate: {"role": "viewer", "name": "for reports"},
    Voice: {"tone": "Warm and plain.", "reading_level": 8, "banned_phrases": ["guaranteed"]},
    SpaceCreate: {"campaign_name": "Spring", "platform": "meta", "external_campaign_id": "238500"},
    WebhookCreate: {"url": _URL, "types": ["content.*"], "description": "Content Studio"},
    WebhookPatch: {"enabled": False},
    **admin_examples.REQUESTS,
    **analytics_examples.REQUESTS,
    **media_examples.REQUESTS,
    **generation_examples.REQUESTS,
    **import_examples.REQUESTS,
    **recovery_examples.REQUESTS,
    ImportedItem: {"id": "post-1", "title": "Spring launch", "body": _BODY},
}
"""What is sent, by the Struct that reads it."""

PATHS = {
    "content_id": _ITEM,
    "erasure_id": _HOOK,
    "version": 1,
    "key_id": _KEY.id,
    "brand_id": _BRAND,
    "space_id": _HOOK,
    "webhook_id": _HOOK,
    "delivery_id": "17",
    **admin_examples.PATHS,
    **media_examples.PATHS,
    **generation_examples.PATHS,
    **import_examples.PATHS,
    **recovery_examples.PATHS,
    **overview_examples.PATHS,
}
"""What stands in paths, by parameter."""


def answered(shape: Any) -> Any:
    """What an answer of this shape looks like.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return msgspec.json.decode(msgspec.json.encode(_found(shape, _ANSWERS)))


def sent(shape: Any) -> Any:
    """What a request of this shape looks like.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return _found(shape, REQUESTS)


def placed(parameter: str) -> Any:
    """What stands in a path for a parameter.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return _found(parameter, PATHS)


def _found(shape: Any, known: Mapping[Any, Any]) -> Any:
    if shape not in known:
        raise LookupError(f"add an example of {shape} to api/openapi/examples.py")
    return known[shape]
