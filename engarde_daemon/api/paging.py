"""Pages of lists that are ordered by a moment and an id, the newest first.

A cursor names the last thing of a page. It is no permission: it only says after which place to go
on, in a list that the caller may see anyway.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, Self, TypeVar

import msgspec
from msgspec import Meta

from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.fields import CursorText, Parsed
from engarde_daemon.ports.content import Place

PageSize = Annotated[int, Meta(ge=1, le=100)]

V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MICROSECONDS = 253_402_300_799_000_000  # the last second of the year 9999


class Mark(Parsed):
    """The place after which a page starts; an empty one is the start of the list."""

    __slots__ = ("place",)
    written = CursorText

    def __init__(self, place: Place | None) -> None:
        self.place = place

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        place = _read(str(value)) if value else None
        if value and place is None:
            raise ValueError("is not a cursor of this API; start without one")
        return cls(place)


class Onward(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to go on after a page."""

    page_size: int
    has_next: bool
    next_cursor: str | None


class Page(msgspec.Struct, Generic[V], frozen=True, kw_only=True):
    """A page of a list."""

    data: list[V]
    pagination: Onward


def page_of(views: Sequence[V], place_of: Callable[[V], Place], *, size: int) -> Page[V]:
    """A page out of its views, of which one more than `size` was asked for."""
    data = list(views[:size])
    has_next = len(views) > size
    next_cursor = _written(place_of(data[-1])) if has_next else None
    return Page(
        data=data,
        pagination=Onward(page_size=size, has_next=has_next, next_cursor=next_cursor),
    )


def _written(place: Place) -> str:
    microseconds = (place.created_at - _EPOCH) // timedelta(microseconds=1)
    text = f"{microseconds}.{place.content_id}".encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read(cursor: str) -> Place | None:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        microseconds, _, id_ = text.decode("ascii").partition(".")
        after = int(microseconds)
    except ValueError:
        return None
    if not 0 <= after <= _LATEST_MICROSECONDS or not is_id(id_):
        return None
    return Place(_EPOCH + timedelta(microseconds=after), id_)
