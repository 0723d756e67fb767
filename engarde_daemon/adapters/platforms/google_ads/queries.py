# ruff: noqa: S608 - this is no SQL; the module's docstring says how values are checked
"""What Google Ads is asked, in its own query language (GAQL).

Values are put into the texts, for the language has no parameters: each is digits, a date or the name
of a resource, and was checked to be one.

https://developers.google.com/google-ads/api/docs/query/overview
"""

import re
from datetime import date

from engarde_daemon.ports.platforms import PlatformFault, PlatformTrouble

_ID = re.compile(r"[0-9]{1,20}")
_RESOURCE = re.compile(r"customers/[0-9]{1,20}/assets/[0-9]{1,20}")

_ASSET = (
    "asset.resource_name, asset.id, asset.name, asset.type, asset.text_asset.text, "
    "asset.image_asset.full_size.url, asset.youtube_video_asset.youtube_video_id, "
    "asset.youtube_video_asset.youtube_video_title"
)
_METRICS = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, "
    "metrics.conversions_value"
)


def campaign(campaign_id: str) -> str:
    """Whether there is a campaign."""
    return f"SELECT campaign.id FROM campaign WHERE campaign.id = {_digits(campaign_id)}"


def ads(campaign_id: str) -> str:
    """The ads of a campaign."""
    return (
        "SELECT ad_group_ad.resource_name, ad_group_ad.status, ad_group_ad.ad.id, ad_group_ad.ad.type, "
        "ad_group_ad.ad.final_urls, ad_group_ad.ad.responsive_search_ad.headlines, "
        "ad_group_ad.ad.responsive_search_ad.descriptions FROM ad_group_ad "
        f"WHERE campaign.id = {_digits(campaign_id)} AND ad_group_ad.status != 'REMOVED'"
    )


def campaign_assets(campaign_id: str) -> str:
    """What is attached to a campaign."""
    return (
        f"SELECT campaign_asset.field_type, campaign_asset.status, {_ASSET} FROM campaign_asset "
        f"WHERE campaign.id = {_digits(campaign_id)} AND campaign_asset.status != 'REMOVED'"
    )


def group_assets(campaign_id: str) -> str:
    """What the groups of a Performance Max campaign are made of."""
    return (
        "SELECT asset_group_asset.field_type, asset_group_asset.status, "
        f"{_ASSET} FROM asset_group_asset "
        f"WHERE campaign.id = {_digits(campaign_id)} AND asset_group_asset.status != 'REMOVED'"
    )


def asset(resource_name: str) -> str:
    """One asset by its name."""
    if not _RESOURCE.fullmatch(resource_name):
        raise PlatformFault(PlatformTrouble.REJECTED, "Google Ads has no such asset.")
    return f"SELECT {_ASSET} FROM asset WHERE asset.resource_name = '{resource_name}'"


def account() -> str:
    """In which currency and time zone an account counts."""
    return "SELECT customer.currency_code, customer.time_zone FROM customer"


def ad_figures(campaign_id: str, since: date, until: date) -> str:
    """How the ads of a campaign did, by day."""
    return (
        f"SELECT ad_group_ad.resource_name, segments.date, {_METRICS} FROM ad_group_ad "
        f"WHERE campaign.id = {_digits(campaign_id)} "
        f"AND segments.date BETWEEN '{since.isoformat()}' AND '{until.isoformat()}'"
    )


def _digits(text: str) -> str:
    if not _ID.fullmatch(text):
        told = "Google Ads has no such campaign: ids are digits."
        raise PlatformFault(PlatformTrouble.REJECTED, told)
    return text
