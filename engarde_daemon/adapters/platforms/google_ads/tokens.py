"""Access tokens of Google, renewed with the tenants' refresh tokens.

Owns that a token is asked for once while it lasts. The names under which tokens are kept are hashes,
and they are kept in memory only.

https://developers.google.com/identity/protocols/oauth2/web-server#offline
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from engarde_daemon.adapters.platforms.wire import PlatformWire, decoded, seconds, told
from engarde_daemon.ports.platforms import GoogleAdsSecret, PlatformFault, PlatformTrouble

MARGIN_S = 60.0
TOKENS_MAX = 1000


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 0.0


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


class Tokens:
    """Gives access tokens."""

    def __init__(self, wire: PlatformWire, token_url: str, *, clock: Callable[[], float]) -> None:
        self._wire = wire
        self._token_url = token_url
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    async def token_of(self, secret: GoogleAdsSecret) -> str:
        """A token that lasts for a while.

        Raises:
            PlatformFault: Google gives none.
        """
        name = _name_of(secret)
        token, until = self._known.get(name, ("", 0.0))
        if self._clock() < until:
            return token
        made = await self._renewed(secret)
        if len(self._known) >= TOKENS_MAX:
            self._known.clear()
        self._known[name] = (made.access_token, self._clock() + made.expires_in - MARGIN_S)
        return made.access_token

    def forget(self, secret: GoogleAdsSecret) -> None:
        """Renew the token next time, because Google takes it no more."""
        self._known.pop(_name_of(secret), None)

    async def _renewed(self, secret: GoogleAdsSecret) -> _Token:
        form = {
            "grant_type": "refresh_token",
            "client_id": secret.client_id,
            "client_secret": secret.client_secret,
            "refresh_token": secret.refresh_token,
        }
        reply = await self._wire.ask("POST", self._token_url, data=form)
        if reply.status == HTTPStatus.OK:
            return decoded(reply.body, _Token)
        if reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
            said = told(decoded(reply.body, _Refusal).error)[:50]
            lost = f"Google renews no token: {said}. Connect the account anew."
            raise PlatformFault(PlatformTrouble.LOCKED, lost)
        busy = f"Google renews no token just now: it answers with {reply.status}."
        raise PlatformFault(PlatformTrouble.BUSY, busy, after_s=seconds(reply.headers))


def _name_of(secret: GoogleAdsSecret) -> str:
    said = (secret.client_id, secret.client_secret, secret.refresh_token)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
