"""Errors as RFC 9457 problem documents: one shape, whoever refused.

Owns the rule that an answer never tells more than the caller may know: an unexpected error is a
500 with the request's id, and its story is in the log alone.
"""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from engarde_daemon.core import ActorCrashed, ActorStopped, AskTimedOut, MailboxFull
from engarde_daemon.domain.errors import EngardeError, Retryable, Unavailable

MEDIA_TYPE = "application/problem+json"

_LOG = structlog.get_logger("engarde.api")
_BUSY = "The daemon could not finish this in time. Whether it was done is not known: send it again "
_ADVICE = {
    404: "Nothing is served at this address. /docs lists what is.",
    405: "This address does not take that method; those it takes are in the `Allow` header.",
}
_PHRASES = {413: "Request Entity Too Large"}  # Python 3.13 has another, and clients know this one
_SAFELY = "with the same Idempotency-Key, or read before you repeat."


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request that was not served."""

    type: str
    title: str
    status: int
    detail: str
    members: dict[str, Any] = {}
    headers: dict[str, str] = {}

    def document(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": f"urn:engarde:problem:{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def body(self) -> bytes:
        """The problem document as JSON."""
        return msgspec.json.encode(self.document())

    def response(self) -> Response[bytes]:
        """The problem as Litestar sends it."""
        return Response(
            self.body(), status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers
        )


DEFECT = Problem(
    type="internal_error",
    title="The daemon made a mistake",
    status=500,
    detail="This is a defect. Tell the operator the request id; it is in the log.",
)


def problem_of(error: Exception) -> Problem:
    """The problem that stands for an error; an unexpected one is logged and shown as a 500."""
    match error:
        case EngardeError():
            return _of_ours(error)
        case ExceptionGroup(exceptions=(Exception() as only,)):  # from an answer that streams
            return problem_of(only)
        case ActorCrashed() if isinstance(error.__cause__, EngardeError):
            return _of_ours(error.__cause__)
        case AskTimedOut() | ActorStopped() | MailboxFull() | ActorCrashed():
            if isinstance(error, ActorCrashed):
                _LOG.error("request failed in an actor", exc_info=error)
            return _of_ours(Unavailable(_BUSY + _SAFELY))
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return _of_litestar(error)
        case _:
            _LOG.error("request failed", exc_info=error)
            return DEFECT


def render(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    if isinstance(error, RequestEntityTooLarge):
        return _too_large(request.route_handler.resolve_request_max_body_size()).response()
    return problem_of(error).response()


def _too_large(limit_bytes: int | None) -> Problem:
    return Problem(
        type="request_entity_too_large",
        title=HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase,
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value,
        detail=f"The body of a request may hold {limit_bytes} bytes ([server] max_body_bytes).",
        members={"limit_bytes": limit_bytes},
    )


def _of_ours(error: EngardeError) -> Problem:
    headers = {}
    if isinstance(error, Retryable):
        headers["Retry-After"] = str(max(1, round(error.after_s)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.told != error.detail:
        _LOG.warning("what a caller is not told", type=error.type_, reason=error.detail[:300])
    members = error.members()
    members.pop("after_s", None)
    return Problem(
        type=error.type_,
        title=error.title,
        status=error.status,
        detail=error.told,
        members=members,
        headers=headers,
    )


def _of_litestar(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    phrase = _PHRASES.get(status.value, status.phrase)
    said = error.detail if error.detail != status.phrase else _ADVICE.get(status.value, "")
    return Problem(
        type=phrase.lower().replace(" ", "_"),
        title=phrase,
        status=status.value,
        detail=said[:300] or status.description or status.phrase,
        headers=dict(error.headers or {}),
    )
