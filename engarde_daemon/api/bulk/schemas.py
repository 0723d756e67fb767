"""What is asked of many items at once, and what each of them is answered."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.content.schemas import ContentView, Id, Labels
from engarde_daemon.api.fields import Moment, encoded
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import ContentType, Item, Status
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.ports.content import Filters

ITEMS_MAX = 500

SomeId = Annotated[str, Meta(max_length=100)]
"""What may be an id: whether it is one is answered item by item."""


class BulkFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which items of a brand are meant, as in a list."""

    brand_id: Id | None = None
    content_type: list[ContentType] | None = None
    status: list[Status] | None = None
    campaign_space_id: Id | None = None
    search: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    tags: Labels | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None

    def filters(self) -> Filters:
        """What the library is asked for."""
        return Filters(
            types=[kind.value for kind in self.content_type] if self.content_type else None,
            statuses=[status.value for status in self.status] if self.status else None,
            campaign_space_id=self.campaign_space_id,
            created_from=self.date_from.utc if self.date_from else None,
            created_to=self.date_to.utc if self.date_to else None,
            words=self.search,
            tags=self.tags or None,
        )


class BulkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a bulk create; `partial` says here what it says in the body."""

    partial: bool = False


class BulkTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which items are meant: those of these ids, or all `confirm` items that a filter matches."""

    ids: Annotated[list[SomeId], Meta(min_length=1, max_length=ITEMS_MAX)] | None = None
    filter: BulkFilter | None = None
    confirm: Annotated[int, Meta(ge=0)] | None = None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            Invalid: It is not clear which items are meant, or what shall become of them.
        """
        faults = list(self._faults())
        if faults:
            raise Invalid(faults)

    def _faults(self) -> list[FieldError]:
        faults = []
        if (self.ids is None) == (self.filter is None):
            faults.append(FieldError("ids", "give either `ids` or a `filter`"))
        if self.filter is not None and self.confirm is None:
            faults.append(FieldError("confirm", "is required: how many items the filter matches"))
        return faults


class BulkStatus(BulkTarget, frozen=True, kw_only=True):
    """Another status for many items."""

    status: Status
    scheduled_at: Moment | UnsetType = UNSET

    def patch(self) -> Patch:
        """What becomes of each item."""
        at = self.scheduled_at.utc if isinstance(self.scheduled_at, Moment) else UNSET
        return Patch(status=self.status, scheduled_at=at)


class BulkTags(BulkTarget, frozen=True, kw_only=True):
    """Tags that many items get or lose."""

    add: Labels = []
    remove: Labels = []

    def _faults(self) -> list[FieldError]:
        faults = super()._faults()
        if not self.add and not self.remove:
            faults.append(FieldError("add", "name at least one tag to add or to remove"))
        return faults


class BulkDelete(BulkTarget, frozen=True, kw_only=True):
    """Items to be put into the trash."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it now stands; `changed` is false where there was nothing to do."""

    id: str
    version: int
    status: str
    tags: tuple[str, ...]
    deleted_at: datetime | None
    changed: bool


class RefusedItem(msgspec.Struct, frozen=True, kw_only=True):
    """The problem of one item: which it is, and why it was refused."""

    index: int
    id: str | UnsetType = UNSET
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | UnsetType = UNSET


Refused = Annotated[list[dict[str, Any]], encoded(list[RefusedItem])]


class BulkCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The items that were made, in the order of the request, and why others were not."""

    data: list[ContentView]
    errors: Refused


class BulkChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The items that are as they shall be, and why others are not."""

    data: list[Changed]
    errors: Refused


def changed_of(item: Item, *, is_new: bool) -> Changed:
    """What a client is told of an item that was to be changed."""
    return Changed(
        id=item.id,
        version=item.version,
        status=item.status,
        tags=item.details.tags,
        deleted_at=item.deleted_at,
        changed=is_new,
    )
