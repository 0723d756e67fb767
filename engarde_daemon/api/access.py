"""Who is calling, and whether their role reaches.

Owns two bounds: a revoked key works for `TRUST_S` at most, and neither guesses nor floods of
unknown keys make the daemon remember more than `KEYS_MAX` of them.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from engarde_daemon.domain.access import Principal, Role, read_key
from engarde_daemon.domain.errors import Forbidden, Unauthenticated
from engarde_daemon.ports.access import KeyDirectory, KnownKey

TRUST_S = 5.0
KEYS_MAX = 10_000

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]
Authenticate = Callable[[Iterable[tuple[bytes, bytes]]], Awaitable[Principal]]


class Keyring:
    """Proves API keys, and remembers for a few seconds what the directory said of them."""

    def __init__(self, directory: KeyDirectory, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, KnownKey | None]] = OrderedDict()

    async def authenticate(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """The caller whose key came with these headers.

        Raises:
            Unauthenticated: There is no key, or none that is known and proved.
            Unavailable: PostgreSQL does not answer.
        """
        text = _key_text(headers)
        key = read_key(text) if text else None
        if key is None:
            raise Unauthenticated(
                "Send your API key as 'X-API-Key: eg_...' or 'Authorization: Bearer eg_...'."
            )
        known = await self._find(key.id)
        if known is None or not key.proves(known.digest):
            raise Unauthenticated("This API key is not known, or was revoked.")
        return known.principal

    async def _find(self, key_id: str) -> KnownKey | None:
        remembered = self._known.get(key_id)
        if remembered is not None and self._clock() < remembered[0]:
            return remembered[1]
        known = await self._directory.find(key_id)
        self._known[key_id] = (self._clock() + TRUST_S, known)
        self._known.move_to_end(key_id)
        while len(self._known) > KEYS_MAX:
            self._known.popitem(last=False)
        return known


def reaches(required: Role) -> Guard:
    """A guard that lets pass whoever has this role or a higher one."""

    # Async, though it waits for nothing: Litestar 2.25 would run a plain function in a thread.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        principal: Principal = connection.user
        if not principal.role.reaches(required):
            raise Forbidden(
                f"This needs the role {required} or higher; your key is {principal.role}."
            )

    return guard


def _key_text(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"x-api-key":
            return value.decode("latin-1").strip()
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].decode("latin-1").strip()
    return ""
