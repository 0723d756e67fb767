"""Who is calling, and whether their role reaches.

Owns two bounds: a revoked key works for `TRUST_S` at most, and neither guesses nor floods of
unknown keys make the daemon remember more than `KEYS_MAX` of them. Owns also the silence of a
refusal: whatever is wrong with a key or token, the answer is the same.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from engarde_daemon.api.memory import Remembered
from engarde_daemon.domain.access import Principal, Role, read_key
from engarde_daemon.domain.errors import Forbidden, Unauthenticated
from engarde_daemon.ports.access import KeyDirectory

TRUST_S = 5.0
KEYS_MAX = 10_000

Headers = Iterable[tuple[bytes, bytes]]
Authenticate = Callable[[Headers], Awaitable[Principal]]
ProveToken = Callable[[str], Awaitable[Principal]]

REFUSED = "This key or token is not valid: it is unknown, was revoked, or its time is over."
_MISSING = "Send your API key as 'X-API-Key: eg_...', or a key or token as 'Authorization: Bearer'."
_SEVERAL = "Send one key or token, not several."


class Keyring:
    """Proves API keys, and remembers for a few seconds what the directory said of them."""

    def __init__(self, directory: KeyDirectory, clock: Callable[[], float]) -> None:
        self._known = Remembered(directory.find, clock=clock, for_s=TRUST_S, most=KEYS_MAX)
        self._used: set[tuple[str, str]] = set()

    async def prove(self, text: str) -> Principal:
        """The caller whose key this is.

        Raises:
            Unauthenticated: It is no key, or none that is known and proved.
            Unavailable: PostgreSQL does not answer.
        """
        key = read_key(text)
        known = await self._known.of(key.id) if key else None
        if key is None or known is None or not key.proves(known.digest):
            raise Unauthenticated(REFUSED)
        if len(self._used) < KEYS_MAX:
            self._used.add((known.principal.tenant_id, key.id))
        return known.principal

    def take_used(self) -> list[tuple[str, str]]:
        """The keys, each with its tenant before it, that were used since this was last asked."""
        used, self._used = list(self._used), set()
        return used


class Doorman:
    """Finds the one key or token among the headers, and has it proved by whoever knows its kind."""

    def __init__(self, keyring: Keyring, prove_token: ProveToken | None) -> None:
        self._keyring = keyring
        self._prove_token = prove_token

    def adopt(self, prove_token: ProveToken | None) -> None:
        """Have tokens proved like this from now on, or take none."""
        self._prove_token = prove_token

    async def authenticate(self, headers: Headers) -> Principal:
        """The caller whose key or token came with these headers.

        Raises:
            Unauthenticated: There is none, there are several, or it is not valid.
            Forbidden: The token is true, but its user is no member of any brand.
            Unavailable: What proves it does not answer.
        """
        sent = list(_sent(headers))
        if len(sent) != 1:
            raise Unauthenticated(_SEVERAL if sent else _MISSING)
        if sent[0].startswith("eg_") or self._prove_token is None:
            return await self._keyring.prove(sent[0])
        return await self._prove_token(sent[0])


class Reaches(msgspec.Struct, frozen=True):
    """A guard that lets pass whoever has this role or a higher one.

    Where a route names a content, the role must hold in the brand of it; a content of a brand that
    is not the caller's is as good as not there.
    """

    required: Role

    # Async, though it may wait for nothing: Litestar 2.25 would run a plain function in a thread.
    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        """Let pass or refuse.

        Raises:
            Forbidden: The role does not reach that far.
            NotFound: The content is not the caller's.
        """
        principal: Principal = connection.user
        if not principal.role.reaches(self.required):
            raise Forbidden(_short_of(self.required, principal.role))
        content_id = connection.path_params.get("content_id")
        if principal.brands is not None and content_id is not None:
            await route.opt["fence"].require_item(principal, content_id, self.required)


class ReachesTenant(msgspec.Struct, frozen=True):
    """A guard that lets pass whoever has this role or a higher one in the whole tenant."""

    required: Role

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
    ) -> None:
        """Let pass or refuse.

        Raises:
            Forbidden: The role does not reach that far, or not in every brand.
        """
        principal: Principal = connection.user
        if not principal.reaches(self.required, None):
            raise Forbidden(f"This needs the role {self.required} in every brand of the tenant.")


def reaches(required: Role) -> Reaches:
    """A guard for routes that are about one content or brand."""
    return Reaches(required)


def reaches_tenant(required: Role) -> ReachesTenant:
    """A guard for routes that show the whole tenant."""
    return ReachesTenant(required)


def _short_of(required: Role, role: Role) -> str:
    return f"This needs the role {required} or higher; yours is {role}."


def _sent(headers: Headers) -> Iterable[str]:
    for name, value in headers:
        if name == b"x-api-key":
            yield value.decode("latin-1").strip()
        elif name == b"authorization":
            scheme, _, credential = value.decode("latin-1").partition(" ")
            yield credential.strip() if scheme.lower() == "bearer" else ""
