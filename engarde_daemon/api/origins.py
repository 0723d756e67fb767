"""Browsers on other origins (CORS), for answers of the application and of the front alike.

Owns the headers that cross an origin. Credentials in the sense of CORS, which are cookies, never
do: a caller proves itself by a header that a script has to set.
"""

from collections.abc import Sequence
from typing import Any

from litestar.config.cors import CORSConfig
from litestar.types import Method, Scope

_METHODS: list[Method] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
_SENT = [
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
    "Last-Event-ID", "Tus-Resumable", "Upload-Checksum", "Upload-Length", "Upload-Metadata",
    "Upload-Offset", "X-API-Key", "X-Brand-ID", "X-Request-ID",
]  # fmt: skip
_SHOWN = [
    "ETag", "Idempotent-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
    "Tus-Resumable", "Upload-Expires", "Upload-Length", "Upload-Offset", "X-Request-ID",
    "X-Served-From",
]  # fmt: skip


class Origins:
    """The origins whose scripts may call; none unless they are configured."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.config: CORSConfig | None = None
        if allowed:
            self.config = CORSConfig(
                allow_origins=list(allowed),
                allow_methods=[*_METHODS],
                allow_headers=_SENT,
                expose_headers=_SHOWN,
            )

    def is_preflight(self, scope: Scope) -> bool:
        """Whether Litestar's CORS middleware answers this itself, before any route.

        A browser asks it without a key, so nobody may ask for one.
        """
        return (
            self.config is not None
            and scope["method"] == "OPTIONS"  # type: ignore[typeddict-item]
            and _origin_of(scope) is not None
        )

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What an answer that never reached the application needs so that a script may read it."""
        origin = _origin_of(scope)
        if self.config is None or origin is None or not self.config.is_origin_allowed(origin):
            return []
        shown: dict[str, Any] = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in (shown | self.config.simple_headers).items()
        ]


def _origin_of(scope: Scope) -> str | None:
    return next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None
    )
