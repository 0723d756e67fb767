"""How content performs: figures by day from the platforms, and their sums.

Owns three rules. A figure has one key (tenant, content, platform, day, and the hour where there is
one); a figure that changed is a new revision of its key, and the newest counts. A day has its own
figure: those of its hours are a closer look at it, and are never added to it. Rates are computed
from sums, by nobody else, and there is none where nothing was seen.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

import msgspec

from engarde_daemon.domain.errors import FieldError, Invalid

FIGURE_MAX = 10**12
"""How large a figure may be: a million of these still fit into a column of the archive."""
FIRST_DAY = date(2000, 1, 1)
"""No platform has figures of earlier days."""
PLATFORM_CHARACTERS = 50
CUSTOM_BYTES = 4096
MONEY_DIGITS = 6

_METRICS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:content_analytics")
_JSON = msgspec.json.Encoder(order="deterministic")


class Dimension(StrEnum):
    """What figures can be told apart by."""

    DAY = "day"
    HOUR = "hour"
    PLATFORM = "platform"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    CONTENT = "content"


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one content on one platform on a day, or in an hour of it (in UTC).

    `spend` and `revenue` are in units of `currency` (ISO 4217). `conversions` may be fractions, as
    platforms attribute them. `custom_metrics` takes what has no column: whatever the platform
    calls it, and the time zone by which it cuts its days. Of one that is staged, the brand is
    that of the content, and so is the campaign space where none is given.
    """

    tenant_id: str
    content_id: str
    platform: str
    day: date
    hour: datetime | None = None
    brand_id: str | None = None
    campaign_space_id: str | None = None
    impressions: int = 0
    clicks: int = 0
    likes: int = 0
    shares: int = 0
    comments: int = 0
    saves: int = 0
    conversions: float = 0.0
    spend: float = 0.0
    revenue: float = 0.0
    currency: str | None = None
    avg_watch_time: float | None = None
    custom_metrics: Mapping[str, Any] = {}

    @property
    def metric_id(self) -> str:
        """The key, as a computed id: whoever tells the same figure names the same one."""
        hour = "" if self.hour is None else self.hour.isoformat()
        key = (self.tenant_id, self.content_id, self.platform, self.day.isoformat(), hour)
        return str(uuid.uuid5(_METRICS, "\n".join(key)))

    @property
    def digest(self) -> str:
        """The same for two revisions only if they say the same."""
        told = msgspec.structs.replace(self, brand_id=None)
        return hashlib.sha256(_JSON.encode(told)).hexdigest()

    @property
    def sums(self) -> "Sums":
        """The figures as the beginning of a sum."""
        return Sums(
            impressions=self.impressions,
            clicks=self.clicks,
            likes=self.likes,
            shares=self.shares,
            comments=self.comments,
            saves=self.saves,
            conversions=self.conversions,
            spend=self.spend,
            revenue=self.revenue,
            currencies=frozenset({self.currency} if self.currency else ()),
        )

    @property
    def row(self) -> dict[str, Any]:
        """The same as a row of the archive, but for what only staging knows."""
        return {
            "metric_id": self.metric_id,
            "content_id": self.content_id,
            "tenant_id": self.tenant_id,
            "brand_id": self.brand_id,
            "metric_date": self.day,
            "metric_hour": self.hour,
            "platform": self.platform,
            "impressions": self.impressions,
            "clicks": self.clicks,
            "likes": self.likes,
            "shares": self.shares,
            "comments": self.comments,
            "saves": self.saves,
            "engagement_rate": self.sums.engagement_rate,
            "ctr": self.sums.ctr,
            "avg_watch_time": self.avg_watch_time,
            "conversions": round(self.conversions),
            "revenue": self.revenue,
            "custom_metrics": self.custom_metrics,
            "campaign_space_id": self.campaign_space_id,
            "conversions_exact": self.conversions,
            "spend": self.spend,
            "currency": self.currency,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The figures that a row of the archive tells."""
        own = {name: row[name] for name in cls.__struct_fields__ if name in row}
        own |= {"day": row["metric_date"], "hour": row["metric_hour"]}
        return cls(**own | {"conversions": row["conversions_exact"]})


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Figures added up; of several currencies, the money has no sum."""

    impressions: int = 0
    clicks: int = 0
    likes: int = 0
    shares: int = 0
    comments: int = 0
    saves: int = 0
    conversions: float = 0.0
    spend: float = 0.0
    revenue: float = 0.0
    currencies: frozenset[str] = frozenset()

    def __add__(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(
            impressions=self.impressions + other.impressions,
            clicks=self.clicks + other.clicks,
            likes=self.likes + other.likes,
            shares=self.shares + other.shares,
            comments=self.comments + other.comments,
            saves=self.saves + other.saves,
            conversions=self.conversions + other.conversions,
            spend=self.spend + other.spend,
            revenue=self.revenue + other.revenue,
            currencies=self.currencies | other.currencies,
        )

    @property
    def ctr(self) -> float | None:
        """Clicks for each impression."""
        return self.clicks / self.impressions if self.impressions else None

    @property
    def engagement_rate(self) -> float | None:
        """Likes, shares, comments and saves for each impression."""
        engagements = self.likes + self.shares + self.comments + self.saves
        return engagements / self.impressions if self.impressions else None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures of one sum have in common; None where they were not told apart by it."""

    day: date | None = None
    hour: datetime | None = None
    platform: str | None = None
    campaign: str | None = None
    brand: str | None = None
    content: str | None = None

    @classmethod
    def of(cls, figure: Performance, by: Iterable[Dimension]) -> Self:
        """The group to which a figure belongs."""
        values: dict[Dimension, Any] = {
            Dimension.DAY: figure.day,
            Dimension.HOUR: figure.hour,
            Dimension.PLATFORM: figure.platform,
            Dimension.CAMPAIGN: figure.campaign_space_id,
            Dimension.BRAND: figure.brand_id,
            Dimension.CONTENT: figure.content_id,
        }
        return cls(**{dimension.value: values[dimension] for dimension in by})


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures are to be added up; both days belong to it, and None asks for all.

    By hours, the figures of hours are added up, else those of days.
    """

    tenant_id: str
    since: date
    until: date
    by: frozenset[Dimension] = frozenset()
    brand_ids: Sequence[str] | None = None
    campaign_space_id: str | None = None
    platform: str | None = None
    content_id: str | None = None

    @property
    def of_hours(self) -> bool:
        """Whether it is about hours."""
        return Dimension.HOUR in self.by

    @property
    def parameters(self) -> dict[str, Any]:
        """The same for a statement: whether to group by each dimension, and which rows count."""
        grouped = {f"by_{dimension}": dimension in self.by for dimension in Dimension}
        return grouped | {
            "tenant_id": self.tenant_id,
            "since": self.since,
            "until": self.until,
            "every_brand": self.brand_ids is None,
            "brand_ids": list(self.brand_ids or ()),
            "campaign_space_id": self.campaign_space_id,
            "platform": self.platform,
            "content_id": self.content_id,
        }

    def includes(self, figure: Performance) -> bool:
        """Whether it asks for this figure."""
        return (
            self.tenant_id == figure.tenant_id
            and self.since <= figure.day <= self.until
            and self.of_hours == (figure.hour is not None)
            and (self.brand_ids is None or figure.brand_id in self.brand_ids)
            and self.campaign_space_id in {None, figure.campaign_space_id}
            and self.platform in {None, figure.platform}
            and self.content_id in {None, figure.content_id}
        )


Answer = Mapping[Group, Sums]


def added(figures: Iterable[Performance], question: Question) -> dict[Group, Sums]:
    """The sums of those figures that a question asks for."""
    sums: dict[Group, Sums] = defaultdict(Sums)
    for figure in figures:
        if question.includes(figure):
            sums[Group.of(figure, question.by)] += figure.sums
    return dict(sums)


def answer_part(row: Sequence[Any]) -> tuple[Group, Sums]:
    """What one row of a statement says, whose columns are those of a group and of a sum."""
    names = Group.__struct_fields__
    told = dict(zip(Sums.__struct_fields__, row[len(names) :], strict=True))
    told["currencies"] = frozenset(told["currencies"] or ())
    return Group(**dict(zip(names, row, strict=False))), Sums(**told)


def merged(*answers: Answer) -> dict[Group, Sums]:
    """Several answers to one question, of which none counts what another does."""
    sums: dict[Group, Sums] = defaultdict(Sums)
    for answer in answers:
        for group, part in answer.items():
            sums[group] += part
    return dict(sums)


def require_span(since: date, until: date, *, days_max: int) -> None:
    """See that a span of days is one, and not too long.

    Raises:
        Invalid: It ends before it begins, or is too long.
    """
    if until < since:
        raise Invalid([FieldError("date_to", "lies before date_from")])
    if (until - since).days >= days_max:
        raise Invalid([FieldError("date_from", f"at most {days_max} days can be asked at once")])
