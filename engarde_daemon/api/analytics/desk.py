"""What is done for a caller who brings figures of content, or asks for them.

Owns the order of reading: first what is staged, then what the archive has of all other keys. So a
figure that gets there meanwhile is counted once. Rates are those of the sums, or there are none.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import anyio

from engarde_daemon.api.analytics.reading import Wishes
from engarde_daemon.api.analytics.schemas import (
    AnalyticsOverview,
    ContentAnalytics,
    ContentQuestion,
    FiguresTaken,
    GroupView,
    OverviewQuestion,
    SumsView,
    groups_view,
    sums_view,
)
from engarde_daemon.api.fence import NO_CONTENT, Fence
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.analytics import (
    Answer,
    Dimension,
    Question,
    Sums,
    added,
    merged,
    require_span,
)
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound, Unavailable
from engarde_daemon.ports.access import BrandDirectory
from engarde_daemon.ports.analytics import PerformanceBook, StagedFigures
from engarde_daemon.ports.archive import FigureReader
from engarde_daemon.ports.content import ContentKey

DAYS_MAX = 400
DAYS_UNASKED = 30
GROUPS_MAX = 5_000
STAGED_MAX = 20_000
BY_DAY_AND_PLATFORM = (Dimension.DAY, Dimension.PLATFORM)


class AnalyticsDesk:
    """Serves the routes of analytics."""

    def __init__(
        self,
        *,
        book: PerformanceBook,
        staged: StagedFigures,
        archive: FigureReader,
        brands: BrandDirectory,
        fence: Fence,
        wake: Callable[[], None],
        now: Callable[[], datetime],
        timeout_s: float,
    ) -> None:
        self._book = book
        self._staged = staged
        self._archive = archive
        self._brands = brands
        self._fence = fence
        self._wake = wake
        self._now = now
        self._timeout_s = timeout_s

    async def take(self, principal: Principal, wish: Wishes) -> FiguresTaken:
        """Take figures in, all of them or none.

        Raises:
            Invalid: Some are wrong, or of no content that the caller may change; all are named.
            Unavailable: PostgreSQL does not answer.
        """
        faults = await self._faults(principal, wish)
        if faults:
            raise Invalid(
                [_at(index, fault) for index in sorted(faults) for fault in faults[index]]
            )
        figures = [one.figure(principal.tenant_id) for one in wish.figures.values()]
        staging = await self._book.stage(figures)
        self._wake()
        return FiguresTaken(taken=staging.staged, unchanged=staging.unchanged)

    async def of_content(
        self, principal: Principal, content_id: str, asked: ContentQuestion
    ) -> ContentAnalytics:
        """How one content performed.

        Raises:
            NotFound: There is no such content for the caller.
            Invalid: The days are none, or too many.
            Unavailable: PostgreSQL or the archive does not answer.
        """
        await self._fence.require_item(principal, content_id, Role.VIEWER)
        if await self._barred(principal, [content_id], Role.VIEWER):
            raise NotFound(NO_CONTENT)
        since, until = self._days(asked.date_from, asked.date_to)
        by = _dimensions(asked.group_by)
        question = Question(
            tenant_id=principal.tenant_id, since=since, until=until, by=by, content_id=content_id
        )
        totals, data = await self._answer(question)
        return ContentAnalytics(
            content_id=content_id, date_from=since, date_to=until, totals=totals, data=data
        )

    async def overview(self, principal: Principal, asked: OverviewQuestion) -> AnalyticsOverview:
        """How content performed.

        Raises:
            NotFound: There is no such brand for the caller.
            Invalid: The days are none or too many, or the groups are.
            Unavailable: PostgreSQL or the archive does not answer.
        """
        brand_ids = None if principal.brands is None else list(principal.brands)
        if asked.brand_id is not None:
            brand_ids = [await self._fence.brand(principal, asked.brand_id, Role.VIEWER)]
        since, until = self._days(asked.date_from, asked.date_to)
        question = Question(
            tenant_id=principal.tenant_id,
            since=since,
            until=until,
            by=_dimensions(asked.group_by),
            brand_ids=brand_ids,
            campaign_space_id=asked.campaign_space_id,
            platform=asked.platform,
            content_id=asked.content_id,
        )
        totals, data = await self._answer(question)
        return AnalyticsOverview(date_from=since, date_to=until, totals=totals, data=data)

    async def _answer(self, question: Question) -> tuple[SumsView, list[GroupView]]:
        try:
            with anyio.fail_after(self._timeout_s):
                answer = await self._sums(question)
        except TimeoutError as error:
            raise Unavailable(
                f"The archive did not add this up within {self._timeout_s:g} s. Ask for fewer days."
            ) from error
        if len(answer) > GROUPS_MAX:
            raise Invalid(
                [
                    FieldError(
                        "group_by", f"gives more than {GROUPS_MAX} groups: narrow the question"
                    )
                ]
            )
        totals = sum(answer.values(), Sums())
        return SumsView(**sums_view(totals)), groups_view(answer, question.by)

    async def _sums(self, question: Question) -> Answer:
        figures = await self._staged.waiting(question, most=STAGED_MAX + 1)
        if len(figures) > STAGED_MAX:
            raise Unavailable(
                f"More than {STAGED_MAX} figures of these days wait for the archive. Ask for fewer "
                "days, or come back when it has caught up.",
                after_s=30.0,
            )
        archived = await self._archive.sums(
            question, besides=[figure.metric_id for figure in figures], most=GROUPS_MAX + 1
        )
        return merged(archived, added(figures, question))

    async def _faults(self, principal: Principal, wish: Wishes) -> dict[int, list[FieldError]]:
        """What is wrong with which figure."""
        content_ids = sorted({figure.content_id for figure in wish.figures.values()})
        barred = await self._barred(principal, content_ids)
        today = self._now().date()
        found = {
            index: [*figure.faults(today), *barred.get(figure.content_id, ())]
            for index, figure in wish.figures.items()
        }
        return {**wish.faults, **{index: some for index, some in found.items() if some}}

    async def _barred(
        self, principal: Principal, content_ids: Sequence[str], required: Role = Role.EDITOR
    ) -> dict[str, tuple[FieldError]]:
        """What keeps the caller from these contents, by id."""
        barred = {
            content_id: (FieldError("content_id", error.told),)
            for content_id, error in (
                await self._fence.barred(principal, content_ids, required)
            ).items()
        }
        keys = [ContentKey(principal.tenant_id, one) for one in content_ids if one not in barred]
        brand_ids = await self._brands.brands_of(keys) if keys else []
        missing = (FieldError("content_id", NO_CONTENT),)
        return barred | {
            key.content_id: missing
            for key, brand_id in zip(keys, brand_ids, strict=True)
            if brand_id is None
        }

    def _days(self, since: date | None, until: date | None) -> tuple[date, date]:
        last = until or self._now().date()
        first = since or last - timedelta(days=DAYS_UNASKED - 1)
        require_span(first, last, days_max=DAYS_MAX)
        return first, last


def _dimensions(asked: Sequence[str] | None) -> frozenset[Dimension]:
    return frozenset(map(Dimension, BY_DAY_AND_PLATFORM if asked is None else asked))


def _at(index: int, fault: FieldError) -> FieldError:
    return FieldError(f"figures[{index}].{fault.field}".rstrip("."), fault.message)
