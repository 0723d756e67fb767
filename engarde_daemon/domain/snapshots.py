"""Rows of the archive: what the disaster-recovery and analytics copy holds of each version.

Owns the columns of `content_snapshots`: the platform's own, as its architecture page has them, and
those that a restore of PostgreSQL needs besides (`deleted_at`, `change_type`, `changed_by`,
`changes_summary`, `sha256`). A row is immutable and belongs to one version of one content, by which
its id is computed: whoever sends it twice sends the same row.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import RecordKey

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
