r"""The feed: one snapshot a second and every event, as server-sent events.

    event: snapshot        id: 5b1c9e2f.41          event: missed
    data: {Snapshot}       event: event             data: {Missed}
                           data: {FeedEvent}

Only events carry an id. Who comes back with the last one as `Last-Event-ID` gets the events since,
and `missed` where some of them are gone; a snapshot is never repeated, for the next one says more.
The form is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from engarde_daemon.protocol.snapshot import Severity, Snapshot


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    `source` is `actors`, `stores` or `tenants`; `subject` is a path, a store or an id. What a
    tenant keeps, titles included, is never told here.
    """

    at: datetime
    source: str
    type: str
    severity: Severity
    text: str
    subject: str | None = None
    tenant_id: str | None = None


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Events that this listener will not get; `count` is None where nobody knows how many."""

    count: int | None
    why: str


FeedFrame: TypeAlias = Snapshot | FeedEvent | Missed


class FrameKind(StrEnum):
    """What stands in a frame's `event` field."""

    SNAPSHOT = "snapshot"
    EVENT = "event"
    MISSED = "missed"


_READERS: dict[str, msgspec.json.Decoder[FeedFrame]] = {
    FrameKind.SNAPSHOT: msgspec.json.Decoder(Snapshot),
    FrameKind.EVENT: msgspec.json.Decoder(FeedEvent),
    FrameKind.MISSED: msgspec.json.Decoder(Missed),
}


def read_frame(kind: str, data: str | bytes) -> FeedFrame | None:
    """What a frame says; None where its kind is not known here, because the daemon is newer.

    Raises:
        msgspec.MsgspecError: The data is not what frames of this kind hold.
    """
    reader = _READERS.get(kind)
    return None if reader is None else reader.decode(data)
