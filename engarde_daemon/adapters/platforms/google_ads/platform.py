"""Google Ads behind the `AdPlatform` port.

A query is one operation of a day's quota however many rows it gives, so a page is the whole answer
to one query, and a cursor names the next: ads first, then what is attached to the campaign, then
what a Performance Max campaign is made of. Figures go by weeks, which bounds an answer.
"""

from datetime import date, timedelta

from engarde_daemon.adapters.platforms.google_ads import queries
from engarde_daemon.adapters.platforms.google_ads.reading import asset_of, figures_of
from engarde_daemon.adapters.platforms.google_ads.searching import Search
from engarde_daemon.adapters.platforms.google_ads.shapes import Customer
from engarde_daemon.domain.importing import DateRange
from engarde_daemon.ports.platforms import (
    AssetPage,
    FiguresPage,
    PlatformFault,
    PlatformTrouble,
)

DAYS_PER_PAGE = 7

_LISTINGS = {
    "ads": queries.ads,
    "campaign_assets": queries.campaign_assets,
    "group_assets": queries.group_assets,
}
_NAMES = list(_LISTINGS)


class GoogleAds:
    """One account."""

    def __init__(self, search: Search) -> None:
        self._search = search

    async def count(self, campaign_id: str) -> int:
        """See `AdPlatform.count`."""
        if not await self._search.rows(queries.campaign(campaign_id)):
            told = "There is no such campaign in the account of the credential."
            raise PlatformFault(PlatformTrouble.REJECTED, told)
        pages = [await self.assets(campaign_id, name) for name in _NAMES]
        return len({asset.external_id for page in pages for asset in page.assets})

    async def assets(self, campaign_id: str, cursor: str | None) -> AssetPage:
        """See `AdPlatform.assets`."""
        place = _NAMES.index(cursor) if cursor in _LISTINGS else 0
        rows = await self._search.rows(_LISTINGS[_NAMES[place]](campaign_id))
        found = tuple(asset for row in rows if (asset := asset_of(row)) is not None)
        is_last = place + 1 == len(_NAMES)
        return AssetPage(assets=found, cursor=None if is_last else _NAMES[place + 1])

    async def figures(self, campaign_id: str, days: DateRange, cursor: str | None) -> FiguresPage:
        """See `AdPlatform.figures`."""
        since = date.fromisoformat(cursor) if cursor else days.start
        # Neither beyond the last day there is: the end may be that.
        until = since + min(days.end - since, timedelta(days=DAYS_PER_PAGE - 1))
        account = await self._account()
        rows = await self._search.rows(queries.ad_figures(campaign_id, since, until))
        found = tuple(one for row in rows if (one := figures_of(row, account)) is not None)
        if until >= days.end:
            return FiguresPage(rows=found, cursor=None)
        return FiguresPage(rows=found, cursor=(until + timedelta(days=1)).isoformat())

    async def locate(self, identity: str) -> str | None:
        """See `AdPlatform.locate`."""
        rows = await self._search.rows(queries.asset(identity))
        assets = [row.asset for row in rows if row.asset is not None]
        return assets[0].image_asset.full_size.url if assets else None

    async def _account(self) -> Customer:
        rows = await self._search.rows(queries.account())
        return next((row.customer for row in rows if row.customer is not None), Customer())
