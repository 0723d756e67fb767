"""Content as its users know it.

Owns two rules: the size of an item is the UTF-8 bytes of its body, and a version, once written,
never changes. Whoever needs another state of an item writes another version.
"""

import hashlib
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

PREVIEW_CHARACTERS = 200

_VERSIONS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:content")

BodyName = tuple[str, int]
"""A content's id and the version whose row first carried the body."""


class ContentType(StrEnum):
    """The kinds of content a marketer makes."""

    POST = "post"
    STORY = "story"
    AD = "ad"
    ARTICLE = "article"
    TWEET = "tweet"
    IMAGE = "image"
    VIDEO = "video"
    CAROUSEL = "carousel"
    REEL = "reel"
    DOCUMENT = "document"


class Status(StrEnum):
    """Where an item stands between idea and archive."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ChangeType(StrEnum):
    """What a version did to its item."""

    CREATE = "create"
    UPDATE = "update"
    PUBLISH = "publish"
    ARCHIVE = "archive"
    DELETE = "delete"
    RESTORE = "restore"


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parts of an item that the daemon keeps but never computes with."""

    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item as it stands at one version, without its body.

    `body_version` names the version whose row first carried this body: a change of the title
    alone stages no body again. It is 0 for an item that the platform wrote before the daemon came
    and whose body still lies in its PostgreSQL row. Types and statuses are plain text here, since
    such items may carry others than the daemon accepts today.
    """

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    campaign_space_id: str | None = None
    version: int = 1
    body_version: int = 1
    title: str
    content_type: str
    status: str
    details: Details
    preview: str
    size_bytes: int
    sha256: str
    scheduled_at: datetime | None = None
    published_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def zerodb_id(self) -> str:
        """The id of the ZeroDB row of this version."""
        return record_id(self.id, self.version)

    @property
    def body_name(self) -> BodyName:
        """What the body is called; a body never changes under its name."""
        return self.id, self.body_version


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a version, and what it did."""

    type: ChangeType
    by: str
    summary: str


def record_id(content_id: str, version: int) -> str:
    """The id of the one ZeroDB row that belongs to this version of this content.

    It is computed, so that writing a row twice is recognised without asking anyone; from the text
    of the id, because items of the platform's own may have ids that are no UUIDs.
    """
    if version == 1:
        return content_id
    return str(uuid.uuid5(_VERSIONS, f"{content_id}/{version}"))


def size_of(body: str) -> int:
    """The bytes a body counts against its tenant's plan."""
    return len(body.encode())


def sha256_of(body: str) -> str:
    """The fingerprint by which every store proves that it still holds this body."""
    return hashlib.sha256(body.encode()).hexdigest()


def preview_of(body: str) -> str:
    """What a list shows of a body."""
    return body[:PREVIEW_CHARACTERS]
