"""What a route promises beyond its signature: what it takes, how it answers, what it refuses.

Owns the agreement between the API's document and the daemon. The document is made of contracts
and of the Structs they name, which are the ones that requests are read with. A request with a body
of a media type that its route's contract does not name, or with a query where it names none, is
refused by that same contract: nothing that a caller says is passed over in silence.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException
from msgspec import Meta

from engarde_daemon.api.calls import ETAG_PATTERN, KEY_PATTERN
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.domain.errors import EngardeError

JSON = "application/json"

_CONTRACT = "contract"


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header of a request or an answer; `always` ones are never missing."""

    name: str
    says: str
    example: str
    shape: Any = str
    always: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One way a route answers; `items` is what a stream is made of, one at a time.

    `event` is what the first of these is called, where its data has no `type` that says so.
    """

    says: str = "Done."
    shape: Any = None
    media_type: str = JSON
    items: Any = None
    event: str | None = None
    headers: tuple[Header, ...] = ()


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What a route takes, answers and refuses; `lines` is what a body is made of, line by line.

    Where `needs_body` is false, a request may leave its body out. A body may come as `other_media` too.
    """

    query: type[msgspec.Struct] | None = None
    body: Any = None
    lines: Any = None
    needs_body: bool = True
    media_type: str = JSON
    other_media: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    answers: Mapping[int, Answer] = {}
    errors: tuple[type[EngardeError], ...] = ()
    statuses: tuple[int, ...] = ()

    @property
    def takes_body(self) -> bool:
        """Whether there is a body to be read."""
        return self.body is not None or self.lines is not None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Stay the same: Litestar 2.25 copies a route deeply, and a contract never changes."""
        return self


_NONE = Contract()


class _NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a route that takes none."""


def promise(**terms: Any) -> dict[str, Any]:
    """The `opt` of a route that keeps this contract."""
    return {_CONTRACT: Contract(**terms)}


def contract_in(opt: Mapping[str, Any]) -> Contract:
    """The contract of a route, by its `opt`."""
    found: Contract = opt.get(_CONTRACT, _NONE)
    return found


async def hold_to_contract(request: Request[Any, Any, Any]) -> None:
    """Let pass what the route takes: no parameter that it would not look at, no body it cannot read.

    Raises:
        Invalid: The route takes no query, and there is one.
        HTTPException: The body says that it is of another media type.
    """
    contract = contract_in(request.route_handler.opt)
    _refuse_query(request, contract)
    _refuse_other_media(request, contract)


def _refuse_query(request: Request[Any, Any, Any], contract: Contract) -> None:
    """A route with a query reads it itself; probes and preflights send what they like."""
    query = request.scope["query_string"]
    if not query or contract.query is not None or request.method == "OPTIONS":
        return
    if request.scope["path"].startswith("/api/"):
        decode_query(query_of(query), _NoQuery)


def _refuse_other_media(request: Request[Any, Any, Any], contract: Contract) -> None:
    said = request.headers.get("content-type")
    if said is None or not contract.takes_body:
        return
    media_type = said.partition(";")[0].strip().lower()
    is_json = contract.media_type == JSON and media_type.endswith("+json")
    if media_type not in {contract.media_type, *contract.other_media} and not is_json:
        raise HTTPException(
            status_code=415, detail=f"Send this as 'Content-Type: {contract.media_type}'."
        )


BRAND_ID = Header(
    name="X-Brand-ID",
    says="The brand that is meant where neither query nor body names one.",
    example="3b420be8-b939-4cc9-900b-08afc95319f8",
)
IDEMPOTENCY_KEY = Header(
    name="Idempotency-Key",
    says="Makes the request safe to repeat: however often it comes with this key, it is done once.",
    example="8e03978e-40d5-43e8-bc93-6894a57f9324",
    shape=Annotated[str, Meta(pattern=KEY_PATTERN)],
)
IF_MATCH = Header(
    name="If-Match",
    says="Change it only if it is still at this version: the `ETag` that you were given.",
    example='"1"',
    shape=Annotated[str, Meta(pattern=rf"^(\*|{ETAG_PATTERN})$")],
)
IF_NONE_MATCH = Header(
    name="If-None-Match",
    says="Answer 304 if it is still at this version.",
    example='"3"',
)
LAST_EVENT_ID = Header(
    name="Last-Event-ID",
    says="Go on after this event; wins over `last_event_id`.",
    example="41",
    shape=Annotated[str, Meta(pattern=r"^[0-9]{0,18}$")],
)
LAST_FEED_ID = Header(
    name="Last-Event-ID",
    says="Go on after this event; who comes too late is told what they missed.",
    example="5b1c9e2f.41",
)

ETAG = Header(
    name="ETag",
    says="The version, for `If-Match` and `If-None-Match`.",
    example='"3"',
    shape=Annotated[str, Meta(pattern=f"^{ETAG_PATTERN}$")],
    always=True,
)
LOCATION = Header(
    name="Location",
    says="Where it can be read.",
    example="/api/content/01a20506-e2c2-75db-bf6a-a94a82058695",
    always=True,
)
REPLAYED = Header(
    name="Idempotent-Replayed",
    says="`true` where this was done before under the same `Idempotency-Key`.",
    example="true",
)
SERVED_FROM = Header(
    name="X-Served-From",
    says="Which store the body came from.",
    example="zerodb",
)
STREAM_PLACE = Header(
    name="Last-Event-ID",
    says="The event after which the stream begins.",
    example="41",
    always=True,
)
RETRY_AFTER = Header(name="Retry-After", says="Seconds to wait before you try again.", example="1")
