"""How each kind of job is done: a phase after the other, a page after the other.

Owns the bounds of a page, in versions and in bytes, and the pace: recovery gives way to people, and
to the limit that operators set.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import anyio
import msgspec

from actors.recovery.checking import Checker
from actors.recovery.restoring import Restorer
from engarde_daemon.domain.recovery import Job, Place, Progress, Report, Scope
from engarde_daemon.failpoints import RECOVERY_BEFORE_PAGE
from engarde_daemon.ports.recovery import Entry, Inventory

RESTORING = "restoring"
COMPARING = "comparing"
STRAYS = "looking for strays"

Work = Callable[[Sequence[Entry]], Awaitable[Report]]


class Errand(Protocol):
    """One kind of job."""

    def steps(self, job: Job) -> AsyncGenerator[Progress, None]:
        """Do it, and tell after each step how far it came; it may begin where another ended.

        Raises:
            Unavailable: A store does not answer; it may be gone on with later.
        """


class Walk:
    """Over all versions of a scope."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        page_versions: int,
        page_bytes: int,
        versions_per_s: float,
        rest_s: Callable[[], float],
    ) -> None:
        self._inventory = inventory
        self._page_versions = page_versions
        self._page_bytes = page_bytes
        self._versions_per_s = versions_per_s
        self._rest_s = rest_s

    async def over(
        self, scope: Scope, work: Work, *, phase: str, begun: Progress
    ) -> AsyncIterator[Progress]:
        """Work off page by page, from where `begun` stands if it is of this phase.

        Raises:
            Unavailable: A store does not answer.
        """
        progress = begun
        if begun.phase != phase:
            total = await self._inventory.count(scope)
            progress = Progress(phase=phase, total=total, report=begun.report)
        yield progress
        while page := await self._page(progress.place, scope):
            await RECOVERY_BEFORE_PAGE.reached()
            report = progress.report.plus(await work(page))
            last, done = page[-1].item, progress.done + len(page)
            progress = Progress(
                phase=phase,
                place=Place(last.tenant_id, last.id, last.version),
                done=done,
                total=max(progress.total, done),
                report=report,
            )
            yield progress
            await anyio.sleep(self._rest_s() + self._due_s(len(page)))

    async def _page(self, place: Place, scope: Scope) -> Sequence[Entry]:
        entries = await self._inventory.after(place, scope, most=self._page_versions)
        total_bytes = 0
        for count, entry in enumerate(entries):
            before = entry.previous.size_bytes if entry.previous else 0
            total_bytes += entry.item.size_bytes + before
            if count and total_bytes > self._page_bytes:
                return entries[:count]
        return entries

    def _due_s(self, versions: int) -> float:
        return versions / self._versions_per_s if self._versions_per_s else 0.0


class Restore:
    """Gives ZeroDB back what it has lost."""

    def __init__(self, walk: Walk, restorer: Restorer) -> None:
        self._walk = walk
        self._restorer = restorer

    async def steps(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See `Errand.steps`."""
        scope, begun = job.wish.scope, job.progress
        async for progress in self._walk.over(
            scope, self._restorer.page, phase=RESTORING, begun=begun
        ):
            yield progress


class Verify:
    """Compares all stores."""

    def __init__(self, walk: Walk, checker: Checker) -> None:
        self._walk = walk
        self._checker = checker

    async def steps(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See `Errand.steps`."""
        scope, progress = job.wish.scope, job.progress
        if progress.phase != STRAYS:
            async for progress in self._walk.over(  # noqa: B020 - the last one is gone on with
                scope, self._checker.page, phase=COMPARING, begun=progress
            ):
                yield progress
        compared = msgspec.structs.replace(progress, phase=STRAYS)
        yield compared
        report = compared.report
        async for strays in self._checker.strays(scope):
            report = report.plus(strays)
            yield compared  # a walk that is cut off begins anew, so nothing of it is kept
        yield msgspec.structs.replace(compared, report=report)
