"""Rows of the archive: what the disaster-recovery and analytics copy holds of each version.

Owns the columns of `content_snapshots`: the platform's own, as its architecture page has them, and
those that a restore of PostgreSQL needs besides (`deleted_at`, `change_type`, `changed_by`,
`changes_summary`, `sha256`); `domain/archive_tables.py` has their kinds. A row is immutable and belongs to one version of one content, by which
its id is computed: whoever sends it twice sends the same row.
"""

import uuid
from datetime import datetime
from typing import Any, Self

import msgspec

from engarde_daemon.domain.content import Change, Item, sha256_of
from engarde_daemon.domain.records import RecordKey, StorageMetadata, metadata_of

_SNAPSHOTS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:content_snapshots")
SOURCE_SYSTEM = "zerodb"


class ContentSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one content as the archive keeps it; times are UTC."""

    content_id: str
    snapshot_id: str
    tenant_id: str
    brand_id: str
    campaign_space_id: str | None
    user_id: str
    title: str
    content_body: str
    content_type: str
    status: str
    metadata: dict[str, Any]
    ai_generation_metadata: dict[str, Any]
    storage_metadata: dict[str, Any]
    version: int
    version_of: str | None
    snapshot_timestamp: datetime
    content_created_at: datetime
    content_updated_at: datetime
    ingested_at: datetime
    source_system: str = SOURCE_SYSTEM
    deleted_at: datetime | None
    change_type: str
    changed_by: str
    changes_summary: str
    sha256: str

    @classmethod
    def of(cls, item: Item, change: Change, *, body: str, ingested_at: datetime) -> Self:
        """The row of this version of an item."""
        storage = StorageMetadata(size_bytes=item.size_bytes, sha256=item.sha256)
        return cls(
            content_id=item.id,
            snapshot_id=snapshot_id(item.id, item.version),
            tenant_id=item.tenant_id,
            brand_id=item.brand_id,
            campaign_space_id=item.campaign_space_id,
            user_id=item.user_id,
            title=item.title,
            content_body=body,
            content_type=item.content_type,
            status=item.status,
            metadata=metadata_of(item),
            ai_generation_metadata={},
            storage_metadata=msgspec.to_builtins(storage),
            version=item.version,
            version_of=None if item.version == 1 else item.id,
            snapshot_timestamp=item.updated_at,
            content_created_at=item.created_at,
            content_updated_at=item.updated_at,
            ingested_at=ingested_at,
            deleted_at=item.deleted_at,
            change_type=change.type.value,
            changed_by=change.by,
            changes_summary=change.summary,
            sha256=item.sha256,
        )

    @property
    def row(self) -> dict[str, Any]:
        """The same as a row of the table."""
        return msgspec.structs.asdict(self)

    @property
    def key(self) -> RecordKey:
        """The row of ZeroDB that holds the same version."""
        return RecordKey(self.tenant_id, self.content_id, self.version, self.sha256)

    def is_intact(self) -> bool:
        """Whether the body still is the one that was acknowledged."""
        return self.sha256 == sha256_of(self.content_body)


class SnapshotKey(msgspec.Struct, frozen=True):
    """What a comparison needs of a row; `at` is its partition's time."""

    tenant_id: str
    content_id: str
    version: int
    sha256: str
    at: datetime


def snapshot_id(content_id: str, version: int) -> str:
    """The id of the row of this version, the same whoever computes it."""
    return str(uuid.uuid5(_SNAPSHOTS, f"{content_id} {version}"))
