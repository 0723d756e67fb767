"""How refusals within one request are told: by the place of the item, with its fields named.

Owns two forms. Where each item stands for itself, every refused one is a problem of its own with
its `index`. Where one refusal refuses all, the answer is the problem of the first, whose `errors`
name each refused item.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Response

from engarde_daemon.api.problems import problem_of
from engarde_daemon.domain.errors import EngardeError, FieldError, Invalid, RefusedTogether

E = TypeVar("E", bound=EngardeError)


def refused_item(index: int, error: EngardeError, **known: str) -> dict[str, Any]:
    """The problem of one item."""
    return {"index": index, **known, **problem_of(error).document()}


def refused_together(refused: RefusedTogether) -> Response[bytes]:
    """The answer to a request of which nothing was done."""
    first = problem_of(next(iter(refused.refusals.values())))
    refusals = {index: within(index, error) for index, error in refused.refusals.items()}
    members = {**first.members, "errors": _errors_of(refusals)}
    return msgspec.structs.replace(first, detail=refused.told, members=members).response()


def within(index: int, error: E) -> E | Invalid:
    """The same refusal, its fields named from the top of the request."""
    if not isinstance(error, Invalid):
        return error
    return Invalid([_at(index, fault) for fault in error.errors])


def _at(index: int, fault: FieldError) -> FieldError:
    return FieldError(f"items[{index}].{fault.field}".rstrip("."), fault.message)


def _errors_of(refusals: Mapping[int, EngardeError]) -> list[dict[str, Any]]:
    return [
        {"index": index, "field": fault.field, "message": fault.message}
        for index, error in refusals.items()
        for fault in _faults_of(index, error)
    ]


def _faults_of(index: int, error: EngardeError) -> list[FieldError]:
    if isinstance(error, Invalid):
        return error.errors
    return [FieldError(f"items[{index}]", error.told)]
