"""Refusals as the document tells them: by status, each with its problem's schema and an example.

Owns the promise that a documented problem is one the daemon gives: schema and example are both
made from the errors themselves, by the function that makes the answers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, ClassVar, Literal, get_origin, get_type_hints

import msgspec
from litestar.exceptions import HTTPException

from engarde_daemon.api.access import REFUSED
from engarde_daemon.api.fence import NO_CONTENT
from engarde_daemon.api.front import TOO_MANY_HEADERS
from engarde_daemon.api.media.ranges import RangeNotSatisfiable
from engarde_daemon.api.media.tus import VersionNotSpoken
from engarde_daemon.api.openapi.routes import Route
from engarde_daemon.api.openapi.shapes import Schema, Shapes
from engarde_daemon.api.problems import DEFECT, MEDIA_TYPE, Problem, problem_of
from engarde_daemon.domain.errors import (
    Conflict,
    Corrupt,
    EngardeError,
    Exhausted,
    FieldError,
    Forbidden,
    IllegalTransition,
    Invalid,
    KeyReused,
    Malformed,
    NotConfirmed,
    NotFound,
    NotInTrash,
    QuotaExceeded,
    RateLimited,
    Unauthenticated,
    Unavailable,
    VersionConflict,
)
from engarde_daemon.domain.generation import GenerationLimitReached
from engarde_daemon.domain.media import FileGone, FileTooLarge, TypeRefused, UploadLost
from engarde_daemon.domain.plans import GB, Plan
from engarde_daemon.domain.resuming import (
    ChecksumMismatch,
    MoreThanAnnounced,
    OffsetMismatch,
    UploadTaken,
)

_SMALL_PLAN = Plan(name="free", storage_bytes=GB, retention_days=30, monthly_items=100)

SAMPLES: tuple[EngardeError, ...] = (
    Malformed("The body is no JSON document: Expecting value: line 1 column 1 (char 0)."),
    Unauthenticated(REFUSED),
    Forbidden("This needs the role editor or higher; yours is viewer."),
    QuotaExceeded(
        _SMALL_PLAN,
        used_bytes=GB - 512,
        wanted_bytes=4096,
        suggestion="Upgrade to Starter plan for 10 GB storage",
    ),
    Exhausted("A tenant may have 20 webhooks. Delete one first."),
    GenerationLimitReached(101, 100),
    NotFound(NO_CONTENT),
    Conflict("This Idempotency-Key made the key axzr73eieqky before, whose secret was shown once."),
    IllegalTransition("archived", "scheduled", ["draft", "published"]),
    NotInTrash(),
    NotConfirmed(12),
    VersionConflict(4),
    Invalid([FieldError("title", "is required")]),
    KeyReused(),
    TypeRefused("The file was called image/png, but its bytes say image/jpeg."),
    FileTooLarge(5 * GB),
    UploadLost("It was given up because nothing was heard of it for too long. Send it again."),
    FileGone("It has 8100000000 pixels, more than 50000000."),
    RangeNotSatisfiable(183),
    VersionNotSpoken(),
    OffsetMismatch(8_388_608),
    UploadTaken(),
    MoreThanAnnounced(183_204),
    ChecksumMismatch("Send them again from the same offset (Upload-Checksum)."),
    RateLimited("120 requests a minute are allowed to this principal.", after_s=1),
    Corrupt("A sealed secret was changed, or belongs elsewhere."),
    Unavailable("PostgreSQL does not answer.", after_s=1),
)
"""One of each kind, of which examples are made."""

_DETAILS = {
    400: "The body was cut off.",
    408: "The body does not go on.",
    413: "Request Entity Too Large",
    415: "Send this as 'Content-Type: application/json'.",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of problem."""

    name: str
    problem: Problem
    shape: Any


def refusal_of(kind: type[EngardeError]) -> Refusal:
    """The problem that an error becomes.

    Raises:
        LookupError: There is no sample of it.
    """
    sample = next((sample for sample in SAMPLES if type(sample) is kind), None)
    if sample is None:
        raise LookupError(f"add a sample of {kind.__name__} to api/openapi/refusals.py")
    members = [
        (name, hint)
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is not ClassVar
    ]
    return _refusal(kind.__name__, problem_of(sample), members)


def refusal_with(status: int) -> Refusal:
    """The problem of a request that the server refuses before a route reads it."""
    problem = problem_of(HTTPException(status_code=status, detail=_DETAILS[status]))
    return _refusal(problem.title.title().replace(" ", ""), problem)


def refusals_of(route: Route) -> Iterator[tuple[int, list[Refusal]]]:
    """Everything that a route may refuse, by status."""
    contract = route.contract
    kinds = {*contract.errors}
    statuses = {*contract.statuses}
    if route.needs_caller:
        kinds |= {Invalid, Unauthenticated, RateLimited, Corrupt, Unavailable}
    if route.role is not None:
        kinds.add(Forbidden)
    if route.parameters:
        kinds.add(NotFound)
    if contract.takes_body:
        kinds.add(Malformed)
        statuses |= {408, 413, 415}
    refusals = [_TOO_MANY_HEADERS, _DEFECT, *map(refusal_of, kinds), *map(refusal_with, statuses)]
    refusals.sort(key=lambda refusal: (refusal.problem.status, refusal.name))
    for status, same in groupby(refusals, lambda refusal: refusal.problem.status):
        yield status, list(same)


def _refusal(name: str, problem: Problem, members: Iterable[tuple[str, Any]] = ()) -> Refusal:
    document = problem.document()
    fields: list[tuple[str, Any]] = [
        ("type", Literal[document["type"]]),
        ("title", str),
        ("status", Literal[problem.status]),
        ("detail", str),
        *members,
    ]
    doc = {"__doc__": f"{problem.title}."}
    shape = msgspec.defstruct(f"{name}Problem", fields, namespace=doc, kw_only=True)
    return Refusal(name=name, problem=problem, shape=shape)


_TOO_MANY_HEADERS = _refusal("HeadersTooLarge", TOO_MANY_HEADERS)
_DEFECT = _refusal("Defect", DEFECT)


def response_of(refusals: Sequence[Refusal], shapes: Shapes, headers: Schema) -> Schema:
    """The response that stands for all refusals of one status."""
    schemas = [shapes.of(refusal.shape) for refusal in refusals]
    names = {name for refusal in refusals for name in refusal.problem.headers}
    return {
        "description": "; or: ".join(refusal.problem.title for refusal in refusals) + ".",
        "headers": {**headers, **{name: _header(name) for name in sorted(names)}},
        "content": {
            MEDIA_TYPE: {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": {
                    refusal.problem.type: {"value": msgspec.to_builtins(refusal.problem.document())}
                    for refusal in refusals
                },
            }
        },
    }


def _header(name: str) -> Schema:
    return {"$ref": f"#/components/headers/{name}"}
