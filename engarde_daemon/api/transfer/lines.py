"""The lines of an export: one item each, and a last one that proves the others.

Owns the format, `application/x-ndjson`: a file without its last line, or whose lines do not have
the checksum that the last one names, was cut off or damaged.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from engarde_daemon.api.content.schemas import ContentCreate
from engarde_daemon.api.fields import Moment
from engarde_daemon.domain.content import Item, sha256_of, size_of
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.domain.transfer import Parcel

MEDIA_TYPE = "application/x-ndjson"

_JSON = msgspec.json.Encoder()


class ExportedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item, with everything that an import takes in."""

    id: str
    brand_id: str
    campaign_space_id: str | None
    user_id: str
    title: str
    body: str
    type: str
    status: str
    platforms: tuple[str, ...]
    tags: tuple[str, ...]
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    media: tuple[str, ...]
    metadata: dict[str, Any]
    scheduled_at: datetime | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    size_bytes: int
    sha256: str


class LastLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands below the items: how many they are, and the SHA-256 of all their lines."""

    complete: bool = True
    items: int
    sha256: str


class ImportedItem(ContentCreate, frozen=True, kw_only=True):
    """One line of an import: what a create takes, and what an export adds to it.

    `id` is what the item is called where it comes from; it needs not be one of ours.
    """

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    created_at: Moment | None = None
    updated_at: Moment | None = None
    published_at: Moment | None = None
    user_id: str | None = None
    version: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None

    def parcel(self, *, keeps_space: bool) -> Parcel:
        """What the domain makes of it.

        Raises:
            Invalid: The body is not the one that the checksum was made of.
        """
        if self.sha256 is not None and self.sha256 != sha256_of(self.body):
            raise Invalid([FieldError("sha256", "is not that of the body: the line was damaged")])
        draft = self.draft()
        if not keeps_space:
            draft = msgspec.structs.replace(draft, campaign_space_id=None)
        return Parcel(
            source_id=self.id,
            draft=draft,
            created_at=self.created_at.utc if self.created_at else None,
            published_at=self.published_at.utc if self.published_at else None,
        )


def line_of(item: Item, body: str) -> bytes:
    """The line of an item."""
    details = item.details
    exported = ExportedItem(
        id=item.id,
        brand_id=item.brand_id,
        campaign_space_id=item.campaign_space_id,
        user_id=item.user_id,
        title=item.title,
        body=body,
        type=item.content_type,
        status=item.status,
        platforms=details.platforms,
        tags=details.tags,
        hashtags=details.hashtags,
        mentions=details.mentions,
        media=details.media,
        metadata=details.metadata,
        scheduled_at=item.scheduled_at,
        published_at=item.published_at,
        created_at=item.created_at,
        updated_at=item.updated_at,
        version=item.version,
        size_bytes=item.size_bytes if item.sha256 else size_of(body),
        sha256=item.sha256 or sha256_of(body),
    )
    return _JSON.encode(exported) + b"\n"


def last_line(items: int, sha256: str) -> bytes:
    """The line that proves the others."""
    return _JSON.encode(LastLine(items=items, sha256=sha256)) + b"\n"


def read_last_line(line: bytes) -> LastLine | None:
    """The last line of an export, if this is one."""
    if not line.startswith(b'{"complete":'):
        return None
    try:
        return msgspec.json.decode(line, type=LastLine)
    except ValueError:  # no such document, or no UTF-8
        return None
