"""What the platform wrote before the daemon came, as content of the daemon's.

Owns how an ad's texts become one body, and the promise that nothing else of a moved item changes:
not its id, not its times, not its place in life.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import (
    Change,
    ChangeType,
    ContentType,
    Details,
    Item,
    Status,
    preview_of,
    sha256_of,
    size_of,
)
from engarde_daemon.domain.errors import Rejected

MOVER = "migration"

CONTENT_TYPES: Mapping[str, ContentType] = MappingProxyType(
    {
        "image": ContentType.IMAGE,
        "video": ContentType.VIDEO,
        "ad_copy": ContentType.POST,
        "headline": ContentType.POST,
        "description": ContentType.POST,
        "document": ContentType.DOCUMENT,
    }
)
"""What each type of asset becomes; whatever else there is becomes a post."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the platform's `campaign_assets`, as far as it becomes content."""

    id: str
    tenant_id: str
    brand_id: str | None
    user_id: str
    campaign_space_id: str
    asset_name: str
    asset_type: str
    external_asset_id: str | None
    file_url: str | None
    public_url: str | None
    mime_type: str | None
    headline_text: str | None
    ad_copy_text: str | None
    description: str | None
    cta_text: str | None
    tags: list[str]
    created_at: datetime
    updated_at: datetime


def body_of(asset: Asset) -> str:
    """The texts of an ad, one below the other."""
    return body_of_texts(
        asset.asset_name,
        headline=asset.headline_text,
        text=asset.ad_copy_text,
        description=asset.description,
        call_to_action=asset.cta_text,
    )


def body_of_texts(
    name: str,
    *,
    headline: str | None,
    text: str | None,
    description: str | None,
    call_to_action: str | None,
) -> str:
    """The same from texts that are no row yet; the name alone where there are none."""
    parts = [
        headline and f"# {headline}",
        text,
        description,
        call_to_action and f"\n**{call_to_action}**",
    ]
    return "\n\n".join(part for part in parts if part) or f"Campaign asset: {name}"


def move_asset(asset: Asset) -> Write:
    """The first version of the item that an asset becomes.

    Raises:
        Rejected: It belongs to no brand, so nobody could see it.
    """
    if asset.brand_id is None:
        raise Rejected("It belongs to no brand, and neither does its campaign space.")
    body = body_of(asset)
    item = Item(
        id=asset.id,
        tenant_id=asset.tenant_id,
        brand_id=asset.brand_id,
        user_id=asset.user_id,
        campaign_space_id=asset.campaign_space_id,
        title=asset.asset_name,
        content_type=CONTENT_TYPES.get(asset.asset_type, ContentType.POST).value,
        status=Status.PUBLISHED.value,
        details=Details(tags=tuple(asset.tags), metadata=_metadata_of(asset)),
        preview=preview_of(body),
        size_bytes=size_of(body),
        sha256=sha256_of(body),
        published_at=asset.created_at,
        created_at=asset.created_at,
        updated_at=asset.updated_at,
    )
    change = Change(type=ChangeType.CREATE, by=MOVER, summary="moved in from campaign_assets")
    return Write(item=item, change=change, body=body)


def move_item(before: Item, body: str) -> Write:
    """The version with which an item's body leaves the platform's row."""
    version = before.version + 1
    item = msgspec.structs.replace(
        before,
        version=version,
        body_version=version,
        preview=preview_of(body),
        size_bytes=size_of(body),
        sha256=sha256_of(body),
    )
    change = Change(type=ChangeType.UPDATE, by=MOVER, summary="moved in from content_body")
    return Write(item=item, change=change, body=body, before=before)


def _metadata_of(asset: Asset) -> dict[str, object]:
    return {
        "external_asset_id": asset.external_asset_id,
        "file_url": asset.file_url,
        "public_url": asset.public_url,
        "mime_type": asset.mime_type,
        "asset_type": asset.asset_type,
        "imported_from": "campaign_import",
    }
