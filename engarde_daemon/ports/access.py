"""Who holds which key."""

from typing import Protocol

import msgspec

from engarde_daemon.domain.access import Principal


class KnownKey(msgspec.Struct, frozen=True):
    """A key that was not revoked, and what proves it."""

    principal: Principal
    digest: bytes


class KeyDirectory(Protocol):
    """All API keys, by id."""

    async def find(self, key_id: str) -> KnownKey | None:
        """The key of this id, unless it is unknown or revoked.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
