"""What a listener asks for."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.domain.events import EVERYTHING, EventType, unknown_patterns

POSITION_MAX = 2**63 - 1

_AREAS = sorted({f"{type_.partition('.')[0]}.*" for type_ in EventType})

# The schema alone: `check_types` refuses others, and names all of them in one message.
Pattern = Annotated[str, Meta(extra_json_schema={"enum": [EVERYTHING, *_AREAS, *EventType]})]
"""One event, all of an area, or everything."""


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a stream."""

    types: list[Pattern] | None = None
    brand_id: Id | None = None
    last_event_id: Annotated[int, Meta(ge=0, le=POSITION_MAX)] | None = None


def events_query(values: Mapping[str, list[str]], headers: Mapping[str, str]) -> EventsQuery:
    """Read the query; `Last-Event-ID` wins, because a client that reconnects repeats its URL.

    Raises:
        Invalid: Parameters are wrong, or name no event there is.
    """
    resumed = headers.get("last-event-id")
    given = {**values, "last_event_id": [resumed]} if resumed else values
    query = decode_query(given, EventsQuery)
    check_types("types", query.types or ())
    return query


def check_types(field: str, patterns: list[str] | tuple[()]) -> None:
    """Refuse what stands for no event.

    Raises:
        Invalid: One of the patterns does.
    """
    unknown = unknown_patterns(patterns)
    if unknown:
        told = ", ".join(repr(pattern[:60]) for pattern in unknown[:10])
        raise Invalid([FieldError(field, f"there is no event like {told}")])
