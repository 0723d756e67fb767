"""Rows of the archive for tests of whatever stores them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from engarde_daemon.domain.content import sha256_of, size_of
from engarde_daemon.domain.records import StorageMetadata
from engarde_daemon.domain.snapshots import ContentSnapshot, snapshot_id
from engarde_daemon.ports.archive import ArchiveTable, Frozen
from engarde_daemon.testing.records import WRITTEN_AT


def snapshot_with(
    body: str,
    *,
    content_id: str,
    tenant_id: str,
    version: int = 1,
    at: datetime = WRITTEN_AT,
    **other: Any,
) -> ContentSnapshot:
    """An intact row of this version of this content."""
    sha256 = sha256_of(body)
    snapshot = ContentSnapshot(
        content_id=content_id,
        snapshot_id=snapshot_id(content_id, version),
        tenant_id=tenant_id,
        brand_id="3c2f9c5e-8f5b-4f0e-9d53-0a1b7c1f1d11",
        campaign_space_id=None,
        user_id="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
        title="Spring launch 🌱",
        content_body=body,
        content_type="post",
        status="draft",
        metadata={"platforms": ["instagram"], "tags": ["spring", "größe"], "metadata": {"n": 1.5}},
        ai_generation_metadata={},
        storage_metadata=msgspec.to_builtins(
            StorageMetadata(size_bytes=size_of(body), sha256=sha256)
        ),
        version=version,
        version_of=None if version == 1 else content_id,
        snapshot_timestamp=at,
        content_created_at=WRITTEN_AT,
        content_updated_at=at,
        ingested_at=at,
        deleted_at=None,
        change_type="create" if version == 1 else "update",
        changed_by="a7c1c9f2-51c5-4b64-8a35-6a0f1be3e2c4",
        changes_summary="",
        sha256=sha256,
    )
    return msgspec.structs.replace(snapshot, **other)


def frozen_of(
    snapshots: Sequence[ContentSnapshot], *, stream: str, offset: int = 0, first_id: int = 1
) -> Frozen:
    """A batch of these rows."""
    return Frozen(
        table=ArchiveTable.SNAPSHOTS,
        stream=stream,
        offset=offset,
        first_id=first_id,
        last_id=first_id + len(snapshots) - 1,
        rows=[snapshot.row for snapshot in snapshots],
    )
