"""Figures of content: one key each, and sums from which alone rates are computed."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from engarde_daemon.domain.analytics import (
    Dimension,
    Group,
    Performance,
    Question,
    Sums,
    added,
    answer_part,
    merged,
    require_span,
)
from engarde_daemon.domain.errors import Invalid

DAY = date(2026, 6, 1)
FIGURE = Performance(
    tenant_id="t",
    content_id="c",
    platform="meta",
    day=DAY,
    brand_id="b",
    campaign_space_id="s",
    impressions=1000,
    clicks=20,
    likes=30,
    shares=5,
    comments=4,
    saves=1,
    conversions=2.5,
    spend=12.34,
    revenue=99.0,
    currency="EUR",
    custom_metrics={"time_zone": "Europe/Berlin"},
)
EVERYTHING = Question(tenant_id="t", since=DAY, until=DAY)


def with_(**changes: object) -> Performance:
    """A figure that differs from the others in this."""
    return msgspec.structs.replace(FIGURE, **changes)


class TestRates:
    """They are computed, or there is none."""

    def test_there_is_no_rate_where_nothing_was_seen(self):
        """Rather than a zero, which would be a bad rate."""
        assert Sums(clicks=3, likes=1).ctr is None
        assert Sums(clicks=3, likes=1).engagement_rate is None

    def test_rates_are_of_the_sums(self):
        """Not the mean of the rates."""
        both = FIGURE.sums + Sums(impressions=9000)

        assert both.ctr == 20 / 10_000
        assert both.engagement_rate == 40 / 10_000


class TestKeys:
    """Whoever tells the same figure names the same one."""

    @pytest.mark.parametrize(
        "change",
        [
            {"tenant_id": "u"},
            {"content_id": "d"},
            {"platform": "google_ads"},
            {"day": DAY + timedelta(days=1)},
            {"hour": datetime(2026, 6, 1, 9, tzinfo=UTC)},
        ],
    )
    def test_another_place_is_another_key(self, change):
        """Of tenant, content, platform, day and hour."""
        assert with_(**change).metric_id != FIGURE.metric_id

    def test_another_figure_is_another_revision_of_the_same_key(self):
        """And the digest tells."""
        later = with_(clicks=21)

        assert later.metric_id == FIGURE.metric_id
        assert later.digest != FIGURE.digest

    def test_the_brand_is_no_news(self):
        """It is the content's, whatever the figure says."""
        assert with_(brand_id=None).digest == FIGURE.digest


class TestRows:
    """The archive's rows say all of it."""

    def test_a_figure_comes_back_from_its_row(self):
        """With fractions of conversions, for which the platform's own column has no room."""
        row = FIGURE.row

        assert Performance.from_row(row) == FIGURE
        assert row["conversions"] == 2
        assert row["ctr"] == 0.02


class TestAdding:
    """Figures are added to what they have in common."""

    def test_hours_are_not_added_to_their_day(self):
        """The day's own figure is the day's."""
        hour = with_(hour=datetime(2026, 6, 1, 9, tzinfo=UTC), clicks=7)
        by_hour = msgspec.structs.replace(EVERYTHING, by=frozenset({Dimension.HOUR}))

        assert added([FIGURE, hour], EVERYTHING)[Group()].clicks == 20
        assert added([FIGURE, hour], by_hour) == {Group(hour=hour.hour): hour.sums}

    @pytest.mark.parametrize(
        "change",
        [
            {"tenant_id": "u"},
            {"day": DAY - timedelta(days=1)},
            {"day": DAY + timedelta(days=1)},
            {"brand_id": "other"},
            {"brand_id": None},
            {"campaign_space_id": None},
            {"platform": "google_ads"},
            {"content_id": "d"},
        ],
    )
    def test_what_is_not_asked_for_is_left_out(self, change):
        """By each of the filters."""
        question = msgspec.structs.replace(
            EVERYTHING, brand_ids=["b"], campaign_space_id="s", platform="meta", content_id="c"
        )

        assert added([FIGURE, with_(**change)], question) == {Group(): FIGURE.sums}

    def test_groups_are_told_apart_by_what_is_asked(self):
        """And by nothing else."""
        question = msgspec.structs.replace(
            EVERYTHING, by=frozenset(Dimension) - {Dimension.HOUR, Dimension.DAY}
        )
        other = with_(platform="google_ads", likes=0)

        sums = added([FIGURE, other], question)

        assert sums == {
            Group(platform="meta", campaign="s", brand="b", content="c"): FIGURE.sums,
            Group(platform="google_ads", campaign="s", brand="b", content="c"): other.sums,
        }

    def test_answers_are_merged_group_by_group(self):
        """What both tell of is added up, currencies are kept."""
        one = {Group(platform="a"): Sums(clicks=1, currencies=frozenset({"EUR"}))}
        two = {
            Group(platform="a"): Sums(clicks=2, currencies=frozenset({"USD"})),
            Group(platform="b"): Sums(),
        }

        assert merged(one, two) == {
            Group(platform="a"): Sums(clicks=3, currencies=frozenset({"EUR", "USD"})),
            Group(platform="b"): Sums(),
        }

    def test_without_a_currency_none_is_counted(self):
        """No money was told."""
        assert with_(currency=None).sums.currencies == frozenset()


class TestStatements:
    """Questions become parameters, rows become answers."""

    def test_a_question_says_what_is_grouped_and_what_counts(self):
        """Where no brand is named, every one counts."""
        question = msgspec.structs.replace(EVERYTHING, by=frozenset({Dimension.DAY}))

        asked = question.parameters

        assert (asked["by_day"], asked["by_hour"]) == (True, False)
        assert (asked["every_brand"], asked["brand_ids"]) == (True, [])
        named = msgspec.structs.replace(question, brand_ids=["b"]).parameters
        assert (named["every_brand"], named["brand_ids"]) == (False, ["b"])

    @pytest.mark.parametrize("currencies", [["EUR"], [], None])
    def test_a_row_is_a_group_and_its_sums(self, currencies):
        """In the order of their fields; no currency may come as nothing."""
        row = (DAY, None, "meta", None, None, "c", 1, 2, 3, 4, 5, 6, 0.5, 1.5, 2.5, currencies)

        group, sums = answer_part(row)

        assert group == Group(day=DAY, platform="meta", content="c")
        assert (sums.impressions, sums.saves, sums.revenue) == (1, 6, 2.5)
        assert sums.currencies == frozenset(currencies or ())


class TestSpans:
    """Questions are bounded."""

    def test_a_span_ends_after_it_begins(self):
        """Else it is refused by the name of its end."""
        with pytest.raises(Invalid) as refused:
            require_span(DAY, DAY - timedelta(days=1), days_max=3)

        assert refused.value.errors[0].field == "date_to"

    def test_a_span_is_bounded(self):
        """Both days belong to it."""
        require_span(DAY, DAY + timedelta(days=2), days_max=3)
        with pytest.raises(Invalid, match="at most 3 days"):
            require_span(DAY, DAY + timedelta(days=3), days_max=3)
