"""Who calls, and the headers that make a request safe to repeat or to send late.

`If-Match` and `If-None-Match` follow RFC 9110 section 13, with the version as the entity tag;
`Idempotency-Key` follows the httpapi working group's draft.
"""

import re
from collections.abc import Mapping

import msgspec

from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.domain.errors import FieldError, Invalid

ETAG_PATTERN = '"(0|[1-9][0-9]{0,8})"'
KEY_PATTERN = r'^"?([\x21\x23-\x7e]{1,255})"?$'

_ETAG = re.compile(ETAG_PATTERN)
_KEY = re.compile(KEY_PATTERN)


class Call(msgspec.Struct, frozen=True):
    """Whoever calls, with the headers that came along."""

    principal: Principal
    headers: Mapping[str, str]


def etag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def expected_version(headers: Mapping[str, str]) -> int | None:
    """The version that `If-Match` insists on, if it does.

    Raises:
        Invalid: The header is neither `*` nor one version in quotes.
    """
    text = headers.get("if-match")
    if text is None or text.strip() == "*":
        return None
    match = _ETAG.fullmatch(text.strip())
    if match is None:
        raise Invalid([FieldError("If-Match", 'must be the ETag you were given, such as "3"')])
    return int(match[1])


def unchanged(headers: Mapping[str, str], version: int) -> bool:
    """Whether the caller already has this version."""
    tags = headers.get("if-none-match", "").split(",")
    return any(tag.strip().removeprefix("W/") in {etag_of(version), "*"} for tag in tags)


def idempotency_of(call: Call, fingerprint: str) -> Idempotency | None:
    """The caller's promise that requests with this key are one, if one was made.

    Raises:
        Invalid: The key is empty, too long, or not printable ASCII.
    """
    text = call.headers.get("idempotency-key")
    if text is None:
        return None
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise Invalid(
            [FieldError("Idempotency-Key", "must be 1 to 255 printable characters without spaces")]
        )
    return Idempotency(call.principal.key_id, match[1], fingerprint)
