"""Moving to another ZeroDB while writes go on.

Everything is copied and, once more, caught up with, each row proved by its hash; then every daemon
uses the other store, and what was delivered to the old one in between is swept over. Owns the rule
that nothing is cut over to a store that lacks something, and that the old one is only ever read:
going back is the same way in the other direction, cut over first.
"""

from collections.abc import AsyncGenerator, Callable

import anyio
import msgspec

from actors.recovery.checking import Checker
from actors.recovery.errands import Walk, Work
from actors.recovery.restoring import Restorer
from engarde_daemon.domain.errors import Conflict, Rejected
from engarde_daemon.domain.recovery import Job, Progress, Report, Scope, Wish
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.crossing import Crossing, Named, Signpost

COPYING = "copying"
CATCHING_UP = "catching up"
CUTTING_OVER = "cutting over"
SWEEPING = "sweeping"
COMPARING_MOVED = "comparing"
FORWARD = (COPYING, CATCHING_UP, CUTTING_OVER, SWEEPING, COMPARING_MOVED)
BACK = (CUTTING_OVER, SWEEPING, COMPARING_MOVED)

_EVERYTHING = Scope()


class Migrate:
    """Moves to the store of `[zerodb_next]`, or back."""

    def __init__(
        self,
        walk: Walk,
        crossing: Crossing,
        signpost: Signpost,
        *,
        restorer: Callable[[BodyStore], Restorer],
        checker: Callable[[BodyStore], Checker],
        settle_s: float,
    ) -> None:
        self._walk = walk
        self._crossing = crossing
        self._signpost = signpost
        self._restorer = restorer
        self._checker = checker
        self._settle_s = settle_s

    async def steps(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See `Errand.steps`.

        Raises:
            Rejected: There is no other store, or it is in use already.
            Conflict: The other store did not take everything; nothing was cut over.
        """
        target, progress = self._target(job.wish, job.progress), job.progress
        phases = BACK if job.wish.back else FORWARD
        begun = phases.index(progress.phase) if progress.phase in phases else 0
        for phase in phases[begun:]:
            if phase == CUTTING_OVER:
                async for progress in self._cut_over(target, progress):  # noqa: B020 - likewise
                    yield progress
            else:
                work = self._work(phase, target)
                async for progress in self._walk.over(  # noqa: B020 - the last one is gone on with
                    _EVERYTHING, work, phase=phase, begun=_afresh(progress, phase)
                ):
                    yield progress

    def _target(self, wish: Wish, progress: Progress) -> Named:
        following = self._crossing.following
        if following is None:
            raise Rejected("Name the ZeroDB to move to in [zerodb_next] of every daemon first.")
        target = self._crossing.configured if wish.back else following
        if not progress.phase and self._crossing.is_using(target.address):
            raise Rejected("This ZeroDB is in use already: there is nothing to move.")
        return target

    def _work(self, phase: str, target: Named) -> Work:
        if phase == COMPARING_MOVED:
            return self._checker(target.store).page
        return self._restorer(target.store).page

    async def _cut_over(self, target: Named, progress: Progress) -> AsyncGenerator[Progress, None]:
        if progress.report.differences_total:
            raise Conflict(
                f"{progress.report.differences_total} versions could not be moved, so nothing was "
                "cut over. The report names them."
            )
        yield msgspec.structs.replace(progress, phase=CUTTING_OVER)
        await target.store.prepare()
        await self._signpost.point_to(target.address)
        await anyio.sleep(self._settle_s)  # until every daemon has looked


def _afresh(progress: Progress, phase: str) -> Progress:
    """Each phase has a report of its own, but for what was moved so far."""
    if progress.phase == phase:
        return progress
    return msgspec.structs.replace(progress, report=Report(restored=progress.report.restored))
