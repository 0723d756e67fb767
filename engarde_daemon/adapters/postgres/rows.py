"""From rows to what the domain calls them.

The platform keeps time without a zone and means UTC; this is where it gets its zone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from engarde_daemon.domain.content import Change, ChangeType, Details, Item
from engarde_daemon.ports.content import Version

_DETAILS = msgspec.json.Decoder(Details)


def item_of(row: Mapping[str, Any]) -> Item:
    """An item from a row of the SQL type `engarde.item`."""
    return Item(
        id=row["id"],
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        user_id=row["user_id"],
        campaign_space_id=row["campaign_space_id"],
        version=row["version"],
        body_version=row["body_version"] or 0,
        title=row["title"],
        content_type=row["content_type"],
        status=row["status"],
        details=details_of(row["details"]),
        preview=row["preview"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"] or "",
        scheduled_at=row["scheduled_at"],
        published_at=row["published_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )


def version_of(row: Mapping[str, Any]) -> Version:
    """A version from a row of `engarde.content_versions`."""
    item = Item(
        id=row["content_id"],
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        user_id=row["user_id"],
        campaign_space_id=row["campaign_space_id"],
        version=row["version"],
        body_version=row["body_version"],
        title=row["title"],
        content_type=row["content_type"],
        status=row["status"],
        details=details_of(row["details"]),
        preview=row["preview"],
        size_bytes=row["size_bytes"],
        sha256=row["body_sha256"],
        scheduled_at=in_utc(row["scheduled_at"]),
        published_at=in_utc(row["published_at"]),
        created_at=utc(row["content_created_at"]),
        updated_at=utc(row["created_at"]),
        deleted_at=in_utc(row["deleted_at"]),
    )
    change = Change(
        type=ChangeType(row["change_type"]), by=row["changed_by"], summary=row["changes_summary"]
    )
    return Version(item=item, change=change)


def details_of(text: str | None) -> Details:
    """The details of an item, also of one that the platform wrote in a shape of its own."""
    if not text:
        return Details()
    try:
        return _DETAILS.decode(text)
    except msgspec.ValidationError:
        kept = msgspec.json.decode(text)
        return Details(metadata=kept if isinstance(kept, dict) else {"value": kept})


def utc(moment: datetime) -> datetime:
    """A moment that PostgreSQL gave without a zone."""
    return moment.replace(tzinfo=UTC)


def in_utc(moment: datetime | None) -> datetime | None:
    """The same for a moment that may be missing."""
    return utc(moment) if moment else None


def naive(moment: datetime | None) -> datetime | None:
    """A moment as the platform's columns hold it."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
