"""Rows for tests of whatever stores bodies."""

from datetime import UTC, datetime

from engarde_daemon.domain.content import record_id, sha256_of, size_of
from engarde_daemon.domain.history import Snapshot
from engarde_daemon.domain.records import (
    ContentRecord,
    RecordKey,
    Row,
    StorageMetadata,
    VersionRecord,
    history_id,
)

WRITTEN_AT = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)


def record_with(body: str, *, content_id: str, tenant_id: str, version: int = 1) -> ContentRecord:
    """An intact row of this version of this content."""
    return ContentRecord(
        id=record_id(content_id, version),
        tenant_id=tenant_id,
        brand_id="3c2f9c5e-8f5b-4f0e-9d53-0a1b7c1f1d11",
        campaign_space_id=None,
        user_id="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
        title="Spring launch 🌱",
        content_body=body,
        content_type="post",
        status="draft",
        metadata={"platforms": ["instagram"], "tags": ["spring", "größe"], "metadata": {"n": 1.5}},
        storage_metadata=StorageMetadata(size_bytes=size_of(body), sha256=sha256_of(body)),
        version=version,
        version_of=None if version == 1 else content_id,
        created_at=WRITTEN_AT,
        updated_at=WRITTEN_AT,
    )


def version_record_of(record: ContentRecord) -> VersionRecord:
    """An intact row that tells what this version of this content changed."""
    return VersionRecord(
        id=history_id(record.id),
        content_id=record.content_id,
        tenant_id=record.tenant_id,
        version_number=record.version,
        changed_by_user_id=record.user_id,
        change_type="create" if record.version == 1 else "update",
        content_snapshot=Snapshot(
            title=record.title,
            content_body=record.content_body,
            content_type=record.content_type,
            status=record.status,
            metadata=record.metadata,
        ),
        changes_summary="title changed; body +2 \N{MINUS SIGN}1 words",
        diff_from_previous=[{"op": "replace", "path": "/title", "value": record.title}],
        sha256=record.sha256,
        created_at=record.created_at,
    )


def key_of(row: Row) -> RecordKey:
    """The key under which this row is asked for."""
    return RecordKey(
        tenant_id=row.tenant_id, content_id=row.content_id, version=row.version, sha256=row.sha256
    )
