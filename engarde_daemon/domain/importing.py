"""Campaigns of ad platforms, as they become content.

Owns two identities. An ad is itself by the id that its platform gave it, whatever it says today; and
it has changed when its digest has, in which the addresses of its files have no part, because
platforms sign them anew each time.
"""

import hashlib
import uuid
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from engarde_daemon.domain.analytics import FIRST_DAY, Performance
from engarde_daemon.domain.changes import Draft
from engarde_daemon.domain.content import ContentType, Details, Status
from engarde_daemon.domain.moving import CONTENT_TYPES, body_of_texts

TITLE_CHARACTERS = 255
USUAL_DAYS = 30
DAYS_MAX = 1150
"""Of how many days figures are asked at most: Meta tells of 37 months."""
MICROS = 1_000_000

_FILES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:imported-media")


class Platform(StrEnum):
    """Where campaigns come from; `file` is an export of any platform, uploaded."""

    GOOGLE_ADS = "google_ads"
    META = "meta"
    FILE = "file"


class AssetKind(StrEnum):
    """What an asset is; the labels of the platform's `campaignassettype` that stand for something to see."""

    IMAGE = "image"
    VIDEO = "video"
    AD_COPY = "ad_copy"
    HEADLINE = "headline"
    DESCRIPTION = "description"
    CALL_TO_ACTION = "call_to_action"
    DOCUMENT = "document"
    OTHER = "other"


class ImportStatus(StrEnum):
    """Where an import stands; `receiving` is one whose export is still being uploaded."""

    RECEIVING = "receiving"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What a running import is doing."""

    LISTING = "listing"
    ASSETS = "assets"
    PERFORMANCE = "performance"


class AssetState(StrEnum):
    """What became of an asset."""

    PENDING = "pending"
    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DateRange(msgspec.Struct, frozen=True, kw_only=True):
    """The days of which figures are wanted, both included."""

    start: date
    end: date


class ImportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a campaign."""

    import_assets: bool = True
    import_performance: bool = True
    include_inactive: bool = False
    date_range: DateRange | None = None

    def days(self, today: date) -> DateRange:
        """The days of which figures are wanted: the last thirty where nobody says which.

        Those of which nobody has any yet, or ever had, are left out: platforms are asked week by
        week, and a campaign may be said to end in a thousand years.
        """
        if self.date_range is None:
            return DateRange(start=today - timedelta(days=USUAL_DAYS - 1), end=today)
        start, end = (
            min(max(day, FIRST_DAY), today + timedelta(days=1))
            for day in (self.date_range.start, self.date_range.end)
        )
        return DateRange(start=start, end=end)


class MediaReference(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or video: who it is on its platform, and where it can be had for a while."""

    identity: str
    url: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an asset did on a day, or in an hour of it; money in millionths of the currency.

    Days and hours are those of the account's time zone.
    """

    external_id: str
    day: date
    hour: int | None = None
    impressions: int = 0
    clicks: int = 0
    conversions: float = 0.0
    spend_micros: int = 0
    revenue_micros: int = 0
    currency: str = ""
    time_zone: str = ""


class CampaignAsset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An ad, or a part of one, as its platform tells of it."""

    external_id: str
    name: str
    kind: AssetKind
    is_active: bool = True
    headline: str = ""
    text: str = ""
    description: str = ""
    call_to_action: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    media: tuple[MediaReference, ...] = ()
    details: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """The fingerprint of everything that makes a version of its content."""
        named = tuple(MediaReference(identity=one.identity) for one in self.media)
        bare = msgspec.structs.replace(self, media=named)
        return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()

    @property
    def body(self) -> str:
        """Its texts, one below the other."""
        return body_of_texts(
            self.name,
            headline=self.headline,
            text=self.text,
            description=self.description,
            call_to_action=self.call_to_action,
        )


def cleaned(asset: CampaignAsset) -> CampaignAsset:
    """The same without the one character that PostgreSQL keeps in no text."""
    return msgspec.convert(_without_nul(msgspec.to_builtins(asset)), CampaignAsset)


def _without_nul(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nul(one) for one in value]
    return value.replace("\x00", "") if isinstance(value, str) else value


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose campaign an asset comes from, and where it shall be seen."""

    tenant_id: str
    brand_id: str
    space_id: str
    platform: Platform
    campaign_id: str

    def source_id(self, external_id: str) -> str:
        """What an asset is called in the daemon's books of what came from elsewhere."""
        return f"{self.space_id}/{self.platform}/{external_id}"

    def media_id(self, identity: str) -> str:
        """The id under which a file of the platform is kept, whichever ads show it."""
        named = f"{self.tenant_id}/{self.brand_id}/{self.platform}/{identity}"
        return str(uuid.uuid5(_FILES, named))


def draft_of(asset: CampaignAsset, origin: Origin, media_ids: tuple[str, ...]) -> Draft:
    """The content that an asset becomes."""
    return Draft(
        title=(asset.name or asset.headline or asset.external_id)[:TITLE_CHARACTERS],
        body=asset.body,
        content_type=_type_of(asset),
        status=Status.PUBLISHED if asset.is_active else Status.ARCHIVED,
        details=Details(
            platforms=() if origin.platform is Platform.FILE else (origin.platform.value,),
            tags=asset.tags,
            media=media_ids,
            metadata=_metadata_of(asset, origin),
        ),
        campaign_space_id=origin.space_id,
    )


def performance_of(figures: Figures, origin: Origin, content_id: str) -> Performance:
    """What figures say of the content that their asset is."""
    return Performance(
        tenant_id=origin.tenant_id,
        content_id=content_id,
        platform=origin.platform.value,
        day=figures.day,
        hour=_hour_of(figures),
        campaign_space_id=origin.space_id,
        impressions=figures.impressions,
        clicks=figures.clicks,
        conversions=figures.conversions,
        spend=figures.spend_micros / MICROS,
        revenue=figures.revenue_micros / MICROS,
        currency=figures.currency or None,
        custom_metrics={"time_zone": figures.time_zone} if figures.time_zone else {},
    )


def _hour_of(figures: Figures) -> datetime | None:
    """The hour in UTC; one in a time zone that nobody knows is taken for UTC."""
    if figures.hour is None:
        return None
    try:
        zone: tzinfo = ZoneInfo(figures.time_zone or "UTC")
    except (KeyError, ValueError, OSError):  # the last for a folder of zones, such as "America"
        zone = UTC
    return datetime.combine(figures.day, time(figures.hour), zone).astimezone(UTC)


def _type_of(asset: CampaignAsset) -> ContentType:
    """An ad with files of several kinds is still an ad; a lone picture is a picture."""
    if asset.kind is AssetKind.AD_COPY:
        return ContentType.AD
    return CONTENT_TYPES.get(asset.kind, ContentType.POST)


def _metadata_of(asset: CampaignAsset, origin: Origin) -> dict[str, object]:
    told: dict[str, object] = {
        "imported_from": "campaign_import",
        "platform": origin.platform.value,
        "external_campaign_id": origin.campaign_id,
        "external_asset_id": asset.external_id,
        "asset_type": asset.kind.value,
        **asset.details,
    }
    return told | ({"link": asset.link} if asset.link else {})
