"""Rows of ZeroDB's `content_items` and `content_versions`, as the platform's architecture has them.

Owns the shape of what every body store holds, whatever its dialect. A row is immutable: it
belongs to one version of one content, and its `sha256` proves its body. Each version has one row
in either collection: the content as it was, and what the version changed.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, Self

import msgspec

from engarde_daemon.domain.content import Change, Item, record_id, sha256_of, size_of
from engarde_daemon.domain.history import Comparison, Patch, Snapshot

_HISTORY = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:content_versions")


class Row(Protocol):
    """What the rows of both collections have in common: whose they are, and their proof."""

    @property
    def id(self) -> str:
        """The id of the row."""

    @property
    def tenant_id(self) -> str:
        """Whose it is."""

    @property
    def content_id(self) -> str:
        """The content it is a version of."""

    @property
    def version(self) -> int:
        """The version."""

    @property
    def sha256(self) -> str:
        """The fingerprint of its body."""

    @property
    def created_at(self) -> datetime:
        """When what it describes began."""

    def is_intact(self) -> bool:
        """Whether the body still is the one that was acknowledged."""


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

    @property
    def sha256(self) -> str:
        """The fingerprint of the body."""
        return self.storage_metadata.sha256

    def is_intact(self) -> bool:
        """Whether the body still is the one that was acknowledged."""
        return self.storage_metadata.size_bytes == size_of(
            self.content_body
        ) and self.storage_metadata.sha256 == sha256_of(self.content_body)


class VersionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of one content changed, with its full state, as a ZeroDB row."""

    id: str
    content_id: str
    tenant_id: str
    version_number: int
    changed_by_user_id: str
    change_type: str
    content_snapshot: Snapshot
    changes_summary: str
    diff_from_previous: Patch | None
    sha256: str
    created_at: datetime

    @property
    def version(self) -> int:
        """The version, by the name it has elsewhere."""
        return self.version_number

    def is_intact(self) -> bool:
        """Whether the body still is the one that was acknowledged."""
        return self.sha256 == sha256_of(self.content_snapshot.content_body)


class RecordKey(msgspec.Struct, frozen=True):
    """Which row is wanted, and everything its answer is checked against."""

    tenant_id: str
    content_id: str
    version: int
    sha256: str

    @classmethod
    def of(cls, item: Item) -> Self:
        """The key of the rows that belong to this version of an item."""
        return cls(item.tenant_id, item.id, item.version, item.sha256)

    @property
    def id(self) -> str:
        """The id of the row in `content_items`."""
        return record_id(self.content_id, self.version)

    @property
    def history_id(self) -> str:
        """The id of the row in `content_versions`."""
        return history_id(self.id)

    def matches(self, row: Row) -> bool:
        """Whether the store answered with the row that was asked for, unharmed."""
        return (
            row.tenant_id == self.tenant_id
            and row.content_id == self.content_id
            and row.version == self.version
            and row.sha256 == self.sha256
            and row.is_intact()
        )


class Standing(msgspec.Struct, frozen=True):
    """What stands under one id of a body store: readable rows, and how many are not."""

    rows: Sequence[ContentRecord] = ()
    unreadable: int = 0


def history_id(row_id: str) -> str:
    """The id in `content_versions` of the version whose row in `content_items` has this id.

    It follows from the other alone, so that whoever removes the one can remove both.
    """
    return str(uuid.uuid5(_HISTORY, row_id))


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
        metadata=metadata_of(item),
        storage_metadata=StorageMetadata(size_bytes=item.size_bytes, sha256=item.sha256),
        version=item.version,
        version_of=None if item.version == 1 else item.id,
        created_at=item.created_at,
        updated_at=item.updated_at,
        deleted_at=item.deleted_at,
    )


def version_record_of(
    record: ContentRecord, change: Change, *, snapshot: Snapshot, compared: Comparison
) -> VersionRecord:
    """The row that tells what this version of a content changed."""
    return VersionRecord(
        id=history_id(record.id),
        content_id=record.content_id,
        tenant_id=record.tenant_id,
        version_number=record.version,
        changed_by_user_id=change.by,
        change_type=change.type.value,
        content_snapshot=snapshot,
        changes_summary=compared.summary,
        diff_from_previous=compared.patch,
        sha256=record.sha256,
        created_at=record.updated_at,
    )


def metadata_of(item: Item) -> dict[str, Any]:
    """What ZeroDB and the archive keep of an item beside its columns."""
    details: dict[str, Any] = msgspec.to_builtins(item.details)
    for name in ("scheduled_at", "published_at"):
        moment = getattr(item, name)
        if moment is not None:
            details[name] = moment.isoformat()
    return details
