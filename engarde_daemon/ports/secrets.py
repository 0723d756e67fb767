"""Where secrets are sealed that the daemon must be able to use itself."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Purpose(msgspec.Struct, frozen=True):
    """Whose secret it is and what it is for: under another purpose it cannot be opened."""

    tenant_id: str
    name: str


class SealedKey(msgspec.Struct, frozen=True):
    """A tenant's key for a provider or platform as it was found; a key that is set later is another."""

    tenant_id: str
    provider: str
    sealed: bytes | None

    @property
    def purpose(self) -> Purpose:
        """What it is sealed for."""
        return purpose_of(self.tenant_id, self.provider)


def purpose_of(tenant_id: str, provider: str) -> Purpose:
    """What a tenant's key for a provider or platform is sealed for."""
    return Purpose(tenant_id, f"credential:{provider}")


class SecretBox(Protocol):
    """Seals and opens."""

    @property
    def key_ids(self) -> Sequence[bytes]:
        """The keys that are here, by the ids that sealed secrets name."""

    def seal(self, secret: str, purpose: Purpose) -> bytes:
        """Make a text that only this box opens, and only for this purpose."""

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        """Give the secret back.

        Raises:
            Corrupt: It was sealed with a key that is not here, for another purpose, or was changed.
        """
