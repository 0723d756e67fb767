"""The signing keys of the platform's issuer: fetched, kept through an outage, and given up in time.

Owns the hard limit: keys that could not be renewed for `lasts_s` prove nothing any more, because
one of them may have been withdrawn meanwhile.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import structlog

from engarde_daemon.adapters.tokens.signers import (
    KeySetUnreadable,
    Signer,
    read_key_set,
    shared_secret,
)
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.access import TokenRefused, UnknownSigner

_LOG = structlog.get_logger("engarde.tokens")


class SharedSecret:
    """The one key that is shared with the platform; a token's `kid` means nothing to it."""

    def __init__(self, secret: str) -> None:
        self._signer = shared_secret(secret)

    def signer_of(self, key_id: str | None) -> Signer:
        """The key, whatever it is called."""
        del key_id
        return self._signer


class IssuerKeys:
    """The `SigningKeys` port, and what the verifier asks of it."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[bytes]],
        *,
        lasts_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._lasts_s = lasts_s
        self._clock = clock
        self._signers: Mapping[str, Signer] = MappingProxyType({})
        self._fetched_at: float | None = None

    def holds(self, key_id: str) -> bool:
        """See `SigningKeys.holds`."""
        return key_id in self._signers

    async def refresh(self) -> None:
        """See `SigningKeys.refresh`."""
        asked_at = self._clock()
        try:
            signers = read_key_set(await self._fetch())
        except KeySetUnreadable as error:
            raise Unavailable(
                f"What [auth] jwks_url answers is no set of signing keys: {error}."
            ) from error
        if signers.keys() != self._signers.keys():
            _LOG.info("signing keys taken over", key_ids=sorted(key[:60] for key in signers))
        self._signers, self._fetched_at = signers, asked_at

    def signer_of(self, key_id: str | None) -> Signer:
        """The key of this id.

        Raises:
            TokenRefused: The token names no key.
            UnknownSigner: The key is not held.
            Unavailable: No keys are held, or they are too old.
        """
        if key_id is None:
            raise TokenRefused("it names no signing key")
        if self._fetched_at is None or self._clock() - self._fetched_at > self._lasts_s:
            raise Unavailable("The signing keys of the platform cannot be had. Please try again.")
        signer = self._signers.get(key_id)
        if signer is None:
            raise UnknownSigner(key_id)
        return signer
