"""Pages of a list: which items, in which order, and how the next page is asked for."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta

from engarde_daemon.api.content.cursors import LIKENESS, TRASH, Cursor, cursor_after
from engarde_daemon.api.content.schemas import ContentPage, ContentSummary, Id, Pagination
from engarde_daemon.api.fields import Moment
from engarde_daemon.domain.content import ContentType, Status
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.ports.content import Filters, Listed
from engarde_daemon.ports.lists import Sort, SortedPlace

REACH_MAX = 100_000
"""How many items of a list can be reached by a page's number: all before it are read for it."""

_TOO_DEEP = f"numbers reach the first {REACH_MAX:,} items; go on with `cursor`"

SearchMode: TypeAlias = Literal["words", "semantic"]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list."""

    page: Annotated[int, Meta(ge=1, le=REACH_MAX)] = 1
    page_size: Annotated[int, Meta(ge=1, le=100)] = msgspec.field(default=20, name="pageSize")
    cursor: Cursor | None = None
    brand_id: Id | None = None
    content_type: list[ContentType] | None = None
    status: list[Status] | None = None
    campaign_space_id: Id | None = None
    search: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    search_mode: SearchMode = "words"
    tags: list[str] | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    include: Literal["body"] | None = None
    sort: Sort | None = None
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
    def order(self) -> Sort:
        """How the list is sorted: what is searched for by relevance, all else the newest first."""
        return self.sort or (Sort.RELEVANCE if self.search else Sort.NEWEST)

    @property
    def is_by_meaning(self) -> bool:
        """Whether what is like the search is wanted, whatever its words."""
        return self.search_mode == LIKENESS

    @property
    def list_name(self) -> str:
        """To which list a cursor belongs."""
        if self.trashed:
            return TRASH
        return LIKENESS if self.is_by_meaning else self.order.value

    @property
    def place(self) -> SortedPlace | None:
        """Where the page starts, if a cursor says so."""
        return self.cursor.place if self.cursor else None

    @property
    def skip(self) -> int:
        """How many items come before the page."""
        return 0 if self.place else (self.page - 1) * self.page_size

    def check(self) -> None:
        """Refuse parameters that do not go together.

        Raises:
            Invalid: There is nothing to be relevant to, the cursor is another list's, or the page
                lies too deep to be reached by its number.
        """
        faults = []
        if self.place is None and self.page * self.page_size > REACH_MAX:
            faults.append(FieldError("page", _TOO_DEEP))
        if self.sort is Sort.RELEVANCE and not self.search:
            faults.append(FieldError("sort", "by relevance needs `search`"))
        if self.is_by_meaning and (self.trashed or self.order is not Sort.RELEVANCE):
            reason = "'semantic' needs `search`, sorts by likeness and leaves the trash alone"
            faults.append(FieldError("search_mode", reason))
        if self.cursor and self.cursor.place and self.cursor.order != self.list_name:
            faults.append(FieldError("cursor", "belongs to a list of another order"))
        if faults:
            raise Invalid(faults)


class DeleteQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a delete: into the trash, or for good."""

    permanent: bool = False


def page_of(query: ListQuery, listed: Listed, summaries: list[ContentSummary]) -> ContentPage:
    """The answer to a list query, of whose items one more than wanted was asked for."""
    has_next = len(listed.items) > query.page_size
    last = query.page_size - 1
    return ContentPage(
        data=summaries,
        pagination=Pagination(
            page=query.page,
            page_size=query.page_size,
            total=listed.total,
            total_is_capped=True if listed.is_capped else UNSET,
            total_pages=-(-listed.total // query.page_size),
            has_next=has_next,
            has_previous=query.page > 1 or query.place is not None,
            next_cursor=cursor_after(listed.items[last], query.list_name, listed.ranks[last])
            if has_next
            else None,
        ),
    )


def query_of(query_string: bytes) -> Mapping[str, list[str]]:
    """Query parameters by name, in the order they came; bytes that are no UTF-8 stay visible."""
    text = query_string.decode(errors="surrogateescape")
    grouped: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        grouped.setdefault(name, []).append(value)
    return grouped
