"""What Google Ads answers with, as far as it is read here: camel case, 64-bit numbers as texts."""

from datetime import date
from typing import TypeAlias

import msgspec

from engarde_daemon.adapters.platforms.wire import Amount, Count, Micros

Day: TypeAlias = date  # a field is called `date` as well


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Text(_Camel, frozen=True):
    """One of several texts."""

    text: str = ""


class SearchAd(_Camel, frozen=True):
    """The texts of which Google puts an ad together."""

    headlines: list[Text] = []
    descriptions: list[Text] = []


class Ad(_Camel, frozen=True):
    """What an ad says."""

    id: str = ""
    type: str = ""
    final_urls: list[str] = []
    responsive_search_ad: SearchAd = SearchAd()


class AdGroupAd(_Camel, frozen=True):
    """An ad in its group."""

    resource_name: str
    status: str = ""
    ad: Ad = Ad()


class FullSize(_Camel, frozen=True):
    """Where a picture is."""

    url: str | None = None


class ImageAsset(_Camel, frozen=True):
    """A picture."""

    full_size: FullSize = FullSize()


class YoutubeAsset(_Camel, frozen=True):
    """A video on YouTube, which gives nobody its file."""

    youtube_video_id: str = ""
    youtube_video_title: str = ""


class Asset(_Camel, frozen=True):
    """A text, a picture or a video that ads share."""

    resource_name: str
    id: str = ""
    name: str = ""
    type: str = ""
    text_asset: Text = Text()
    image_asset: ImageAsset = ImageAsset()
    youtube_video_asset: YoutubeAsset = YoutubeAsset()


class Link(_Camel, frozen=True):
    """What an asset is used as."""

    field_type: str = ""
    status: str = ""


class Customer(_Camel, frozen=True):
    """An account."""

    currency_code: str = ""
    time_zone: str = ""


class Metrics(_Camel, frozen=True):
    """How something did."""

    impressions: Count = 0
    clicks: Count = 0
    cost_micros: Micros = 0
    conversions: Amount = 0.0
    conversions_value: Amount = 0.0


class Segments(_Camel, frozen=True):
    """By what metrics are told apart."""

    date: Day | None = None


class Row(_Camel, frozen=True):
    """A row of any of our queries; what was not asked for is absent."""

    ad_group_ad: AdGroupAd | None = None
    asset: Asset | None = None
    campaign_asset: Link | None = None
    asset_group_asset: Link | None = None
    customer: Customer | None = None
    metrics: Metrics = Metrics()
    segments: Segments = Segments()


class Batch(_Camel, frozen=True):
    """Some rows of an answer."""

    results: list[Row] = []


class QuotaDetails(_Camel, frozen=True):
    """How long a quota asks to wait, such as "30s"."""

    retry_delay: str = ""


class FailureDetails(_Camel, frozen=True):
    """More about an error."""

    quota_error_details: QuotaDetails = QuotaDetails()


class FailureError(_Camel, frozen=True):
    """One of the errors of a request, by its kind and name."""

    error_code: dict[str, str] = {}
    message: str = ""
    details: FailureDetails = FailureDetails()


class FailureList(_Camel, frozen=True):
    """The errors of a request."""

    errors: list[FailureError] = []


class Status(_Camel, frozen=True):
    """An error as Google writes it."""

    code: int = 0
    message: str = ""
    details: list[FailureList] = []


class Failure(_Camel, frozen=True):
    """An answer that is none."""

    error: Status = Status()
