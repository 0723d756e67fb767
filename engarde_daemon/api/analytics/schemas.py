"""What figures of content look like on the wire."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.fields import Moment
from engarde_daemon.domain.analytics import (
    CUSTOM_BYTES,
    FIGURE_MAX,
    FIRST_DAY,
    MONEY_DIGITS,
    PLATFORM_CHARACTERS,
    Answer,
    Dimension,
    Group,
    Performance,
    Sums,
)
from engarde_daemon.domain.errors import FieldError

FIGURES_MAX = 500
RATE_DIGITS = 6

# `(?!\n)` as in `content.schemas.Id`.
PlatformName = Annotated[
    str, Meta(pattern=rf"^[a-z0-9][a-z0-9_.-]{{0,{PLATFORM_CHARACTERS - 1}}}(?!\n)$")
]
Count = Annotated[int, Meta(ge=0, le=FIGURE_MAX)]
Amount = Annotated[float, Meta(ge=0, le=FIGURE_MAX)]
Day: TypeAlias = date  # fields are called `date` as well
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$")]


class FigureCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The figures of one content on one platform on a day, or in an hour of it."""

    content_id: Id
    platform: PlatformName
    date: Day
    hour: Moment | None = None
    impressions: Count = 0
    clicks: Count = 0
    likes: Count = 0
    shares: Count = 0
    comments: Count = 0
    saves: Count = 0
    conversions: Amount = 0.0
    spend: Amount = 0.0
    revenue: Amount = 0.0
    currency: Currency | None = None
    avg_watch_time: Amount | None = None
    custom_metrics: dict[str, Any] = {}

    def faults(self, today: Day) -> Iterator[FieldError]:
        """What no field can say of itself."""
        if not FIRST_DAY <= self.date <= today + timedelta(days=1):
            yield FieldError("date", f"must lie between {FIRST_DAY} and tomorrow")
        if self.hour is not None and not _is_hour_of(self.hour.utc, self.date):
            yield FieldError("hour", "must be the beginning of an hour of that date somewhere")
        if (self.spend or self.revenue) and self.currency is None:
            yield FieldError("currency", "is required where there is money")
        if len(msgspec.json.encode(self.custom_metrics)) > CUSTOM_BYTES:
            yield FieldError("custom_metrics", f"may take {CUSTOM_BYTES} bytes as JSON")

    def figure(self, tenant_id: str) -> Performance:
        """The figures as they are staged."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        day, hour = told.pop("date"), told.pop("hour")
        return Performance(tenant_id=tenant_id, day=day, hour=hour and hour.utc, **told)


class FiguresTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many figures were news, and how many said what had been said before."""

    taken: int
    unchanged: int


class ContentQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days are asked for, both included, and what is told apart."""

    date_from: Day | None = None
    date_to: Day | None = None
    group_by: list[Literal["day", "hour", "platform"]] | None = None


class OverviewQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which figures are asked for, and what is told apart; without a brand, of all your brands."""

    brand_id: Id | None = None
    campaign_space_id: Id | None = None
    platform: PlatformName | None = None
    content_id: Id | None = None
    date_from: Day | None = None
    date_to: Day | None = None
    group_by: list[Dimension] | None = None


class SumsView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures added up; money of several currencies has no sum."""

    impressions: int
    clicks: int
    likes: int
    shares: int
    comments: int
    saves: int
    conversions: float
    spend: float | None
    revenue: float | None
    currency: str | None
    ctr: float | None
    engagement_rate: float | None


class GroupView(SumsView, frozen=True, kw_only=True):
    """The sums of one group, with what its figures have in common."""

    date: Day | UnsetType = UNSET
    hour: datetime | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    campaign_space_id: str | None | UnsetType = UNSET
    brand_id: str | None | UnsetType = UNSET
    content_id: str | UnsetType = UNSET


class ContentAnalytics(msgspec.Struct, frozen=True, kw_only=True):
    """How one content performed."""

    content_id: str
    date_from: Day
    date_to: Day
    totals: SumsView
    data: list[GroupView]


class AnalyticsOverview(msgspec.Struct, frozen=True, kw_only=True):
    """How content performed."""

    date_from: Day
    date_to: Day
    totals: SumsView
    data: list[GroupView]


_NAMES: Mapping[Dimension, str] = {
    Dimension.DAY: "date",
    Dimension.CAMPAIGN: "campaign_space_id",
    Dimension.BRAND: "brand_id",
    Dimension.CONTENT: "content_id",
}


def sums_view(sums: Sums) -> dict[str, Any]:
    """The fields of a sum."""
    told = {name: getattr(sums, name) for name in sums.__struct_fields__}
    currencies = told.pop("currencies")
    told["conversions"] = round(sums.conversions, MONEY_DIGITS)
    for name in ("spend", "revenue"):
        told[name] = round(told[name], MONEY_DIGITS) if len(currencies) < 2 else None
    told["currency"] = next(iter(currencies)) if len(currencies) == 1 else None
    return told | {"ctr": _rate(sums.ctr), "engagement_rate": _rate(sums.engagement_rate)}


def groups_view(answer: Answer, by: frozenset[Dimension]) -> list[GroupView]:
    """The groups of an answer, by day and then by name."""
    return [
        GroupView(
            **{_NAMES.get(one, one.value): getattr(group, one) for one in by}, **sums_view(sums)
        )
        for group, sums in sorted(answer.items(), key=lambda part: _place(part[0]))
    ]


def _place(group: Group) -> tuple[date, datetime, str, str, str, str]:
    """Where a group stands in a list."""
    return (
        group.day or date.min,
        group.hour or datetime.min.replace(tzinfo=UTC),
        group.platform or "",
        group.campaign or "",
        group.brand or "",
        group.content or "",
    )


def _rate(rate: float | None) -> float | None:
    return None if rate is None else round(rate, RATE_DIGITS)


def _is_hour_of(moment: datetime, day: date) -> bool:
    """Whether an hour begins then, and the day is the one it is in some time zone."""
    whole = moment == moment.replace(minute=0, second=0, microsecond=0)
    return whole and abs((moment.date() - day).days) <= 1
