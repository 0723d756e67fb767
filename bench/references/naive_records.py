"""The documents of the naive flow, and how they are merged with the rows of PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from bench.references import shapes

PREVIEW_CHARACTERS = 200
_LISTS = ("platforms", "tags", "hashtags", "mentions", "media")

Record = dict[str, Any]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as three reads found out."""

    user_id: str
    brand_id: str
    tenant_id: str


def new_record(new: shapes.Create, caller: Caller, size_bytes: int) -> Record:
    """The document of a new item."""
    now = datetime.now(UTC)
    metadata = {name: getattr(new, name) for name in _LISTS}
    return {
        "id": str(uuid4()),
        "tenant_id": caller.tenant_id,
        "brand_id": caller.brand_id,
        "user_id": caller.user_id,
        "title": new.title,
        "content_body": new.body,
        "content_type": new.type,
        "status": new.status,
        "metadata": {**metadata, "scheduled_at": new.scheduled_at, "custom": new.metadata},
        "storage_metadata": {"size_bytes": size_bytes},
        "version": 1,
        "bigquery_synced": False,
        "created_at": now,
        "updated_at": now,
    }


def snapshot(row: Mapping[str, Any], record: Record) -> Record:
    """The document of the version that a change is about to replace."""
    return {
        "id": str(uuid4()),
        "content_id": row["id"],
        "version": row["version"],
        "content_snapshot": record,
        "changed_by": row["user_id"],
        "change_type": "update",
        "created_at": datetime.now(UTC),
    }


def merged(record: Record, change: shapes.Change) -> Record:
    """What a change writes into the document."""
    body = record["content_body"] if change.body is None else change.body
    tags = record["metadata"]["tags"] if change.tags is None else change.tags
    return {
        "title": record["title"] if change.title is None else change.title,
        "content_body": body,
        "status": record["status"] if change.status is None else change.status,
        "metadata": {"tags": tags},
        "storage_metadata": {"size_bytes": len(body.encode())},
        "updated_at": datetime.now(UTC),
    }


def item(row: Mapping[str, Any], record: Record) -> shapes.Item:
    """One whole item, from its row and its document."""
    metadata = record["metadata"]
    return shapes.Item(
        id=row["id"],
        title=row["title"],
        body=record["content_body"],
        type=row["content_type"],
        status=row["status"],
        **{name: metadata[name] for name in _LISTS},
        scheduled_at=metadata["scheduled_at"],
        metadata=metadata["custom"],
        storage=shapes.Storage(
            size_bytes=row["storage_size_bytes"],
            zerodb_id=row["zerodb_id"],
            bigquery_backed_up=row["bigquery_backed_up"],
        ),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def listed(row: Mapping[str, Any], record: Record) -> shapes.Row:
    """One line of a page, from its row and its document."""
    return shapes.Row(
        id=row["id"],
        title=row["title"],
        type=row["content_type"],
        status=row["status"],
        platforms=record["metadata"]["platforms"],
        preview=record["content_body"][:PREVIEW_CHARACTERS],
        thumbnail_url=None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        body=record["content_body"],
    )
