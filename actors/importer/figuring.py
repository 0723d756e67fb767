"""How assets did, told of the content that they became.

Owns that figures can be taken in again: a page that was staged by a daemon that died before it could
say so is staged anew, and what it says already changes nothing.
"""

from collections.abc import Sequence

import msgspec

from actors.importer.keys import PlatformKeys
from engarde_daemon.domain.analytics import Performance
from engarde_daemon.domain.importing import Platform, performance_of
from engarde_daemon.ports.analytics import PerformanceBook
from engarde_daemon.ports.importing import ImportBench, ImportClaim

ASSETS_PER_PAGE = 50
ROWS_PER_STAGE = 500


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many figures were taken in, and where the next ones begin; None after the last."""

    counted: int
    cursor: str | None
    wait_s: float = 0.0


class FigureTaker:
    """Takes figures in."""

    def __init__(self, bench: ImportBench, keys: PlatformKeys, book: PerformanceBook) -> None:
        self._bench = bench
        self._keys = keys
        self._book = book

    async def count(self, claim: ImportClaim, cursor: str | None) -> Counted:
        """Take in a page of figures.

        Raises:
            PlatformFault: The platform does not answer.
            Unavailable: PostgreSQL does not answer.
        """
        if claim.origin.platform is Platform.FILE:
            return await self._exported(claim, int(cursor or 0))
        return await self._asked(claim, cursor)

    async def _exported(self, claim: ImportClaim, after: int) -> Counted:
        assets = await self._bench.exported(claim, after=after, most=ASSETS_PER_PAGE)
        rows = [
            performance_of(one, claim.origin, content_id)
            for _, content_id, figures in assets
            for one in figures
        ]
        is_last = len(assets) < ASSETS_PER_PAGE
        return Counted(
            counted=await self._staged(rows), cursor=None if is_last else str(assets[-1][0])
        )

    async def _asked(self, claim: ImportClaim, cursor: str | None) -> Counted:
        origin = claim.origin
        platform = await self._keys.platform_of(origin.tenant_id, origin.platform)
        # The import's own day, so that a report that was ordered is found again tomorrow.
        days = claim.spec.days(claim.created_at.date())
        page = await platform.figures(origin.campaign_id, days, cursor)
        names = {one.external_id for one in page.rows}
        contents = await self._bench.contents(origin, sorted(names)) if names else {}
        rows = [
            performance_of(one, origin, contents[one.external_id])
            for one in page.rows
            if one.external_id in contents
        ]
        return Counted(counted=await self._staged(rows), cursor=page.cursor, wait_s=page.wait_s)

    async def _staged(self, rows: Sequence[Performance]) -> int:
        counted = 0
        for start in range(0, len(rows), ROWS_PER_STAGE):
            staging = await self._book.stage(rows[start : start + ROWS_PER_STAGE])
            counted += staging.staged + staging.unchanged
        return counted
