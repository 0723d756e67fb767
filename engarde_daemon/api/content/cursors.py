"""Cursors of content lists: which list they belong to, and after which item the next page starts.

A cursor is no secret and no permission: it only says where to go on, in a list that the caller may
see anyway. Owns the check that what comes back fits its list, so that no forged one reaches SQL.
"""

import base64
import struct
from datetime import UTC, datetime, timedelta
from typing import Self

import msgspec

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.fields import CursorText, Parsed
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.lists import Sort, SortedPlace

TRASH = "trash"
"""The order of the trash: by deletion, the last first."""
LIKENESS = "semantic"
"""The order of a search by meaning: by likeness, the likest first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSON = msgspec.json.Encoder()
_RANK = struct.Struct("<f")  # PostgreSQL's `real`
_RANKED = {Sort.RELEVANCE, LIKENESS}
_BY_MOMENT = {"created_at", "updated_at", TRASH, *_RANKED}


class _Written(msgspec.Struct, array_like=True, frozen=True):
    order: str
    content_id: Id
    at_us: int | None = None
    key: str | None = None


class Cursor(Parsed):
    """The place after which a page starts; an empty one is the start of the list."""

    __slots__ = ("order", "place")
    written = CursorText

    def __init__(self, order: str, place: SortedPlace | None) -> None:
        self.order = order
        self.place = place

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        if not value:
            return cls("", None)
        try:
            text = str(value)
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            written = msgspec.json.decode(raw, type=_Written)
            return cls(written.order, _place_of(written))
        except (ValueError, OverflowError):
            raise ValueError("is not a cursor of this API; start without one") from None


def cursor_after(item: Item, order: str, rank: float | None) -> str:
    """The cursor that goes on after this item in a list of this order."""
    at, key = _keys_of(item, order, rank)
    at_us = None if at is None else (at - _EPOCH) // _MICROSECOND
    text = _JSON.encode(_Written(order, item.id, at_us, key))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _keys_of(item: Item, order: str, rank: float | None) -> tuple[datetime | None, str | None]:
    match order.removeprefix("-"):
        case "title":
            return None, item.title
        case "updated_at":
            return item.updated_at, None
        case "scheduled_at":
            return item.scheduled_at, None
        case ranked if ranked in _RANKED:
            return item.created_at, repr(rank)
        case _:
            return item.deleted_at or item.created_at, None


def _place_of(written: _Written) -> SortedPlace:
    """The place that a cursor names.

    Raises:
        ValueError: It lacks what its order sorts by, or has something else.
        OverflowError: Its moment or rank is none.
    """
    sorted_by, key, at_us = written.order.removeprefix("-"), written.key, written.at_us
    has_key = sorted_by in {"title", *_RANKED}
    has_moment = sorted_by in _BY_MOMENT or (sorted_by == "scheduled_at" and at_us is not None)
    if (key is not None, at_us is not None) != (has_key, has_moment) or "\0" in (key or ""):
        raise ValueError(written)
    if sorted_by in _RANKED:
        (rank,) = _RANK.unpack(_RANK.pack(float(key or 0)))
        key = repr(rank)
    at = None if at_us is None else _EPOCH + at_us * _MICROSECOND
    return SortedPlace(content_id=written.content_id, at=at, key=key)
