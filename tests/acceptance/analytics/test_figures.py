"""Figures go in, sums come out: from the first moment on, and from the archive afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.content import created, fields_of, new_space, problem_of
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

DAY = "2026-06-01"
LATER = "2026-06-02"
SPAN = {"date_from": DAY, "date_to": LATER}
_STAGED = "select count(*) from engarde.archive_dues where tenant_id = $1 and table_name = 'content_analytics'"


def figure(content_id: str, **changes: Any) -> dict[str, Any]:
    """A figure of a content, as a client sends it."""
    told = {"content_id": content_id, "platform": "meta", "date": DAY, "impressions": 200}
    return {**told, "clicks": 10, "likes": 6, "shares": 3, "comments": 1, **changes}


async def brought(http: httpx.AsyncClient, *figures: dict[str, Any]) -> dict[str, Any]:
    """What is answered to these figures, which nothing is wrong with."""
    answer = await http.post("/api/analytics/content", json={"figures": figures})
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


async def told(http: httpx.AsyncClient, path: str = "/api/analytics/content", **asked: Any) -> Any:
    """What is answered to a question about two days."""
    answer = await http.get(path, params={**SPAN, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def archived(daemon: SharedDaemon, tenant: Tenant) -> None:
    """Wait until nothing of a tenant is staged any more."""
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:

        async def is_carried() -> bool:
            return int(await link.fetchval(_STAGED, tenant.tenant_id)) == 0

        await eventually(is_carried)
    finally:
        link.terminate()


class TestRefused:
    """What is wrong is named, all of it, and nothing is taken."""

    async def test_every_wrong_figure_is_named(self, http: httpx.AsyncClient):
        """By its place, for each of its faults."""
        item = await created(http)
        wrong = [
            figure(item["id"]),
            figure("nobody"),
            figure(item["id"], spend=1.5),
            figure(item["id"], date="1999-12-31"),
            figure(item["id"], hour="2026-06-01T09:30:00Z", custom_metrics={"x": "y" * 5000}),
        ]

        answer = await http.post("/api/analytics/content", json={"figures": wrong})

        assert fields_of(answer) == {
            "figures[1].content_id",
            "figures[2].currency",
            "figures[3].date",
            "figures[4].hour",
            "figures[4].custom_metrics",
        }
        assert (await told(http))["data"] == []

    @pytest.mark.parametrize(
        "change",
        [
            {"clicks": -1},
            {"clicks": 1.5},
            {"impressions": 10**13},
            {"currency": "euro"},
            {"platform": "Meta Ads"},
            {"ctr": 0.5},
            {"hour": "2026-06-01T09:00:00"},
        ],
    )
    async def test_a_field_that_is_wrong(self, http: httpx.AsyncClient, change: dict[str, Any]):
        """Rates among them: they are computed."""
        item = await created(http)

        answer = await http.post(
            "/api/analytics/content", json={"figures": [figure(item["id"], **change)]}
        )

        assert fields_of(answer) == {f"figures[0].{next(iter(change))}"}

    async def test_no_more_than_five_hundred_at_once(self, http: httpx.AsyncClient):
        """Nor none."""
        item = await created(http)
        for figures in ([], [figure(item["id"])] * 501):
            answer = await http.post("/api/analytics/content", json={"figures": figures})
            assert fields_of(answer) == {"figures"}

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"date_from": LATER, "date_to": DAY}, "date_to"),
            ({"date_from": "2020-01-01"}, "date_from"),
            ({"group_by": "colour"}, "group_by[0]"),
            ({"date_from": "yesterday"}, "date_from"),
        ],
    )
    async def test_questions_are_bounded(self, http: httpx.AsyncClient, asked: Any, field: str):
        """In what they ask, and for how many days."""
        answer = await http.get("/api/analytics/content", params={**SPAN, **asked})

        assert fields_of(answer) == {field}

    async def test_a_strangers_content_is_none(
        self, http: httpx.AsyncClient, stranger: httpx.AsyncClient
    ):
        """Neither to read nor to bring figures of, nor in any sum."""
        item = await created(http)
        await brought(http, figure(item["id"]))

        problem_of(await stranger.get(f"/api/content/{item['id']}/analytics"), 404)
        answer = await stranger.post(
            "/api/analytics/content", json={"figures": [figure(item["id"])]}
        )
        assert fields_of(answer) == {"figures[0].content_id"}
        assert (await told(stranger, content_id=item["id"]))["data"] == []


class TestSums:
    """Figures are added up, and rates are those of the sums."""

    async def test_a_content_by_day_and_platform(
        self, http: httpx.AsyncClient, daemon: SharedDaemon, tenant: Tenant
    ):
        """The same while they are staged and when the archive has them."""
        item = await created(http)
        path = f"/api/content/{item['id']}/analytics"
        await brought(
            http,
            figure(item["id"], conversions=1.5, spend=2.5, currency="EUR"),
            figure(item["id"], date=LATER, impressions=0, clicks=0, likes=0, shares=0, comments=0),
            figure(item["id"], platform="google_ads", clicks=2, spend=0.25, currency="EUR"),
        )
        before = await told(http, path)

        await archived(daemon, tenant)

        assert await told(http, path) == before
        assert before["content_id"] == item["id"]
        assert [(row["date"], row["platform"], row["ctr"]) for row in before["data"]] == [
            (DAY, "google_ads", 0.01),
            (DAY, "meta", 0.05),
            (LATER, "meta", None),
        ]
        totals = before["totals"]
        assert (totals["ctr"], totals["engagement_rate"]) == (0.03, 0.05)
        assert (totals["spend"], totals["currency"], totals["conversions"]) == (2.75, "EUR", 1.5)

    async def test_a_figure_that_changed_counts_once(
        self, http: httpx.AsyncClient, daemon: SharedDaemon, tenant: Tenant
    ):
        """While the archive has the older one and afterwards."""
        item = await created(http)
        assert await brought(http, figure(item["id"])) == {"taken": 1, "unchanged": 0}
        await archived(daemon, tenant)
        assert await brought(http, figure(item["id"])) == {"taken": 0, "unchanged": 1}

        await brought(http, figure(item["id"], clicks=12))
        at_once = await told(http)
        await archived(daemon, tenant)

        assert at_once["totals"]["clicks"] == 12
        assert (await told(http))["totals"] == at_once["totals"]

    async def test_hours_are_told_by_hour_alone(self, http: httpx.AsyncClient):
        """They are a closer look at their day."""
        item = await created(http)
        hour = "2026-06-01T09:00:00Z"
        await brought(http, figure(item["id"]), figure(item["id"], hour=hour, clicks=4))

        by_hour = await told(http, group_by="hour")

        assert (await told(http))["totals"]["clicks"] == 10
        assert [(row["hour"], row["clicks"]) for row in by_hour["data"]] == [(hour, 4)]

    async def test_groups_and_filters_of_the_overview(self, http: httpx.AsyncClient):
        """By campaign, brand and content; narrowed by each of them."""
        space = await new_space(http)
        ad, post = await created(http, campaign_space_id=space), await created(http)
        await brought(http, figure(ad["id"], clicks=7), figure(post["id"], clicks=1))

        by_all = await told(http, group_by="campaign,brand,content")
        of_campaign = await told(http, campaign_space_id=space, group_by="content")
        totals_alone = await told(http, brand_id=ad["brand_id"], platform="meta", group_by="")

        assert {
            (row["campaign_space_id"], row["brand_id"], row["content_id"], row["clicks"])
            for row in by_all["data"]
        } == {(space, ad["brand_id"], ad["id"], 7), (None, ad["brand_id"], post["id"], 1)}
        assert [row["content_id"] for row in of_campaign["data"]] == [ad["id"]]
        assert totals_alone["totals"]["clicks"] == 8

    async def test_money_of_two_currencies_has_no_sum(self, http: httpx.AsyncClient):
        """Each of them has."""
        item = await created(http)
        await brought(
            http,
            figure(item["id"], spend=1, currency="EUR"),
            figure(item["id"], platform="google_ads", spend=2, currency="USD"),
        )

        answer = await told(http)

        assert (answer["totals"]["spend"], answer["totals"]["currency"]) == (None, None)
        assert [(row["spend"], row["currency"]) for row in answer["data"]] == [
            (2, "USD"),
            (1, "EUR"),
        ]

    async def test_the_last_thirty_days_unless_told_otherwise(self, http: httpx.AsyncClient):
        """Today among them."""
        item = await created(http)
        today = datetime.now(UTC).date()
        old = today - timedelta(days=30)
        await brought(http, *(figure(item["id"], date=str(day)) for day in (today, old)))

        answer = (await http.get("/api/analytics/content")).json()

        assert {row["date"] for row in answer["data"]} <= {
            str(today),
            str(today + timedelta(days=1)),
        }
        assert answer["totals"]["clicks"] == 10


class TestBrands:
    """Inside a tenant, a caller of one brand sees the figures of that brand."""

    async def test_figures_of_another_brand_are_not_there(
        self, daemon: SharedDaemon, tenant: Tenant
    ):
        """In no sum, and not to be brought."""
        other = await daemon.new_brand(tenant)
        async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as admin:
            wish = {"role": "editor", "brand_ids": [tenant.brand_id]}
            key = (await admin.post("/api/keys", json=wish)).json()["api_key"]
            theirs = await created(admin, brand_id=other)
            ours = await created(admin, brand_id=tenant.brand_id)
            await brought(admin, figure(theirs["id"], clicks=100), figure(ours["id"]))
        async with daemon.caller(key) as lodger:
            assert (await told(lodger))["totals"]["clicks"] == 10
            problem_of(await lodger.get(f"/api/content/{theirs['id']}/analytics"), 404)
            problem_of(await lodger.get("/api/analytics/content", params={"brand_id": other}), 404)
            refused = await lodger.post(
                "/api/analytics/content", json={"figures": [figure(theirs["id"])]}
            )
            assert fields_of(refused) == {"figures[0].content_id"}


async def test_an_erased_content_leaves_no_figures(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Neither staged nor in the archive."""
    item = await created(http)
    await brought(http, figure(item["id"]))
    await archived(daemon, tenant)
    await brought(http, figure(item["id"], clicks=11))
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as admin:
        gone = await admin.delete(f"/api/content/{item['id']}", params={"permanent": "true"})
        assert gone.is_success, gone.text
    await daemon.begin_anew("steward")

    async def is_forgotten() -> bool:
        return not (await told(http))["data"]

    await eventually(is_forgotten)
