"""Pages of a list: which items, from where, and how the next page is asked for.

A cursor names the last item of a page. It is no secret and no permission: it only says after
which place to go on, in a list that the caller may see anyway.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta

from engarde_daemon.api.content.schemas import (
    ContentPage,
    ContentSummary,
    Id,
    Pagination,
    is_id,
)
from engarde_daemon.api.fields import Moment, Parsed
from engarde_daemon.domain.content import ContentType, Item, Status
from engarde_daemon.ports.content import Filters, Listed, Place

PAGE_MAX = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MICROSECONDS = 253_402_300_799_000_000  # the last second of the year 9999


class Cursor(Parsed):
    """The place after which a page starts; an empty one is the start of the list."""

    __slots__ = ("place",)

    def __init__(self, place: Place | None) -> None:
        self.place = place

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        place = _place_of(str(value)) if value else None
        if value and place is None:
            raise ValueError("is not a cursor of this API; start without one")
        return cls(place)


def _place_of(cursor: str) -> Place | None:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        microseconds, _, content_id = text.decode("ascii").partition(".")
        after = int(microseconds)
    except ValueError:
        return None
    if not 0 <= after <= _LATEST_MICROSECONDS or not is_id(content_id):
        return None
    return Place(_EPOCH + timedelta(microseconds=after), content_id)


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list."""

    page: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 1
    page_size: Annotated[int, Meta(ge=1, le=100)] = msgspec.field(default=20, name="pageSize")
    cursor: Cursor | None = None
    brand_id: Id | None = None
    content_type: list[ContentType] | None = None
    status: list[Status] | None = None
    campaign_space_id: Id | None = None
    search: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    tags: list[str] | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    include: Literal["body"] | None = None
    trashed: bool = False

    def filters(self) -> Filters:
        """Which items are wanted."""
        return Filters(
            types=[kind.value for kind in self.content_type] if self.content_type else None,
            statuses=[status.value for status in self.status] if self.status else None,
            campaign_space_id=self.campaign_space_id,
            created_from=self.date_from.utc if self.date_from else None,
            created_to=self.date_to.utc if self.date_to else None,
            words=self.search,
            tags=self.tags or None,
        )

    @property
    def place(self) -> Place | None:
        """Where the page starts, if a cursor says so."""
        return self.cursor.place if self.cursor else None

    @property
    def skip(self) -> int:
        """How many items come before the page."""
        return 0 if self.place else (self.page - 1) * self.page_size


class DeleteQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a delete: into the trash, or for good."""

    permanent: bool = False


def cursor_of(item: Item) -> str:
    """The cursor that goes on after this item; a list of the trash is ordered by its deletion."""
    microseconds = ((item.deleted_at or item.created_at) - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}.{item.id}".encode()).decode().rstrip("=")


def page_of(
    query: ListQuery, listed: Listed, summaries: list[ContentSummary], *, cap: int
) -> ContentPage:
    """The answer to a list query, of whose items one more than wanted was asked for."""
    capped = listed.total > cap
    total = cap if capped else listed.total
    has_next = len(listed.items) > query.page_size
    last = listed.items[query.page_size - 1] if has_next else None
    return ContentPage(
        data=summaries,
        pagination=Pagination(
            page=query.page,
            page_size=query.page_size,
            total=total,
            total_is_capped=True if capped else UNSET,
            total_pages=-(-total // query.page_size),
            has_next=has_next,
            has_previous=query.page > 1 or query.place is not None,
            next_cursor=cursor_of(last) if last else None,
        ),
    )


def query_of(query_string: bytes) -> Mapping[str, list[str]]:
    """Query parameters by name, in the order they came; bytes that are no UTF-8 stay visible."""
    text = query_string.decode(errors="surrogateescape")
    grouped: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        grouped.setdefault(name, []).append(value)
    return grouped
