"""From rows of Google Ads to assets and figures of ours, by the names of their resources."""

from engarde_daemon.adapters.platforms.google_ads.shapes import (
    AdGroupAd,
    Asset,
    Customer,
    Row,
    Text,
)
from engarde_daemon.domain.importing import (
    MICROS,
    AssetKind,
    CampaignAsset,
    Figures,
    MediaReference,
)

_KINDS = {
    "HEADLINE": AssetKind.HEADLINE,
    "LONG_HEADLINE": AssetKind.HEADLINE,
    "DESCRIPTION": AssetKind.DESCRIPTION,
    "CALL_TO_ACTION_SELECTION": AssetKind.CALL_TO_ACTION,
}


def asset_of(row: Row) -> CampaignAsset | None:
    """What a row tells of, if it is something that can be content."""
    if row.ad_group_ad is not None:
        return _ad(row.ad_group_ad)
    link = row.campaign_asset or row.asset_group_asset
    if row.asset is None or link is None:
        return None
    return _asset(row.asset, field_type=link.field_type, is_active=link.status == "ENABLED")


def figures_of(row: Row, account: Customer) -> Figures | None:
    """A day of an ad."""
    if row.ad_group_ad is None or row.segments.date is None:
        return None
    metrics = row.metrics
    return Figures(
        external_id=row.ad_group_ad.resource_name,
        day=row.segments.date,
        impressions=metrics.impressions,
        clicks=metrics.clicks,
        conversions=metrics.conversions,
        spend_micros=metrics.cost_micros,
        revenue_micros=round(metrics.conversions_value * MICROS),
        currency=account.currency_code,
        time_zone=account.time_zone,
    )


def _ad(told: AdGroupAd) -> CampaignAsset:
    texts = told.ad.responsive_search_ad
    headlines = _texts(texts.headlines)
    return CampaignAsset(
        external_id=told.resource_name,
        name=headlines[0] if headlines else f"{told.ad.type or 'AD'} {told.ad.id}",
        kind=AssetKind.AD_COPY,
        is_active=told.status == "ENABLED",
        headline=" | ".join(headlines),
        text="\n\n".join(_texts(texts.descriptions)),
        link=told.ad.final_urls[0] if told.ad.final_urls else "",
        details={"status": told.status, "ad_type": told.ad.type},
    )


def _asset(told: Asset, *, field_type: str, is_active: bool) -> CampaignAsset | None:
    media: tuple[MediaReference, ...] = ()
    link = ""
    match told.type:
        case "IMAGE":
            kind = AssetKind.IMAGE
            url = told.image_asset.full_size.url
            media = (MediaReference(identity=told.resource_name, url=url),)
        case "YOUTUBE_VIDEO":
            kind = AssetKind.VIDEO
            link = f"https://www.youtube.com/watch?v={told.youtube_video_asset.youtube_video_id}"
        case "TEXT":
            kind = _KINDS.get(field_type, AssetKind.OTHER)
        case _:
            return None
    return CampaignAsset(
        external_id=told.resource_name,
        name=told.name or told.youtube_video_asset.youtube_video_title or told.text_asset.text,
        kind=kind,
        is_active=is_active,
        text=told.text_asset.text,
        link=link,
        media=media,
        details={"field_type": field_type},
    )


def _texts(texts: list[Text]) -> list[str]:
    return [one.text for one in texts if one.text]
