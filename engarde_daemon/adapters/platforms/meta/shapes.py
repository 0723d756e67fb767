"""What the Graph API answers with, as far as it is read here.

https://developers.facebook.com/docs/marketing-api/reference
"""

from datetime import date
from typing import Generic, TypeVar

import msgspec

from engarde_daemon.adapters.platforms import wire

V = TypeVar("V")

AD_FIELDS = (
    "id,name,status,effective_status,creative{id,name,title,body,call_to_action_type,image_hash,"
    "image_url,video_id,object_story_spec,asset_feed_spec}"
)
FIGURE_FIELDS = "ad_id,impressions,clicks,spend,actions,action_values"


class Cursors(msgspec.Struct, frozen=True):
    """Where a page ends."""

    after: str | None = None


class Paging(msgspec.Struct, frozen=True):
    """How to go on; `next` is only asked whether it is there."""

    cursors: Cursors = Cursors()
    next: str | None = None


class Edge(msgspec.Struct, Generic[V], frozen=True):
    """A page of things."""

    data: list[V]
    paging: Paging = Paging()

    @property
    def after(self) -> str | None:
        """The cursor of the next page, if there is one."""
        return self.paging.cursors.after if self.paging.next else None


class Text(msgspec.Struct, frozen=True):
    """One of several texts."""

    text: str = ""


class Picture(msgspec.Struct, frozen=True):
    """A picture by its hash."""

    hash: str | None = None


class Film(msgspec.Struct, frozen=True):
    """A video by its id."""

    video_id: str | None = None


class Action(msgspec.Struct, frozen=True):
    """A button."""

    type: str = ""


class Card(msgspec.Struct, frozen=True):
    """A link, or one card of a carousel."""

    message: str = ""
    name: str = ""
    description: str = ""
    link: str = ""
    image_hash: str | None = None
    video_id: str | None = None
    call_to_action: Action = Action()
    child_attachments: list["Card"] = []


class VideoData(msgspec.Struct, frozen=True):
    """A video post."""

    video_id: str | None = None
    title: str = ""
    message: str = ""


class StorySpec(msgspec.Struct, frozen=True):
    """The post that an ad is."""

    link_data: Card = Card()
    video_data: VideoData = VideoData()


class LinkUrl(msgspec.Struct, frozen=True):
    """A place where an ad leads."""

    website_url: str = ""


class FeedSpec(msgspec.Struct, frozen=True):
    """The parts of which Meta puts an ad together."""

    bodies: list[Text] = []
    titles: list[Text] = []
    descriptions: list[Text] = []
    images: list[Picture] = []
    videos: list[Film] = []
    link_urls: list[LinkUrl] = []
    call_to_action_types: list[str] = []


class Creative(msgspec.Struct, frozen=True):
    """What an ad shows."""

    id: str = ""
    title: str = ""
    body: str = ""
    call_to_action_type: str = ""
    image_hash: str | None = None
    image_url: str | None = None
    video_id: str | None = None
    object_story_spec: StorySpec = StorySpec()
    asset_feed_spec: FeedSpec = FeedSpec()


class Ad(msgspec.Struct, frozen=True):
    """An ad."""

    id: str
    name: str = ""
    status: str = ""
    effective_status: str = ""
    creative: Creative = Creative()


class Campaign(msgspec.Struct, frozen=True):
    """A campaign."""

    id: str


class Account(msgspec.Struct, frozen=True):
    """An ad account."""

    currency: str = ""
    timezone_name: str = ""


class Image(msgspec.Struct, frozen=True):
    """Where a picture is."""

    hash: str
    url: str | None = None


class Video(msgspec.Struct, frozen=True):
    """Where a video is; without rights to its page, nowhere."""

    source: str | None = None


class Ordered(msgspec.Struct, frozen=True):
    """A report that is being made."""

    report_run_id: str


class Report(msgspec.Struct, frozen=True):
    """How far a report is."""

    async_status: str = ""


class Count(msgspec.Struct, frozen=True):
    """How often something was done, or what it was worth."""

    action_type: str = ""
    value: wire.Amount = 0.0


class Insight(msgspec.Struct, frozen=True):
    """How an ad did on a day; numbers come as texts."""

    ad_id: str
    date_start: date
    impressions: wire.Count = 0
    clicks: wire.Count = 0
    spend: wire.Amount = 0.0
    actions: list[Count] = []
    action_values: list[Count] = []
