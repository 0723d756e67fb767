"""What may be asked of the registrar. Whether the asker may, was found out at the edge."""

from datetime import datetime
from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.domain.access import ApiKey, Role
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.register import CampaignSpace, KeptVoice, KeyRecord, NewSpace


class MadeKey(Message, frozen=True):
    """A key with its secret, which is shown once."""

    key: ApiKey
    record: KeyRecord


class MadeSpace(Message, frozen=True):
    """A campaign space, and whether it was made just now."""

    space: CampaignSpace
    is_new: bool


class CreateKey(Request[MadeKey], frozen=True, kw_only=True):
    """Make an API key; with a `promise`, only if none was made under it before."""

    tenant_id: str
    brand_id: str
    brand_ids: list[str] | None
    user_id: str
    role: Role
    name: str
    expires_at: datetime | None
    created_by: str
    promise: str | None = None


class RevokeKey(Request[datetime], frozen=True, kw_only=True):
    """Let a key open nothing any more."""

    tenant_id: str
    key_id: str


class AddSpace(Request[MadeSpace], frozen=True):
    """Write a campaign space down, or find the one of its id."""

    space: NewSpace


class PutVoice(Request[KeptVoice], frozen=True, kw_only=True):
    """Replace a brand's voice; `expected` is the version that its writer has seen."""

    tenant_id: str
    brand_id: str
    voice: Voice
    by: str
    expected: int | None


class NoteKeyUses(Message, frozen=True):
    """Write down which keys were used since the last time."""


RegistrarMessage: TypeAlias = CreateKey | RevokeKey | AddSpace | PutVoice | NoteKeyUses
