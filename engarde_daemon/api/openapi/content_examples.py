"""Examples of the routes of content, one by one, in bulk, and as lines; see `examples`."""

from datetime import timedelta
from typing import Any

import msgspec

from engarde_daemon.api.bulk.reading import Bulk
from engarde_daemon.api.bulk.schemas import (
    BulkChanged,
    BulkCreated,
    BulkDelete,
    BulkStatus,
    BulkTags,
    Changed,
)
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
from engarde_daemon.api.openapi.subjects import AT, BODY, BRAND, ITEM, OTHER, TENANT, USER
from engarde_daemon.api.quota.controller import LimitsView, QuotaView, UsageView
from engarde_daemon.api.transfer.importing import Imported
from engarde_daemon.api.transfer.lines import ExportedItem, ImportedItem
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.history import Patch, Snapshot
from engarde_daemon.ports.retention import Erasure

_VIEW = ContentView(
    id=ITEM,
    brand_id=BRAND,
    campaign_space_id=None,
    title="Spring launch",
    body=BODY,
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
    storage=StorageView(size_bytes=len(BODY), zerodb_id=ITEM),
    created_at=AT,
    updated_at=AT,
    version=1,
)
_SUMMARY = ContentSummary(
    id=ITEM,
    brand_id=BRAND,
    campaign_space_id=None,
    title="Spring launch",
    type="article",
    status="draft",
    platforms=("linkedin",),
    tags=("spring",),
    preview=BODY,
    scheduled_at=None,
    created_at=AT,
    updated_at=AT,
    version=1,
)
_VERSION = VersionView(
    version=2,
    change_type="update",
    changed_by=USER,
    changes_summary="title changed; body +3 −1 words",
    diff_from_previous=[{"op": "replace", "path": "/title", "value": "Spring launch 2026"}],
    created_at=AT,
)
_SNAPSHOT = Snapshot(
    title="Spring launch 2026",
    content_body=BODY,
    content_type="article",
    status="draft",
    metadata={"tags": ["spring"]},
)

ANSWERS: dict[Any, Any] = {
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
    Deleted: Deleted(message="Content deleted successfully", id=ITEM, deleted_at=AT),
    Erased: Erased(message="Content erased", id=ITEM, receipt_id=OTHER, versions=3),
    Erasure: Erasure(
        id=OTHER,
        brand_id=BRAND,
        content_id=ITEM,
        reason="request",
        requested_by=USER,
        requested_at=AT,
        versions=3,
        bytes=183,
        stores_cleared_at=AT + timedelta(minutes=1),
    ),
    BulkCreated: BulkCreated(data=[_VIEW], errors=[]),
    BulkChanged: BulkChanged(
        data=[
            Changed(
                id=ITEM,
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
        tenant_id=TENANT,
        plan_tier="free",
        usage=UsageView(
            total_content_items=1,
            total_storage_bytes=len(BODY),
            total_storage_gb=0.0,
            total_media_files=0,
            reserved_bytes=0,
            usage_by_type={"article": {"count": 1, "bytes": len(BODY)}},
        ),
        limits=LimitsView(
            storage_limit_gb=1.0,
            available_gb=1.0,
            usage_percent=0.0,
            retention_days=30,
            monthly_items=100,
        ),
        warning_level="normal",
        last_calculated_at=AT,
    ),
    Imported: Imported(items=1, imported=1, checksum="right"),
    ExportedItem: ExportedItem(
        id=ITEM,
        brand_id=BRAND,
        campaign_space_id=None,
        user_id=USER,
        title="Spring launch",
        body=BODY,
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
        created_at=AT,
        updated_at=AT,
        version=1,
        size_bytes=len(BODY),
        sha256=sha256_of(BODY),
    ),
}
REQUESTS: dict[Any, Any] = {
    ContentCreate: {
        "title": "Spring launch",
        "body": BODY,
        "type": "article",
        "tags": ["spring"],
        "platforms": ["linkedin"],
    },
    ContentPatch: {"status": "scheduled", "scheduled_at": "2027-03-02T09:30:00+01:00"},
    Bulk[ContentCreate]: {
        "items": [{"title": "One", "body": "First."}, {"title": "Two", "body": "Second."}],
        "partial": True,
    },
    BulkStatus: {"ids": [ITEM], "status": "published"},
    BulkTags: {"filter": {"tags": ["spring"]}, "confirm": 0, "add": ["launch"]},
    BulkDelete: {"ids": [ITEM]},
    ImportedItem: {"id": "post-1", "title": "Spring launch", "body": BODY},
}
PATHS = {"content_id": ITEM, "erasure_id": OTHER, "version": 1}
