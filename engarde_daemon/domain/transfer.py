"""Content that moves from one store to another.

Owns the identity of what is taken in: its id follows from its tenant, its brand and the id it had
where it comes from, so that an import which is sent again finds everything that it made before; and
nothing that is another brand's.
"""

import uuid
from datetime import datetime

import msgspec

from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Draft, Write
from engarde_daemon.domain.content import Change, ChangeType

_IMPORTED = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:imported")


def imported_id(tenant_id: str, brand_id: str, source_id: str) -> str:
    """The id under which a tenant's brand holds what is called `source_id` elsewhere."""
    return str(uuid.uuid5(_IMPORTED, f"{tenant_id}/{brand_id}/{source_id}"))


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """An item from elsewhere, with the moments of its life there."""

    source_id: str
    draft: Draft
    created_at: datetime | None = None
    published_at: datetime | None = None


def take_in(parcel: Parcel, *, tenant_id: str, brand_id: str, user_id: str, at: datetime) -> Write:
    """The first version of an imported item, as old as it was where it comes from.

    Raises:
        Invalid: A scheduled item needs a moment to be published at.
    """
    write = changes.create(
        parcel.draft,
        content_id=imported_id(tenant_id, brand_id, parcel.source_id),
        tenant_id=tenant_id,
        brand_id=brand_id,
        user_id=user_id,
        at=at,
    )
    item = msgspec.structs.replace(
        write.item,
        created_at=parcel.created_at or at,
        published_at=parcel.published_at or write.item.published_at,
    )
    change = Change(type=ChangeType.CREATE, by=user_id, summary="imported")
    return msgspec.structs.replace(write, item=item, change=change)
