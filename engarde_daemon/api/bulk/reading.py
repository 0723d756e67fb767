"""From the bytes of a bulk create to its items, each checked for itself.

The whole is read once to find where its items lie, and each item once, so that a fault in one is
named as in a request of its own.
"""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from engarde_daemon.api.bulk.schemas import ITEMS_MAX
from engarde_daemon.api.content.schemas import ContentCreate
from engarde_daemon.api.decoding import bound_values, decode_json
from engarde_daemon.domain.errors import FieldError, Invalid, Malformed

T = TypeVar("T")


class Bulk(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True):
    """Up to 500 new items, all or none; with `partial` each for itself."""

    items: Annotated[list[T], Meta(min_length=1, max_length=ITEMS_MAX)]
    partial: bool = False


class BulkCreate(msgspec.Struct, frozen=True):
    """A bulk create: its good items and the faults of the others, both by place."""

    wishes: dict[int, ContentCreate]
    faults: dict[int, Invalid]
    partial: bool


def read_bulk_create(raw: bytes, *, partial: bool = False) -> BulkCreate:
    """Read a bulk create, which is `partial` if its query or its body says so.

    Raises:
        Malformed: It is no JSON document, nested too deeply, or of too many values.
        Invalid: It has no items, too many of them, or fields that are not known.
    """
    bound_values(raw)
    try:
        envelope = msgspec.json.decode(raw, type=Bulk[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, ValueError):
        decode_json(raw, Bulk[Any])
        raise Malformed("The body is no JSON document of this route.") from None
    wishes: dict[int, ContentCreate] = {}
    faults: dict[int, Invalid] = {}
    for index, item in enumerate(envelope.items):
        try:
            wishes[index] = decode_json(bytes(item), ContentCreate)
        except Invalid as error:
            faults[index] = error
        except Malformed as error:
            faults[index] = Invalid([FieldError("", error.told)])
    return BulkCreate(wishes, faults, partial=partial or envelope.partial)
