"""From Meta's ads and insights to ours. What an ad says may stand in three places: each is asked."""

from engarde_daemon.adapters.platforms.meta.shapes import Ad, Card, Count, Creative, Insight
from engarde_daemon.domain.importing import (
    MICROS,
    AssetKind,
    CampaignAsset,
    Figures,
    MediaReference,
)

IMAGE = "image:"
VIDEO = "video:"
CREATIVE = "creative:"
_CONVERSIONS = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")


def asset_of(ad: Ad) -> CampaignAsset:
    """An ad as we know it."""
    creative = ad.creative
    link, video = creative.object_story_spec.link_data, creative.object_story_spec.video_data
    feed = creative.asset_feed_spec
    return CampaignAsset(
        external_id=ad.id,
        name=ad.name or ad.id,
        kind=AssetKind.AD_COPY,
        is_active=ad.effective_status == "ACTIVE",
        headline=_said(creative.title, link.name, video.title, *[t.text for t in feed.titles]),
        text=_said(creative.body, link.message, video.message, *[t.text for t in feed.bodies]),
        description=_said(link.description, *[t.text for t in feed.descriptions]),
        call_to_action=_first(
            creative.call_to_action_type, link.call_to_action.type, *feed.call_to_action_types
        ),
        link=_first(link.link, *[one.website_url for one in feed.link_urls]),
        media=_media(creative),
        details={"status": ad.effective_status, "creative_id": creative.id},
    )


def figures_of(row: Insight, *, currency: str, time_zone: str) -> Figures:
    """A day of an ad as we know it."""
    return Figures(
        external_id=row.ad_id,
        day=row.date_start,
        impressions=row.impressions,
        clicks=row.clicks,
        conversions=_purchases(row.actions),
        spend_micros=round(row.spend * MICROS),
        revenue_micros=round(_purchases(row.action_values) * MICROS),
        currency=currency,
        time_zone=time_zone,
    )


def _said(*texts: str) -> str:
    """Every text once, in the order in which they are shown."""
    return "\n\n".join(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _first(*texts: str) -> str:
    return next((text for text in texts if text), "")


def _media(creative: Creative) -> tuple[MediaReference, ...]:
    spec, feed = creative.object_story_spec, creative.asset_feed_spec
    hashes = [creative.image_hash, *_hashes(spec.link_data), *[one.hash for one in feed.images]]
    videos = [creative.video_id, spec.video_data.video_id, *_videos(spec.link_data)]
    videos += [one.video_id for one in feed.videos]
    names = [f"{IMAGE}{one}" for one in hashes if one] + [f"{VIDEO}{one}" for one in videos if one]
    found = tuple(MediaReference(identity=name) for name in dict.fromkeys(names))
    if found or creative.image_url is None:
        return found
    return (MediaReference(identity=f"{CREATIVE}{creative.id}", url=creative.image_url),)


def _hashes(card: Card) -> list[str | None]:
    return [card.image_hash, *[child.image_hash for child in card.child_attachments]]


def _videos(card: Card) -> list[str | None]:
    return [card.video_id, *[child.video_id for child in card.child_attachments]]


def _purchases(counts: list[Count]) -> float:
    """Meta tells one purchase under several names: the widest there is counts."""
    by_type = {one.action_type: one.value for one in counts}
    return next((by_type[name] for name in _CONVERSIONS if name in by_type), 0.0)
