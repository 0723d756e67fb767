"""What the platform wrote, as content of the daemon's."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from engarde_daemon.domain.content import Details, Item, sha256_of
from engarde_daemon.domain.errors import Rejected
from engarde_daemon.domain.moving import Asset, body_of, move_asset, move_item

THEN = datetime(2025, 3, 1, tzinfo=UTC)
ASSET = Asset(
    id="asset-1",
    tenant_id="acme",
    brand_id="brand",
    user_id="user",
    campaign_space_id="space",
    asset_name="Summer",
    asset_type="ad_copy",
    external_asset_id="ext",
    file_url="https://cdn.example/1.png",
    public_url=None,
    mime_type="image/png",
    headline_text="Sun!",
    ad_copy_text="It shines.",
    description="All day.",
    cta_text="Buy",
    tags=["a"],
    created_at=THEN,
    updated_at=THEN,
)


def asset(**fields: Any) -> Asset:
    """An asset that differs in some fields."""
    return msgspec.structs.replace(ASSET, **fields)


def test_the_texts_of_an_ad_become_one_body():
    """In the order and form of the platform's architecture."""
    assert body_of(ASSET) == "# Sun!\n\nIt shines.\n\nAll day.\n\n\n**Buy**"


@pytest.mark.parametrize(
    ("missing", "body"),
    [
        (("headline_text", "cta_text"), "It shines.\n\nAll day."),
        (("headline_text", "ad_copy_text", "description", "cta_text"), "Campaign asset: Summer"),
    ],
)
def test_texts_that_are_missing_leave_no_gap(missing: tuple[str, ...], body: str):
    """And an asset without any says at least what it is called."""
    assert body_of(asset(**dict.fromkeys(missing))) == body
    assert body_of(asset(**dict.fromkeys(missing, ""))) == body


@pytest.mark.parametrize(
    ("asset_type", "content_type"),
    [
        ("image", "image"),
        ("video", "video"),
        ("ad_copy", "post"),
        ("headline", "post"),
        ("description", "post"),
        ("document", "document"),
        ("call_to_action", "post"),
        ("performance_data", "post"),
        ("other", "post"),
    ],
)
def test_each_type_of_asset_becomes_a_type_of_content(asset_type: str, content_type: str):
    """Whatever the platform has no counterpart for becomes a post."""
    assert move_asset(asset(asset_type=asset_type)).item.content_type == content_type


def test_an_asset_keeps_its_id_its_times_and_where_it_came_from():
    """It counts as published since it came."""
    write = move_asset(ASSET)
    item = write.item

    assert (item.id, item.version, item.status) == ("asset-1", 1, "published")
    assert item.created_at == item.updated_at == item.published_at == THEN
    assert (item.details.tags, item.campaign_space_id) == (("a",), "space")
    assert item.details.metadata == {
        "external_asset_id": "ext",
        "file_url": "https://cdn.example/1.png",
        "public_url": None,
        "mime_type": "image/png",
        "asset_type": "ad_copy",
        "imported_from": "campaign_import",
    }
    assert write.growth_bytes == len(body_of(ASSET))


def test_an_asset_of_no_brand_is_refused():
    """Nobody could see it."""
    with pytest.raises(Rejected, match="no brand"):
        move_asset(asset(brand_id=None))


def test_an_item_changes_nothing_but_where_its_body_is():
    """Its next version has the body, and is as old as the one before."""
    before = Item(
        id="cnt", tenant_id="acme", brand_id="brand", user_id="user", version=3, body_version=0,
        title="Plain", content_type="newsletter", status="in_review", details=Details(),
        preview="", size_bytes=0, sha256="", created_at=THEN, updated_at=THEN,
    )  # fmt: skip
    write = move_item(before, "größe")
    item = write.item

    assert (item.version, item.body_version, write.body) == (4, 4, "größe")
    assert (item.size_bytes, item.sha256, item.preview) == (7, sha256_of("größe"), "größe")
    same = {"version": 3, "body_version": 0, "size_bytes": 0, "sha256": "", "preview": ""}
    assert msgspec.structs.replace(item, **same) == before
    assert write.growth_bytes == 7
