"""Callers who come with a token of the platform.

Owns the price of a token: it is verified and its user's membership looked up once in `TRUST_S`,
however often it comes. A token that is refused is told from another refused one in the log alone.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog

from actors.locksmith.messages import LocksmithMessage, SeekKey
from engarde_daemon.api.access import KEYS_MAX, REFUSED, TRUST_S
from engarde_daemon.api.memory import Remembered
from engarde_daemon.core import ActorError, Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Unauthenticated, Unavailable
from engarde_daemon.domain.members import Claims, principal_of
from engarde_daemon.ports.access import MemberDirectory, TokenReader, TokenRefused, UnknownSigner

_LOG = structlog.get_logger("engarde.tokens")

Seek = Callable[[str], Awaitable[None]]


class _Proved(msgspec.Struct, frozen=True):
    principal: Principal
    expires_at: float


class Tokens:
    """Proves tokens; `seek` has the issuer asked for a signing key that is not held."""

    def __init__(
        self,
        reader: TokenReader,
        members: MemberDirectory,
        *,
        seek: Seek | None,
        role_words: Mapping[str, Role],
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._members = members
        self._seek = seek
        self._role_words = role_words
        self._now = now
        self._proved = Remembered(self._prove, clock=clock, for_s=TRUST_S, most=KEYS_MAX)

    async def prove(self, text: str) -> Principal:
        """The caller whose token this is.

        Raises:
            Unauthenticated: It is not valid, or not any more.
            Forbidden: It is, but its user is no member of any brand.
            Unavailable: PostgreSQL or the issuer's keys cannot be had.
        """
        try:
            proved = await self._proved.of(text)
        except (TokenRefused, UnknownSigner) as refusal:
            _LOG.info("token refused", reason=str(refusal))
            raise Unauthenticated(REFUSED) from None
        if self._now() >= proved.expires_at:
            raise Unauthenticated(REFUSED)
        return proved.principal

    async def _prove(self, text: str) -> _Proved:
        claims = await self._read(text)
        membership = await self._members.membership(claims.tenant_id, claims.subject)
        return _Proved(principal_of(claims, membership, self._role_words), claims.expires_at)

    async def _read(self, text: str) -> Claims:
        try:
            return self._reader.read(text)
        except UnknownSigner as unknown:
            if self._seek is None:
                raise
            await self._seek(unknown.key_id)
            return self._reader.read(text)


def asking(locksmith: Address[LocksmithMessage], *, timeout_s: float) -> Seek:
    """A way to have a signing key sought."""

    async def seek(key_id: str) -> None:
        try:
            await locksmith.ask(SeekKey(key_id), timeout_s=timeout_s)
        except ActorError as error:
            raise Unavailable(
                "The signing keys of the platform cannot be had. Please try again."
            ) from error

    return seek
