"""What content looks like on the wire, as Content Studio knows it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.fields import Moment, encoded
from engarde_daemon.domain.changes import Draft, Patch
from engarde_daemon.domain.content import ChangeType, ContentType, Details, Item, Status

# `(?!\n)`, because `$` alone also matches before a newline at the end.
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,36}(?!\n)$")]
Title = Annotated[str, Meta(min_length=1, max_length=255)]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
Labels = Annotated[list[Label], Meta(max_length=100)]
MediaIds = Annotated[list[Id], Meta(max_length=100)]
Metadata = dict[str, Any]


class ContentCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new item."""

    title: Title
    body: str
    type: ContentType = ContentType.POST
    status: Status = Status.DRAFT
    platforms: Labels = []
    tags: Labels = []
    hashtags: Labels = []
    mentions: Labels = []
    media: MediaIds = []
    scheduled_at: Moment | None = None
    metadata: Metadata = {}
    campaign_space_id: Id | None = None
    brand_id: Id | None = None

    def draft(self) -> Draft:
        """What the domain makes of it."""
        return Draft(
            title=self.title,
            body=self.body,
            content_type=self.type,
            status=self.status,
            details=Details(
                platforms=tuple(self.platforms),
                tags=tuple(self.tags),
                hashtags=tuple(self.hashtags),
                mentions=tuple(self.mentions),
                media=tuple(self.media),
                metadata=self.metadata,
            ),
            campaign_space_id=self.campaign_space_id,
            scheduled_at=self.scheduled_at.utc if self.scheduled_at else None,
        )


class ContentPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of an item that shall change."""

    title: Title | UnsetType = UNSET
    body: str | UnsetType = UNSET
    type: ContentType | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    platforms: Labels | UnsetType = UNSET
    tags: Labels | UnsetType = UNSET
    hashtags: Labels | UnsetType = UNSET
    mentions: Labels | UnsetType = UNSET
    media: MediaIds | UnsetType = UNSET
    scheduled_at: Moment | None | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    campaign_space_id: Id | None | UnsetType = UNSET

    def patch(self) -> Patch:
        """What the domain makes of it."""
        given: dict[str, Any] = {
            name: _plain(value)
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }
        if "type" in given:
            given["content_type"] = given.pop("type")
        return Patch(**given)


def _plain(value: Any) -> Any:
    if isinstance(value, Moment):
        return value.utc
    return tuple(value) if isinstance(value, list) else value


class StorageView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an item is stored, and how much it counts."""

    size_bytes: int
    zerodb_id: str
    bigquery_backed_up: bool = msgspec.field(default_factory=lambda: False)
    bigquery_last_sync_at: datetime | None = None


class VersionNote(msgspec.Struct, frozen=True, kw_only=True):
    """One version in an item's history, of which the last hundred are told."""

    version: int
    created_at: datetime
    changed_by: str
    change_type: ChangeType


class StoredId(msgspec.Struct, frozen=True):
    """Something that is named by its id alone."""

    id: str


class ContentView(msgspec.Struct, frozen=True, kw_only=True):
    """One item with its body; `versions` is told where one item is read."""

    id: str
    brand_id: str
    campaign_space_id: str | None
    title: str
    body: str
    type: str
    status: str
    platforms: tuple[str, ...]
    tags: tuple[str, ...]
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    media: Sequence[str | StoredId]
    scheduled_at: datetime | None
    published_at: datetime | None
    metadata: dict[str, Any]
    storage: StorageView
    versions: Annotated[msgspec.Raw, encoded(list[VersionNote])] | UnsetType = UNSET
    created_at: datetime
    updated_at: datetime
    version: int


class ContentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One item in a list."""

    id: str
    brand_id: str
    campaign_space_id: str | None
    title: str
    type: str
    status: str
    platforms: tuple[str, ...]
    tags: tuple[str, ...]
    preview: str
    highlight: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    thumbnail_url: str | None = None
    scheduled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class Pagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a page lies in its list; `total` is exact unless `total_is_capped`."""

    page: int
    page_size: int
    total: int
    total_is_capped: bool | UnsetType = UNSET
    total_pages: int
    has_next: bool
    has_previous: bool
    next_cursor: str | None


class ContentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list."""

    data: list[ContentSummary]
    pagination: Pagination


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delete."""

    message: str
    id: str
    deleted_at: datetime


def view_of(
    item: Item,
    body: str,
    *,
    backed_up: bool = False,
    backed_up_at: datetime | None = None,
    versions: msgspec.Raw | UnsetType = UNSET,
    media: Sequence[StoredId] | None = None,
) -> ContentView:
    """One item as a client sees it."""
    details = item.details
    return ContentView(
        id=item.id,
        brand_id=item.brand_id,
        campaign_space_id=item.campaign_space_id,
        title=item.title,
        body=body,
        type=item.content_type,
        status=item.status,
        platforms=details.platforms,
        tags=details.tags,
        hashtags=details.hashtags,
        mentions=details.mentions,
        media=details.media if media is None else media,
        scheduled_at=item.scheduled_at,
        published_at=item.published_at,
        metadata=details.metadata,
        storage=StorageView(
            size_bytes=item.size_bytes,
            zerodb_id=item.zerodb_id,
            bigquery_backed_up=backed_up,
            bigquery_last_sync_at=backed_up_at,
        ),
        versions=versions,
        created_at=item.created_at,
        updated_at=item.updated_at,
        version=item.version,
    )


def summary_of(
    item: Item, body: str | UnsetType = UNSET, highlight: str | UnsetType = UNSET
) -> ContentSummary:
    """One item as a list shows it."""
    return ContentSummary(
        id=item.id,
        brand_id=item.brand_id,
        campaign_space_id=item.campaign_space_id,
        title=item.title,
        type=item.content_type,
        status=item.status,
        platforms=item.details.platforms,
        tags=item.details.tags,
        preview=item.preview,
        highlight=highlight,
        body=body,
        scheduled_at=item.scheduled_at,
        created_at=item.created_at,
        updated_at=item.updated_at,
        version=item.version,
    )


def is_id(text: str) -> bool:
    """Whether a text can be an id at all."""
    try:
        msgspec.convert(text, Id)
    except msgspec.ValidationError:
        return False
    return True
