"""Calls to Meta's Graph API.

Owns what an error means, by the code tables of the documentation, and how long a caller must rest.
Meta answers some errors with status 200. `paging.next` holds the access token, so it is never
followed: pages go on by their cursor.

https://developers.facebook.com/docs/marketing-api/error-reference
https://developers.facebook.com/docs/graph-api/overview/rate-limiting
"""

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from engarde_daemon.adapters.http import Reply
from engarde_daemon.adapters.platforms.wire import PlatformWire, decoded, told
from engarde_daemon.ports.platforms import MetaSecret, PlatformFault, PlatformTrouble

REST_S = 60.0
FULL_PERCENT = 95
SMALLER = "reduce the amount of data"

_THROTTLED = {4, 17, 32, 613, *range(80000, 80007), 80008, 80009, 80014}
_PASSING = {1, 2, 960}
_DEAD_TOKEN = {102, 190}

T = TypeVar("T")


class GraphError(msgspec.Struct, frozen=True):
    """An error as Meta writes it."""

    message: str = ""
    code: int = 0
    is_transient: bool = False


class _Refusal(msgspec.Struct, frozen=True):
    error: GraphError | None = None


class _Usage(msgspec.Struct, frozen=True):
    call_count: float = 0
    total_cputime: float = 0
    total_time: float = 0
    acc_id_util_pct: float = 0
    app_id_util_pct: float = 0
    estimated_time_to_regain_access: float = 0


class TooMuch(PlatformFault):
    """Meta asks for less data at once."""


class Graph:
    """Asks Meta with one tenant's token; `rest_s` is how long it should be left alone now."""

    def __init__(self, wire: PlatformWire, base_url: str, secret: MetaSecret) -> None:
        self.rest_s = 0.0
        self._wire = wire
        self._base_url = base_url
        self._secret = secret

    async def get(self, path: str, shape: type[T], **parameters: str | int) -> T:
        """Read something.

        Raises:
            TooMuch: The same question for less may be answered.
            PlatformFault: There is no answer.
        """
        given = {"params": {**parameters, **self._proof()}}
        return self._read(await self._wire.ask("GET", f"{self._base_url}/{path}", **given), shape)

    async def post(self, path: str, shape: type[T], **parameters: str | int) -> T:
        """Order something.

        Raises:
            PlatformFault: There is no answer.
        """
        given = {"data": {**parameters, **self._proof()}}
        return self._read(await self._wire.ask("POST", f"{self._base_url}/{path}", **given), shape)

    def _proof(self) -> dict[str, str]:
        token, key = self._secret.access_token, self._secret.app_secret
        if key is None:
            return {"access_token": token}
        proof = hmac.new(key.encode(), token.encode(), hashlib.sha256).hexdigest()
        return {"access_token": token, "appsecret_proof": proof}

    def _read(self, reply: Reply, shape: type[T]) -> T:
        self.rest_s = _rest_s(reply.headers)
        error = _error_in(reply)
        if error is not None:
            raise _fault(error, reply, self.rest_s)
        return decoded(reply.body, shape)


def _error_in(reply: Reply) -> GraphError | None:
    try:
        error = msgspec.json.decode(reply.body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = None
    if error is None and reply.status != HTTPStatus.OK:
        return GraphError(f"Meta answers with {reply.status}.", is_transient=True)
    return error


def _fault(error: GraphError, reply: Reply, rest_s: float) -> PlatformFault:
    said = f"Meta says: {told(error.message)}"
    if error.code in _THROTTLED:
        return PlatformFault(PlatformTrouble.BUSY, said, after_s=rest_s or REST_S)
    if error.code in _DEAD_TOKEN:
        return PlatformFault(PlatformTrouble.LOCKED, said)
    if SMALLER in error.message:
        return TooMuch(PlatformTrouble.BUSY, said)
    is_ill = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if error.code in _PASSING or error.is_transient or is_ill:
        return PlatformFault(PlatformTrouble.BUSY, said)
    return PlatformFault(PlatformTrouble.REJECTED, said)


def _rest_s(headers: Mapping[str, str]) -> float:
    """How long the headers ask for a rest: until access is regained, or a minute when nearly full."""
    usages = [use for name in _USAGE_HEADERS for use in _usages(headers.get(name, ""))]
    regained = max((use.estimated_time_to_regain_access * 60 for use in usages), default=0.0)
    fullest = max((max(msgspec.structs.astuple(use)[:5]) for use in usages), default=0.0)
    return regained or (REST_S if fullest > FULL_PERCENT else 0.0)


_USAGE_HEADERS = (
    "x-business-use-case-usage",
    "x-app-usage",
    "x-ad-account-usage",
    "x-fb-ads-insights-throttle",
)


def _usages(text: str) -> list[_Usage]:
    """What a header says, be it one usage or several by account; nothing where it is unreadable."""
    try:
        document: Any = msgspec.json.decode(text or "{}")
        parts = [one for value in document.values() if isinstance(value, list) for one in value]
        return msgspec.convert(parts or [document], list[_Usage], strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, AttributeError):
        return []
