"""The routes of how content performs."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.params import FromPath

from engarde_daemon.api.access import reaches
from engarde_daemon.api.analytics.desk import AnalyticsDesk
from engarde_daemon.api.analytics.reading import FigureList, read_figures
from engarde_daemon.api.analytics.schemas import (
    AnalyticsOverview,
    ContentAnalytics,
    ContentQuestion,
    FigureCreate,
    FiguresTaken,
    OverviewQuestion,
)
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import NotFound

Asked = Request[Principal, Any, Any]


class AnalyticsController(Controller):
    """Figures in, and sums out."""

    path = "/api"
    tags = ("analytics",)
    guards = (reaches(Role.VIEWER),)

    @get(
        "/content/{content_id:str}/analytics",
        operation_id="readContentAnalytics",
        opt=promise(query=ContentQuestion, errors=(NotFound,)),
    )
    async def of_content(
        self, request: Asked, content_id: FromPath[str], analytics_desk: Given[AnalyticsDesk]
    ) -> ContentAnalytics:
        """How one content performed, by day and platform unless told otherwise.

        The last 30 days where none are named, 400 at most. Rates are computed from the sums: `ctr`
        is clicks, `engagement_rate` likes, shares, comments and saves, for each impression.
        """
        asked = decode_query(query_of(request.scope["query_string"]), ContentQuestion)
        return await analytics_desk.of_content(request.user, content_id, asked)

    @get(
        "/analytics/content",
        operation_id="readAnalytics",
        opt=promise(query=OverviewQuestion, errors=(NotFound,)),
    )
    async def overview(
        self, request: Asked, analytics_desk: Given[AnalyticsDesk]
    ) -> AnalyticsOverview:
        """How content performed, by day and platform unless told otherwise.

        `group_by` takes any of `day`, `hour`, `platform`, `campaign`, `brand` and `content`, or
        nothing for the totals alone. Figures of hours are told by `hour` only, and never added to
        those of their days.
        """
        asked = decode_query(query_of(request.scope["query_string"]), OverviewQuestion)
        return await analytics_desk.overview(request.user, asked)

    @post(
        "/analytics/content",
        operation_id="putAnalytics",
        status_code=200,
        guards=[reaches(Role.EDITOR)],
        opt=promise(body=FigureList[FigureCreate]),
    )
    async def take(self, request: Asked, analytics_desk: Given[AnalyticsDesk]) -> FiguresTaken:
        """Bring figures: each stands for what was said before of its content, platform, day and hour.

        So it is safe to repeat. All are taken, or none and every wrong one is named.
        """
        wish = read_figures(await request.body())
        return await analytics_desk.take(request.user, wish)
