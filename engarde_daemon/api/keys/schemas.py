"""What API keys look like on the wire. A secret is in one answer only."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.fields import Moment
from engarde_daemon.api.paging import Mark, PageSize
from engarde_daemon.domain.access import ApiKey, Role
from engarde_daemon.ports.register import KeyRecord


class KeyCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new key; without `brand_ids` it is for every brand of the tenant."""

    role: Role
    name: Annotated[str, Meta(max_length=100)] = ""
    brand_ids: Annotated[list[Id], Meta(min_length=1, max_length=100)] | None = None
    brand_id: Id | None = None
    expires_at: Moment | None = None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it stands."""

    id: str
    api_key: str | UnsetType = UNSET
    name: str
    role: Role
    status: Literal["active", "expired", "revoked"]
    brand_id: str
    brand_ids: list[str] | None
    user_id: str
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of keys."""

    cursor: Mark | None = None
    page_size: PageSize = msgspec.field(default=50, name="pageSize")


class KeyRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a key that was deleted."""

    message: str
    id: str
    revoked_at: datetime


def view_of(record: KeyRecord, *, at: datetime, secret: ApiKey | None = None) -> KeyView:
    """A key as a client sees it."""
    return KeyView(
        id=record.key_id,
        api_key=secret.text if secret else UNSET,
        name=record.name,
        role=record.role,
        status=_status_of(record, at),
        brand_id=record.brand_id,
        brand_ids=record.brand_ids,
        user_id=record.user_id,
        created_at=record.created_at,
        created_by=record.created_by,
        expires_at=record.expires_at,
        last_used_at=record.last_used_at,
        revoked_at=record.revoked_at,
    )


def _status_of(record: KeyRecord, at: datetime) -> Literal["active", "expired", "revoked"]:
    if record.revoked_at is not None:
        return "revoked"
    return "expired" if record.expires_at is not None and record.expires_at <= at else "active"
