"""Pages of a list: which items, from where, and how the next page is asked for.

A cursor names the last item of a page. It is no secret and no permission: it only says after
which place to go on, in a list that the caller may see anyway.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from engarde_daemon.api.content.schemas import (
    ContentPage,
    ContentSummary,
    Id,
    Moment,
    Pagination,
    is_id,
)
from engarde_daemon.domain.content import ContentType, Item, Status
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.ports.content import Filters, Listed, Place

PAGE_MAX = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MICROSECONDS = 253_402_300_799_000_000  # the last second of the year 9999


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list."""

    page: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 1
    page_size: Annotated[int, Meta(ge=1, le=100)] = msgspec.field(default=20, name="pageSize")
    cursor: Annotated[str, Meta(max_length=200)] | None = None
    brand_id: Id | None = None
    content_type: list[ContentType] | None = None
    status: list[Status] | None = None
    campaign_space_id: Id | None = None
    search: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    tags: list[str] | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    include: Literal["body"] | None = None

    def filters(self) -> Filters:
        """Which items are wanted."""
        return Filters(
            types=[kind.value for kind in self.content_type] if self.content_type else None,
            statuses=[status.value for status in self.status] if self.status else None,
            campaign_space_id=self.campaign_space_id,
            created_from=self.date_from,
            created_to=self.date_to,
            words=self.search,
            tags=self.tags or None,
        )

    def place(self) -> Place | None:
        """Where the page starts, if a cursor says so.

        Raises:
            Invalid: The cursor is none of ours.
        """
        return place_of(self.cursor) if self.cursor else None

    @property
    def skip(self) -> int:
        """How many items come before the page."""
        return 0 if self.cursor else (self.page - 1) * self.page_size


def cursor_of(item: Item) -> str:
    """The cursor that goes on after this item."""
    microseconds = (item.created_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}.{item.id}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """The place a cursor names.

    Raises:
        Invalid: The cursor is none of ours.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        microseconds, _, content_id = text.decode("ascii").partition(".")
        after = int(microseconds)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        after, content_id = -1, ""
    if not 0 <= after <= _LATEST_MICROSECONDS or not is_id(content_id):
        raise Invalid([FieldError("cursor", "is not a cursor of this API; start without one")])
    return Place(_EPOCH + timedelta(microseconds=after), content_id)


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
            has_previous=query.page > 1 or query.cursor is not None,
            next_cursor=cursor_of(last) if last else None,
        ),
    )


def query_of(items: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Query parameters by name, in the order they came."""
    grouped: dict[str, list[str]] = {}
    for name, value in items:
        grouped.setdefault(name, []).append(value)
    return grouped
