"""Rows for the tests of BigQuery."""

from datetime import UTC, datetime, timedelta

from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.snapshots import ContentSnapshot, snapshot_id
from engarde_daemon.ports.archive import Frozen, Span

WRITTEN_AT = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
AROUND = Span(WRITTEN_AT - timedelta(days=30), WRITTEN_AT + timedelta(days=365))
"""A span that holds every row made here, unless its versions go beyond 300."""


def snapshot_with(
    body: str, *, content_id: str, tenant_id: str, version: int = 1, brand_id: str = "brand"
) -> ContentSnapshot:
    """An intact row of this version of this content; each version is a day younger than the last."""
    changed_at = WRITTEN_AT + timedelta(days=version - 1)
    return ContentSnapshot(
        content_id=content_id,
        snapshot_id=snapshot_id(content_id, version),
        tenant_id=tenant_id,
        brand_id=brand_id,
        campaign_space_id=None,
        user_id="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
        title="Spring launch 🌱",
        content_body=body,
        content_type="post",
        status="draft",
        metadata={"platforms": ["instagram"], "tags": ["größe", 'q"\n'], "metadata": {"n": 1.5}},
        ai_generation_metadata={},
        storage_metadata={"size_bytes": len(body.encode()), "sha256": sha256_of(body)},
        version=version,
        version_of=None if version == 1 else content_id,
        snapshot_timestamp=changed_at,
        content_created_at=WRITTEN_AT,
        content_updated_at=changed_at,
        ingested_at=changed_at + timedelta(seconds=1),
        deleted_at=None,
        change_type="create" if version == 1 else "update",
        changed_by="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
        changes_summary="body +2 \N{MINUS SIGN}1 words",
        sha256=sha256_of(body),
    )


def frozen(stream: str, offset: int, *snapshots: ContentSnapshot) -> Frozen:
    """These rows as a batch of this stream; the ids of its rows are their places in it."""
    return Frozen(
        table=ArchiveTable.SNAPSHOTS,
        stream=stream,
        offset=offset,
        first_id=offset + 1,
        last_id=offset + len(snapshots),
        rows=[snapshot.row for snapshot in snapshots],
    )
