"""The requests and answers of the content API, field for field as the platform defines them.

Both references decode and encode through these, so that neither gains by answering less.
"""

from datetime import datetime
from uuid import UUID

import msgspec


class Create(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/content`."""

    title: str
    body: str
    type: str = "post"
    status: str = "draft"
    platforms: list[str] = []
    tags: list[str] = []
    hashtags: list[str] = []
    mentions: list[str] = []
    media: list[str] = []
    scheduled_at: datetime | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PATCH /api/content/{id}`."""

    title: str | None = None
    body: str | None = None
    status: str | None = None
    tags: list[str] | None = None


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item's body lies."""

    size_bytes: int
    zerodb_id: str
    bigquery_backed_up: bool = False


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an item's history."""

    version: int
    created_at: datetime
    changed_by: str
    change_type: str


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One whole item, as create and get answer it; only get tells the history."""

    id: UUID | str
    title: str
    body: str
    type: str
    status: str
    platforms: list[str]
    tags: list[str]
    hashtags: list[str]
    mentions: list[str]
    media: list[str]
    scheduled_at: datetime | None
    metadata: msgspec.Raw
    storage: Storage
    versions: list[Version] | msgspec.UnsetType = msgspec.UNSET
    created_at: datetime
    updated_at: datetime
    version: int


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a change."""

    id: UUID | str
    title: str
    body: str
    status: str
    version: int
    updated_at: datetime


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list page."""

    id: UUID | str
    title: str
    type: str
    status: str
    platforms: list[str]
    preview: str
    thumbnail_url: str | None
    created_at: datetime
    updated_at: datetime
    body: str | msgspec.UnsetType = msgspec.UNSET


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands in its list."""

    page: int
    page_size: int = msgspec.field(name="pageSize")
    total: int
    total_pages: int = msgspec.field(name="totalPages")
    has_next: bool = msgspec.field(name="hasNext")
    has_previous: bool = msgspec.field(name="hasPrevious")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the list."""

    data: list[Row]
    pagination: Pagination


def pagination(page: int, page_size: int, total: int) -> Pagination:
    """Work out where `page` stands among `total` items."""
    return Pagination(
        page=page,
        page_size=page_size,
        total=total,
        total_pages=-(-total // page_size),
        has_next=page * page_size < total,
        has_previous=page > 1,
    )
