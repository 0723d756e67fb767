"""One import, from its claim to its end or to where it must wait.

Owns the order of its stages. What is listed is written down page by page with the place where the
listing goes on, so that whoever takes the import over lists nothing twice; assets are taken in after
that, side by side; figures come last, because they belong to content that must be there.
"""

from collections.abc import Callable

import anyio
import msgspec

from actors.backoff import Backoff
from actors.importer.figuring import FigureTaker
from actors.importer.keys import PlatformKeys
from actors.importer.taking import AssetTaker
from engarde_daemon.domain.importing import Stage, cleaned
from engarde_daemon.failpoints import IMPORTER_BEFORE_NOTE
from engarde_daemon.ports.importing import ImportBench, ImportClaim, Portion, Task
from engarde_daemon.ports.platforms import AssetPage, PlatformFault, PlatformTrouble
from engarde_daemon.ports.secrets import SealedKey

ATTEMPTS_MAX = 40
BACKOFF = Backoff(first_s=1.0, longest_s=300.0)
PAUSED_S = 1.0
TASKS_PER_LOOK = 64
ASSETS_PER_PORTION = 500
REST_MAX_S = 60.0


class Watch(msgspec.Struct, eq=False):
    """An import under way here: how to end it at once, and what it is told to do soon."""

    claim: ImportClaim
    scope: anyio.CancelScope
    is_cancelled: bool = False
    is_stopping: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether more of it may be begun."""
        return not (self.is_cancelled or self.is_stopping)


class ClaimLost(Exception):
    """Another daemon has the import by now."""


class Errand:
    """Sees imports through."""

    def __init__(
        self,
        bench: ImportBench,
        keys: PlatformKeys,
        *,
        taker: AssetTaker,
        figures: FigureTaker,
        places: int,
        poll_s: float,
        random: Callable[[], float],
    ) -> None:
        self._bench = bench
        self._keys = keys
        self._taker = taker
        self._figures = figures
        self._places = anyio.CapacityLimiter(places)
        self._poll_s = poll_s
        self._random = random

    async def see_through(self, watch: Watch) -> bool:
        """Work on an import; answers whether it ended.

        Raises:
            Unavailable: PostgreSQL does not answer; the import comes back with its lease.
            ClaimLost: Another daemon has it by now.
        """
        claim = watch.claim
        key = await self._keys.key_of(claim.origin.tenant_id, claim.origin.platform)
        try:
            if watch.goes_on:
                await self._work(watch)
        except PlatformFault as fault:
            return await self._after(claim, key, fault)
        if watch.is_stopping and not watch.is_cancelled:
            await self._bench.postpone(claim, after_s=0.0, reason="The daemon was stopped.")
            return False
        return await self._bench.settle(claim, failure=None)

    async def _work(self, watch: Watch) -> None:
        claim = watch.claim
        if claim.spec.import_assets:
            if claim.stage is Stage.LISTING:
                await self._list(watch)
            if claim.stage is not Stage.PERFORMANCE:
                await self._take_all(watch)
        if claim.spec.import_performance:
            await self._count_all(watch)

    async def _list(self, watch: Watch) -> None:
        claim = watch.claim
        platform = await self._keys.platform_of(claim.origin.tenant_id, claim.origin.platform)
        cursor = claim.cursor
        while watch.goes_on:
            page = await platform.assets(claim.origin.campaign_id, cursor)
            for portion in _portions(page, cursor):
                _require(await self._bench.list(claim, portion))
            cursor = page.cursor
            if cursor is None:
                return
            await anyio.sleep(min(page.wait_s, REST_MAX_S))

    async def _take_all(self, watch: Watch) -> None:
        while watch.goes_on:
            tasks = await self._bench.tasks(watch.claim, most=TASKS_PER_LOOK)
            if tasks is None:
                return
            async with anyio.create_task_group() as group:
                for task in tasks:
                    group.start_soon(self._take, watch, task)
            if not tasks:  # those that are left must wait
                await anyio.sleep(self._poll_s)

    async def _take(self, watch: Watch, task: Task) -> None:
        async with self._places:
            if watch.goes_on:
                step = await self._taker.take(watch.claim, task)
                await IMPORTER_BEFORE_NOTE.reached()
                _require(await self._bench.note(watch.claim, step))

    async def _count_all(self, watch: Watch) -> None:
        claim = watch.claim
        cursor = claim.cursor if claim.stage is Stage.PERFORMANCE else None
        while watch.goes_on:
            page = await self._figures.count(claim, cursor)
            cursor = page.cursor
            _require(await self._bench.turn(claim, Stage.PERFORMANCE, cursor, figures=page.counted))
            if cursor is None:
                return
            await anyio.sleep(min(page.wait_s, REST_MAX_S))

    async def _after(self, claim: ImportClaim, key: SealedKey, fault: PlatformFault) -> bool:
        """What follows from a platform without an answer."""
        if fault.trouble is PlatformTrouble.LOCKED:
            await self._keys.pause(key, fault.detail)
            await self._bench.postpone(claim, after_s=PAUSED_S, reason=fault.detail)
            return False
        if fault.trouble is not PlatformTrouble.BUSY or claim.attempts >= ATTEMPTS_MAX:
            return await self._bench.settle(claim, failure=fault.detail)
        wait_s = fault.after_s
        if wait_s is None:
            wait_s = BACKOFF.wait_s(claim.attempts, self._random())
        await self._bench.postpone(claim, after_s=wait_s, reason=fault.detail)
        return False


def _portions(page: AssetPage, cursor: str | None) -> list[Portion]:
    """A page in parts that are written down one by one; only the last moves the cursor."""
    starts = range(0, len(page.assets), ASSETS_PER_PORTION)
    assets = tuple(cleaned(asset) for asset in page.assets)
    parts = [assets[start : start + ASSETS_PER_PORTION] for start in starts] or [()]
    *earlier, last = parts
    whole = Portion(assets=last, cursor=page.cursor, is_last=page.cursor is None)
    return [*[Portion(assets=part, cursor=cursor) for part in earlier], whole]


def _require(is_held: bool) -> None:  # noqa: FBT001 - the question is the argument
    if not is_held:
        raise ClaimLost
