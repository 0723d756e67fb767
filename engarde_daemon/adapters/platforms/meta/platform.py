"""Meta behind the `AdPlatform` port.

Pages shrink when Meta asks for less at once. Figures are a report that Meta makes in the background:
its number is in the cursor, so that whoever takes the import over waits for the same report. It is
looked at ever more rarely, and one that is not done after an hour counts as failed.
"""

import json
import re
from typing import Any, Literal, TypeVar

import msgspec

from engarde_daemon.adapters.platforms.meta.graph import Graph, TooMuch
from engarde_daemon.adapters.platforms.meta.reading import IMAGE, VIDEO, asset_of, figures_of
from engarde_daemon.adapters.platforms.meta.shapes import (
    AD_FIELDS,
    FIGURE_FIELDS,
    Account,
    Ad,
    Campaign,
    Edge,
    Image,
    Insight,
    Ordered,
    Report,
    Video,
)
from engarde_daemon.domain.importing import CampaignAsset, DateRange, MediaReference
from engarde_daemon.ports.platforms import (
    AssetPage,
    FiguresPage,
    PlatformFault,
    PlatformTrouble,
)

ADS_PER_PAGE = 50
ROWS_PER_PAGE = 500
COUNT_PAGES_MAX = 10
REPORTS_MAX = 5
LOOKS_MAX = 120
LOOK_EVERY_MAX_S = 30.0
HASHES_AT_ONCE = 50

_FAILED = {"Job Failed", "Job Skipped"}
_ID = re.compile(r"[0-9]{1,30}")
_CURSOR = re.compile(r"[\x21-\x7e]{1,2000}")

T = TypeVar("T")


class _ReportCursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a report is: ordered, being made, or read up to a page."""

    step: Literal["order", "wait", "read"] = "order"
    run_id: str = ""
    after: str = ""
    tries: int = 1
    looks: int = 0


class Meta:
    """One ad account."""

    def __init__(self, graph: Graph, account_id: str, *, report_wait_s: float) -> None:
        self._graph = graph
        self._account = f"act_{account_id.removeprefix('act_')}"
        self._report_wait_s = report_wait_s

    async def count(self, campaign_id: str) -> int:
        """See `AdPlatform.count`."""
        await self._graph.get(_checked(campaign_id), Campaign, fields="id")
        counted, after = 0, ""
        for _ in range(COUNT_PAGES_MAX):
            page = await self._graph.get(
                f"{campaign_id}/ads", Edge[Campaign], fields="id", limit=500, **_after(after)
            )
            counted += len(page.data)
            onward = _onward_from(page, after)
            if onward is None:
                break
            after = onward
        return counted

    async def assets(self, campaign_id: str, cursor: str | None) -> AssetPage:
        """See `AdPlatform.assets`."""
        after = cursor or ""
        path = f"{_checked(campaign_id)}/ads"
        page = await self._page(path, Edge[Ad], ADS_PER_PAGE, fields=AD_FIELDS, **_after(after))
        assets = await self._with_urls([asset_of(ad) for ad in page.data])
        return AssetPage(assets=assets, cursor=_onward_from(page, after), wait_s=self._graph.rest_s)

    async def figures(self, campaign_id: str, days: DateRange, cursor: str | None) -> FiguresPage:
        """See `AdPlatform.figures`."""
        place = msgspec.json.decode(cursor or "{}", type=_ReportCursor)
        match place.step:
            case "order":
                return await self._order(_checked(campaign_id), days, place)
            case "wait":
                return await self._look(place)
            case "read":
                return await self._read(place)

    async def locate(self, identity: str) -> str | None:
        """See `AdPlatform.locate`."""
        kind, _, name = identity.partition(":")
        if f"{kind}:" == IMAGE:
            return (await self._urls([name])).get(name)
        if f"{kind}:" == VIDEO:
            return (await self._graph.get(_checked(name), Video, fields="source")).source
        return None

    async def _page(
        self, path: str, shape: type[Edge[T]], limit: int, **parameters: str | int
    ) -> Edge[T]:
        """A page, of fewer things where Meta asks for less at once."""
        while True:
            try:
                return await self._graph.get(path, shape, limit=limit, **parameters)
            except TooMuch:
                if limit == 1:
                    raise
                limit = (limit + 1) // 2

    async def _with_urls(self, assets: list[CampaignAsset]) -> tuple[CampaignAsset, ...]:
        """The same assets, with where their pictures are just now."""
        names = {one.identity for asset in assets for one in asset.media}
        hashes = sorted(n.removeprefix(IMAGE) for n in names if n.startswith(IMAGE))
        urls: dict[str, str | None] = {}
        for start in range(0, len(hashes), HASHES_AT_ONCE):
            urls |= await self._urls(hashes[start : start + HASHES_AT_ONCE])

        def located(one: MediaReference) -> MediaReference:
            url = urls.get(one.identity.removeprefix(IMAGE), one.url)
            return MediaReference(identity=one.identity, url=url)

        return tuple(
            msgspec.structs.replace(asset, media=tuple(located(one) for one in asset.media))
            for asset in assets
        )

    async def _urls(self, hashes: list[str]) -> dict[str, str | None]:
        found = await self._graph.get(
            f"{self._account}/adimages",
            Edge[Image],
            fields="hash,url",
            hashes=json.dumps(hashes),
            limit=500,
        )
        return {one.hash: one.url for one in found.data}

    async def _order(self, campaign_id: str, days: DateRange, place: _ReportCursor) -> FiguresPage:
        span = {"since": days.start.isoformat(), "until": days.end.isoformat()}
        ordered = await self._graph.post(
            f"{campaign_id}/insights",
            Ordered,
            level="ad",
            fields=FIGURE_FIELDS,
            time_range=json.dumps(span),
            time_increment=1,
        )
        return self._onward(
            _ReportCursor(step="wait", run_id=ordered.report_run_id, tries=place.tries)
        )

    async def _look(self, place: _ReportCursor) -> FiguresPage:
        report = await self._graph.get(_checked(place.run_id), Report, fields="async_status")
        if report.async_status == "Job Completed":
            return self._onward(msgspec.structs.replace(place, step="read"), wait_s=0.0)
        if report.async_status not in _FAILED and place.looks < LOOKS_MAX:
            wait_s = min(LOOK_EVERY_MAX_S, self._report_wait_s * 2.0**place.looks)
            again = msgspec.structs.replace(place, looks=place.looks + 1)
            return self._onward(again, wait_s=wait_s)
        if place.tries >= REPORTS_MAX:
            told = f"Meta's report on the campaign failed {place.tries} times."
            raise PlatformFault(PlatformTrouble.REJECTED, told)
        return self._onward(_ReportCursor(tries=place.tries + 1))

    async def _read(self, place: _ReportCursor) -> FiguresPage:
        account = await self._graph.get(self._account, Account, fields="currency,timezone_name")
        path = f"{_checked(place.run_id)}/insights"
        page = await self._page(path, Edge[Insight], ROWS_PER_PAGE, **_after(place.after))
        rows = tuple(
            figures_of(row, currency=account.currency, time_zone=account.timezone_name)
            for row in page.data
        )
        after = _onward_from(page, place.after)
        if after is None:
            return FiguresPage(rows=rows, cursor=None)
        onward = self._onward(msgspec.structs.replace(place, after=after), wait_s=0.0)
        return msgspec.structs.replace(onward, rows=rows)

    def _onward(self, place: _ReportCursor, *, wait_s: float | None = None) -> FiguresPage:
        rest_s = max(self._graph.rest_s, self._report_wait_s if wait_s is None else wait_s)
        cursor = msgspec.json.encode(place).decode()
        return FiguresPage(rows=(), cursor=cursor, wait_s=rest_s)


def _checked(name: str) -> str:
    """An id that may stand in a path."""
    if not _ID.fullmatch(name):
        raise PlatformFault(PlatformTrouble.REJECTED, "Meta has no such campaign: ids are digits.")
    return name


def _onward_from(page: Edge[Any], after: str) -> str | None:
    """Where the next page begins, if there is one; it never begins where this one does."""
    if page.paging.next is None:
        return None
    onward = page.paging.cursors.after or ""
    if onward == after or not _CURSOR.fullmatch(onward):
        told = "Meta does not say where the next page of its answer begins."
        raise PlatformFault(PlatformTrouble.BUSY, told)
    return onward


def _after(cursor: str) -> dict[str, str]:
    return {"after": cursor} if cursor else {}
