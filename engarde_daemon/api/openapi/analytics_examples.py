"""Examples of the routes of analytics; see `examples`."""

from datetime import date
from typing import Any

from engarde_daemon.api.analytics.reading import FigureList
from engarde_daemon.api.analytics.schemas import (
    AnalyticsOverview,
    ContentAnalytics,
    FigureCreate,
    FiguresTaken,
    GroupView,
    SumsView,
    sums_view,
)
from engarde_daemon.domain.analytics import Sums

_CONTENT = "01a20506-e2c2-75db-bf6a-a94a82058695"
_DAY = date(2026, 3, 2)
_SUMS = Sums(
    impressions=18_400,
    clicks=322,
    likes=210,
    shares=18,
    comments=12,
    saves=36,
    conversions=4.5,
    spend=61.2,
    revenue=410.0,
    currencies=frozenset({"EUR"}),
)
_TOTALS = SumsView(**sums_view(_SUMS))
_DATA = [GroupView(**sums_view(_SUMS), date=_DAY, platform="instagram")]

ANSWERS: dict[Any, Any] = {
    FiguresTaken: FiguresTaken(taken=1, unchanged=0),
    ContentAnalytics: ContentAnalytics(
        content_id=_CONTENT, date_from=_DAY, date_to=_DAY, totals=_TOTALS, data=_DATA
    ),
    AnalyticsOverview: AnalyticsOverview(date_from=_DAY, date_to=_DAY, totals=_TOTALS, data=_DATA),
}
REQUESTS: dict[Any, Any] = {
    FigureList[FigureCreate]: {
        "figures": [
            {
                "content_id": _CONTENT,
                "platform": "instagram",
                "date": "2026-03-02",
                "impressions": 18_400,
                "clicks": 322,
                "spend": 61.2,
                "currency": "EUR",
            }
        ]
    }
}
