"""What is kept beside content: keys, brands and their voices, campaign spaces, the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from engarde_daemon.domain.access import Role
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.content import Place


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of an API key but its secret; without `brand_ids` it is for the whole tenant."""

    key_id: str
    brand_id: str
    brand_ids: list[str] | None
    user_id: str
    role: Role
    name: str
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys are wanted: of these roles, and for nothing but these brands unless they are None."""

    key_id: str | None = None
    brand_ids: list[str] | None
    roles: list[str]


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key that is about to be made."""

    key_id: str
    tenant_id: str
    brand_id: str
    brand_ids: list[str] | None
    user_id: str
    role: Role
    name: str
    digest: bytes
    expires_at: datetime | None
    created_by: str


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """A brand of a tenant."""

    id: str
    name: str


class KeptVoice(msgspec.Struct, frozen=True, kw_only=True):
    """A brand's voice as it stands, and who said so when."""

    version: int
    voice: Voice
    updated_by: str
    updated_at: datetime


class SpaceKey(msgspec.Struct, frozen=True):
    """A campaign space of a tenant: one without the other finds nothing."""

    tenant_id: str
    space_id: str


class CampaignSpace(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that content belongs to; without a brand it is every brand's."""

    id: str
    brand_id: str | None
    user_id: str
    campaign_name: str
    platform: str
    external_campaign_id: str | None
    created_at: datetime
    updated_at: datetime


class NewSpace(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign space that is about to be made."""

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    campaign_name: str
    platform: str
    external_campaign_id: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One request of somebody, and how it ended."""

    id: str
    tenant_id: str
    at: datetime
    principal_id: str
    user_id: str
    role: str
    operation: str
    subject_id: str | None
    status: int
    request_id: str
    address: str


class AuditFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; None means any."""

    user_id: str | None = None
    principal_id: str | None = None
    operation: str | None = None
    subject_id: str | None = None
    request_id: str | None = None
    status_from: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class RegisterReader(Protocol):
    """What readers ask; each question names its tenant and sees nothing of another."""

    async def keys(
        self,
        tenant_id: str,
        *,
        filters: KeyFilters,
        after: Place | None = None,
        size: int = 1,
    ) -> list[KeyRecord]:
        """A page of the tenant's keys, newest first, revoked ones too.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def brands(self, tenant_id: str) -> list[Brand]:
        """Every brand of the tenant, by name.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def voice(self, tenant_id: str, brand_id: str) -> KeptVoice | None:
        """The voice of a brand, if somebody gave it one.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def campaign_spaces(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        platform: str | None,
        after: Place | None,
        size: int,
    ) -> list[CampaignSpace]:
        """A page of spaces, newest first, of these brands or of all.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def campaign_space(self, key: SpaceKey) -> CampaignSpace | None:
        """One space, if it exists.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def audit(
        self, tenant_id: str, *, filters: AuditFilters, after: Place | None, size: int
    ) -> list[AuditEntry]:
        """A page of the audit log, newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Register(Protocol):
    """What the registrar writes."""

    async def add_key(self, key: NewKey) -> KeyRecord | None:
        """Write a key down; None where its id is taken.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def revoke_key(self, tenant_id: str, key_id: str) -> datetime | None:
        """Revoke a key and say when it was; None where there is none. Doing it twice is as once.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note_key_uses(self, keys: Sequence[tuple[str, str]]) -> None:
        """Note that these keys, each with its tenant before it, were used a moment ago.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def add_space(self, space: NewSpace) -> tuple[CampaignSpace, bool]:
        """Write a space down, or find the one of this id; tells which by whether it is new.

        Raises:
            Rejected: The platform does not know the user, the brand or the ad platform.
            Unavailable: PostgreSQL does not answer.
        """

    async def put_voice(
        self, tenant_id: str, brand_id: str, *, voice: Voice, by: str, expected: int | None
    ) -> KeptVoice | int:
        """Replace a brand's voice, or answer with the version that is there instead.

        Raises:
            Rejected: The brand is gone.
            Unavailable: PostgreSQL does not answer.
        """


class AuditTrail(Protocol):
    """Where audit entries are kept."""

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """Keep these entries; one that is there already stays as it is.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def forget(self, *, older_than_days: int, most: int) -> int:
        """Remove entries that are too old, and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
