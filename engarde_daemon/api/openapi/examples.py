"""Examples for the document: answers as the Structs that are encoded, requests as they are sent.

Answers cannot drift, because they are instances. Requests are plain, as a client would write them;
a test reads each with the Struct that its route reads it with. Each subject has a module of its own.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from engarde_daemon.api.openapi import (
    access_examples,
    admin_examples,
    analytics_examples,
    content_examples,
    event_examples,
    generation_examples,
    import_examples,
    log_examples,
    media_examples,
    overview_examples,
    recovery_examples,
)
from engarde_daemon.api.operations.controller import Liveness, Readiness

_ANSWERS: dict[Any, Any] = {
    **content_examples.ANSWERS,
    **access_examples.ANSWERS,
    **event_examples.ANSWERS,
    **admin_examples.ANSWERS,
    **media_examples.ANSWERS,
    **generation_examples.ANSWERS,
    **analytics_examples.ANSWERS,
    **import_examples.ANSWERS,
    **recovery_examples.ANSWERS,
    **overview_examples.ANSWERS,
    **log_examples.ANSWERS,
    Liveness: Liveness(status="alive", stuck=[]),
    Readiness: Readiness(status="ready", reason=None),
    str: "engarde_quota_drift 0.0\n",
}

REQUESTS: dict[Any, Any] = {
    **content_examples.REQUESTS,
    **access_examples.REQUESTS,
    **event_examples.REQUESTS,
    **admin_examples.REQUESTS,
    **analytics_examples.REQUESTS,
    **media_examples.REQUESTS,
    **generation_examples.REQUESTS,
    **import_examples.REQUESTS,
    **recovery_examples.REQUESTS,
}
"""What is sent, by the Struct that reads it."""

PATHS = {
    **content_examples.PATHS,
    **access_examples.PATHS,
    **event_examples.PATHS,
    **admin_examples.PATHS,
    **media_examples.PATHS,
    **generation_examples.PATHS,
    **import_examples.PATHS,
    **recovery_examples.PATHS,
    **overview_examples.PATHS,
}
"""What stands in paths, by parameter."""


def answered(shape: Any) -> Any:
    """What an answer of this shape looks like.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return msgspec.json.decode(msgspec.json.encode(_found(shape, _ANSWERS)))


def sent(shape: Any) -> Any:
    """What a request of this shape looks like.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return _found(shape, REQUESTS)


def placed(parameter: str) -> Any:
    """What stands in a path for a parameter.

    Raises:
        LookupError: Nobody has written an example of it.
    """
    return _found(parameter, PATHS)


def _found(shape: Any, known: Mapping[Any, Any]) -> Any:
    if shape not in known:
        raise LookupError(f"add an example of {shape} to a module of api/openapi/*_examples.py")
    return known[shape]
