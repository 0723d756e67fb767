"""Who holds which key, who is a member of what, and who signs the platform's tokens."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.members import Claims, Membership
from engarde_daemon.ports.content import ContentKey


class KnownKey(msgspec.Struct, frozen=True):
    """A key that was not revoked, and what proves it."""

    principal: Principal
    digest: bytes


class KeyDirectory(Protocol):
    """All API keys, by id."""

    async def find(self, key_id: str) -> KnownKey | None:
        """The key of this id, unless it is unknown, revoked or past its end.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class MemberDirectory(Protocol):
    """All members of brands."""

    async def membership(self, tenant_id: str, user_id: str) -> Membership:
        """The brands a user is an active member of.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class BrandDirectory(Protocol):
    """Which brand things belong to."""

    async def owns_brand(self, tenant_id: str, brand_id: str) -> bool:
        """Whether the brand is the tenant's.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def brands_of(self, keys: Sequence[ContentKey]) -> list[str | None]:
        """The brands of items, trashed ones too; None for those that do not exist.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class UnknownSigner(Exception):
    """The token names a signing key that is not held, so that nothing is known of it."""

    def __init__(self, key_id: str) -> None:
        super().__init__("the signing key is not known")
        self.key_id = key_id


class TokenRefused(Exception):
    """The token proves nothing; the text is for the log, never for the caller."""


class TokenReader(Protocol):
    """Tells true tokens of the platform from all others."""

    def read(self, text: str) -> Claims:
        """What the token says, once it is proved.

        Raises:
            TokenRefused: It is no token, forged, not for us, not valid now, or incomplete.
            UnknownSigner: Its signing key is not held.
            Unavailable: There are no signing keys, or they are too old to be trusted.
        """


class SigningKeys(Protocol):
    """The keys that the platform's issuer publishes."""

    def holds(self, key_id: str) -> bool:
        """Whether this key is at hand."""

    async def refresh(self) -> None:
        """Take over what the issuer publishes now.

        Raises:
            Unavailable: It cannot be had, or is no set of keys; those at hand stay.
        """
