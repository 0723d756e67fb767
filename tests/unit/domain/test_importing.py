"""What an asset is, whatever its platform says of it today."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from engarde_daemon.domain.content import ContentType, Status
from engarde_daemon.domain.importing import (
    AssetKind,
    CampaignAsset,
    DateRange,
    Figures,
    ImportSpec,
    MediaReference,
    Origin,
    Platform,
    cleaned,
    draft_of,
    performance_of,
)

ASSET = CampaignAsset(
    external_id="a1",
    name="Run",
    kind=AssetKind.AD_COPY,
    text="Light",
    link="https://x/",
    media=(MediaReference(identity="h", url="https://cdn/1?signed"),),
    details={"status": "ENABLED"},
)
ORIGIN = Origin(tenant_id="t", brand_id="b", space_id="s", platform=Platform.META, campaign_id="c")


def test_a_digest_knows_no_addresses():
    """They are signed anew each time; what is behind them is the same."""
    moved = msgspec.structs.replace(ASSET, media=(MediaReference(identity="h", url="https://2"),))
    other = msgspec.structs.replace(ASSET, media=(MediaReference(identity="i"),))

    assert moved.digest == ASSET.digest != other.digest


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        (AssetKind.AD_COPY, ContentType.AD),
        (AssetKind.VIDEO, ContentType.VIDEO),
        (AssetKind.OTHER, ContentType.POST),
    ],
)
def test_a_kind_becomes_a_type_of_content(kind: AssetKind, content_type: ContentType):
    """An ad is an ad; what nobody knows is a post."""
    draft = draft_of(msgspec.structs.replace(ASSET, kind=kind), ORIGIN, ())

    assert draft.content_type is content_type


def test_content_says_where_it_comes_from():
    """Platform, campaign, asset and link; one that is not active is archived."""
    draft = draft_of(msgspec.structs.replace(ASSET, is_active=False), ORIGIN, ("m",))

    assert (draft.status, draft.details.media) == (Status.ARCHIVED, ("m",))
    assert draft.details.platforms == ("meta",)
    assert draft.details.metadata["link"] == "https://x/"
    assert draft.details.metadata["status"] == "ENABLED"
    assert draft.body == "Light"


def test_an_export_names_no_platform_and_a_nameless_asset_its_id():
    """Nothing is made up."""
    origin = msgspec.structs.replace(ORIGIN, platform=Platform.FILE)
    bare = CampaignAsset(external_id="a2", name="", kind=AssetKind.OTHER)
    draft = draft_of(bare, origin, ())

    assert (draft.title, draft.details.platforms) == ("a2", ())
    assert "link" not in draft.details.metadata


def test_identities_are_those_of_their_owner():
    """The same file in another brand is another file, and so is an asset in another space."""
    other = msgspec.structs.replace(ORIGIN, brand_id="c", space_id="z")

    assert ORIGIN.media_id("h") == ORIGIN.media_id("h") != other.media_id("h")
    assert ORIGIN.source_id("a") != other.source_id("a")


def test_days_are_the_last_thirty_where_nobody_says():
    """Both ends count."""
    days = DateRange(start=date(2026, 1, 1), end=date(2026, 1, 2))

    assert ImportSpec().days(date(2026, 1, 30)) == DateRange(
        start=date(2026, 1, 1), end=date(2026, 1, 30)
    )
    assert ImportSpec(date_range=days).days(date(2026, 5, 5)) == days


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        (date(1, 1, 1), date(9999, 12, 31), (date(2000, 1, 1), date(2026, 5, 6))),
        (date(9999, 12, 30), date(9999, 12, 31), (date(2026, 5, 6), date(2026, 5, 6))),
    ],
)
def test_days_without_figures_are_not_asked_for(start: date, end: date, asked: tuple[date, date]):
    """Week by week, a platform would be asked for thousands of years."""
    days = ImportSpec(date_range=DateRange(start=start, end=end)).days(date(2026, 5, 5))

    assert (days.start, days.end) == asked


def test_figures_are_told_of_the_content():
    """Money in units of the currency; days are the account's."""
    figures = Figures(
        external_id="a1",
        day=date(2026, 1, 31),
        impressions=1000,
        spend_micros=12_340_000,
        currency="EUR",
        time_zone="Europe/Berlin",
    )
    told = performance_of(figures, ORIGIN, "content")

    assert (told.content_id, told.platform, told.campaign_space_id) == ("content", "meta", "s")
    assert (told.day, told.hour, told.spend, told.currency) == (figures.day, None, 12.34, "EUR")
    assert told.custom_metrics == {"time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("Europe/Berlin", 4),
        ("America/New_York", 10),
        ("", 5),
        ("No/Where", 5),
        ("../evil", 5),
        ("America", 5),
    ],
)
def test_hours_are_moments_in_utc(zone: str, hour: int):
    """One in a time zone that nobody knows is taken for UTC."""
    figures = Figures(external_id="a", day=date(2026, 1, 31), hour=5, time_zone=zone)

    assert performance_of(figures, ORIGIN, "c").hour == datetime(2026, 1, 31, hour, tzinfo=UTC)


def test_what_no_database_keeps_is_left_out():
    """Wherever it stands; all else stays as it is."""
    evil = msgspec.structs.replace(ASSET, text="Li\x00ght", details={"status\x00": "ENABLED"})

    assert cleaned(evil) == cleaned(ASSET) == ASSET
