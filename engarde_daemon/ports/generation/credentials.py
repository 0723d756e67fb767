"""Tenants' keys for providers: kept sealed, and used by whoever calls a provider."""

from datetime import datetime
from typing import Protocol

import msgspec

from engarde_daemon.ports.secrets import SealedKey


class CredentialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a credential but its key."""

    provider: str
    base_url: str | None
    paused_reason: str | None
    updated_by: str
    updated_at: datetime


class CredentialKeeper(Protocol):
    """Where keys change by somebody's wish."""

    async def put_credential(
        self, tenant_id: str, provider: str, *, sealed: bytes, base_url: str | None, by: str
    ) -> None:
        """Keep a sealed key in the place of an older one, and let go on what it held up.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def remove_credential(self, tenant_id: str, provider: str) -> bool:
        """Forget a key; False where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class CredentialBench(Protocol):
    """Where keys are found by whoever works with them."""

    async def key(self, tenant_id: str, provider: str) -> SealedKey:
        """The key of a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def pause(self, key: SealedKey, reason: str) -> None:
        """Stop all work that needs this key until another is set; nothing if it has been already.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
