"""Rows of ZeroDB's `content_items` collection, as the platform's architecture defines them.

Owns the shape of what every body store holds, whatever its dialect. A row is immutable: it
belongs to one version of one content, and its `sha256` proves its body.
"""

from datetime import datetime
from typing import Any

import msgspec

from engarde_daemon.domain.content import Item, record_id, sha256_of, size_of


class StorageMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """How a body is stored, and the fingerprint that proves it."""

    size_bytes: int
    sha256: str
    mime_type: str = "text/plain"
    encoding: str = "utf-8"


class ContentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one content with its body, as a ZeroDB row."""

    id: str
    tenant_id: str
    brand_id: str
    campaign_space_id: str | None
    user_id: str
    title: str
    content_body: str
    content_type: str
    status: str
    metadata: dict[str, Any]
    ai_generation_metadata: dict[str, Any] = {}
    storage_metadata: StorageMetadata
    version: int
    version_of: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def content_id(self) -> str:
        """The content this row is a version of."""
        return self.version_of or self.id

    def is_intact(self) -> bool:
        """Whether the body still is the one that was acknowledged."""
        return self.storage_metadata.size_bytes == size_of(
            self.content_body
        ) and self.storage_metadata.sha256 == sha256_of(self.content_body)


class RecordKey(msgspec.Struct, frozen=True):
    """Which row is wanted, and everything its answer is checked against."""

    tenant_id: str
    content_id: str
    version: int
    sha256: str

    @property
    def id(self) -> str:
        """The id of the row in the store."""
        return record_id(self.content_id, self.version)

    def matches(self, record: ContentRecord) -> bool:
        """Whether the store answered with the row that was asked for, unharmed."""
        return (
            record.tenant_id == self.tenant_id
            and record.content_id == self.content_id
            and record.version == self.version
            and record.storage_metadata.sha256 == self.sha256
            and record.is_intact()
        )


def record_of(item: Item, body: str) -> ContentRecord:
    """The row that this version of an item becomes."""
    return ContentRecord(
        id=record_id(item.id, item.version),
        tenant_id=item.tenant_id,
        brand_id=item.brand_id,
        campaign_space_id=item.campaign_space_id,
        user_id=item.user_id,
        title=item.title,
        content_body=body,
        content_type=item.content_type,
        status=item.status,
        metadata=_metadata_of(item),
        storage_metadata=StorageMetadata(size_bytes=item.size_bytes, sha256=item.sha256),
        version=item.version,
        version_of=None if item.version == 1 else item.id,
        created_at=item.created_at,
        updated_at=item.updated_at,
        deleted_at=item.deleted_at,
    )


def _metadata_of(item: Item) -> dict[str, Any]:
    details: dict[str, Any] = msgspec.to_builtins(item.details)
    for name in ("scheduled_at", "published_at"):
        moment = getattr(item, name)
        if moment is not None:
            details[name] = moment.isoformat()
    return details
