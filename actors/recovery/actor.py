"""The recovery actor: one ordered job at a time, carried on by whoever has its lease.

Owns the life of a job. Each step is written down before the next begins, so that after a crash any
daemon goes on from there; a store that does not answer only delays it; whoever lost the lease stops
without another word.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any, assert_never

import anyio
import msgspec
import structlog
from anyio.abc import TaskGroup

from actors.clock import ticking
from actors.recovery.errands import Errand
from actors.recovery.messages import (
    CancelJob,
    FindJob,
    ListJobs,
    OrderJob,
    RecoveryMessage,
    Wake,
)
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Conflict, EngardeError, NotFound, Unavailable
from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.recovery import Job, JobKind, JobState, Progress
from engarde_daemon.ports.recovery import Bulletin, Claim, JobBook

STOP_LIMIT_S = 2.0
RETRY_S = 3.0
_ENDS = {
    JobState.COMPLETED: EventType.RECOVERY_COMPLETED,
    JobState.FAILED: EventType.RECOVERY_FAILED,
    JobState.CANCELLED: EventType.RECOVERY_FAILED,
}

_LOG = structlog.get_logger("engarde.recovery")


class RecoveryPace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a job belongs to a daemon, and how often it is looked whether there is one."""

    lease_s: float = 30.0
    poll_s: float = 1.0


class Recovery(Actor[RecoveryMessage]):
    """Takes orders, and carries them out."""

    def __init__(
        self,
        *,
        book: JobBook,
        bulletin: Bulletin,
        errands: Mapping[JobKind, Errand],
        new_id: Callable[[], str],
        pace: RecoveryPace,
    ) -> None:
        self._book = book
        self._bulletin = bulletin
        self._errands = errands
        self._new_id = new_id
        self._pace = pace
        self._claim: Claim | None = None
        self._progress = Progress(phase="")
        self._tasks: TaskGroup

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look for jobs."""
        self._tasks = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._tasks.cancel_scope.cancel)
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)

    async def stopping(self) -> None:
        """Give the job back, so that another daemon need not wait for the lease to run out."""
        self._tasks.cancel_scope.cancel()
        if self._claim is not None:
            with suppress(Unavailable), anyio.move_on_after(STOP_LIMIT_S, shield=True):
                await self._book.postpone(self._claim, after_s=0.0, reason="a daemon stopped")

    async def receive(self, message: RecoveryMessage) -> Any:
        """Take an order, tell how things stand, or look for work."""
        match message:
            case OrderJob():
                return await self._order(message)
            case CancelJob(job_id):
                await self._book.cancel(job_id)
                return await self._find(job_id)
            case FindJob(job_id):
                return await self._find(job_id)
            case ListJobs(most):
                return await self._book.newest(most)
            case Wake():
                return await self._look()
            case _:
                assert_never(message)

    async def _order(self, order: OrderJob) -> Job:
        job_id = order.promised_id or self._new_id()
        job = await self._book.order(job_id, order.kind, order.wish, by=order.ordered_by)
        if job is None and order.promised_id and (made := await self._book.find(job_id)):
            return made
        if job is None:
            raise Conflict(
                f"A job of this kind ({order.kind}) is not finished. Cancel it, or wait."
            )
        await self._look()
        return job

    async def _find(self, job_id: str) -> Job:
        job = await self._book.find(job_id)
        if job is None:
            raise NotFound("There is no such job.")
        return job

    async def _look(self) -> None:
        with suppress(Unavailable):
            if self._claim is None and (
                claim := await self._book.claim(lease_s=self._pace.lease_s)
            ):
                self._claim, self._progress = claim, claim.job.progress
                self._tasks.start_soon(self._work, claim)

    async def _work(self, claim: Claim) -> None:
        _LOG.info("recovery job", job_id=claim.job.id, kind=claim.job.kind, first=claim.is_first)
        try:
            if claim.is_first:
                await self._tell(claim.job, EventType.RECOVERY_STARTED)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, claim, tasks.cancel_scope)
                await self._carry_out(claim)
                tasks.cancel_scope.cancel()
        finally:
            if not self._tasks.cancel_scope.cancel_called:
                self._claim = None

    async def _keep(self, claim: Claim, work: anyio.CancelScope) -> None:
        """Extend the lease during long steps, and end work that is not ours or not wanted any more."""
        while True:
            await anyio.sleep(self._pace.lease_s / 3)
            with suppress(Unavailable):
                if not await self._goes_on(claim, self._progress):
                    work.cancel()

    async def _carry_out(self, claim: Claim) -> None:
        steps = self._errands[claim.job.kind].steps(claim.job)
        try:
            async with aclosing(steps):
                async for progress in steps:
                    self._progress = progress
                    if not await self._goes_on(claim, progress):
                        return
            await self._finish(claim, JobState.COMPLETED, None)
        except Unavailable as error:
            with suppress(Unavailable):  # else the lease runs out
                after_s = max(RETRY_S, error.after_s)
                await self._book.postpone(claim, after_s=after_s, reason=str(error))
        except EngardeError as error:
            with suppress(Unavailable):
                await self._finish(claim, JobState.FAILED, str(error))

    async def _goes_on(self, claim: Claim, progress: Progress) -> bool:
        state = await self._book.advance(claim, progress, lease_s=self._pace.lease_s)
        if state is JobState.CANCELLED:
            await self._finish(claim, JobState.CANCELLED, None)
        return state is JobState.RUNNING

    async def _finish(self, claim: Claim, state: JobState, error: str | None) -> None:
        if await self._book.settle(claim, state, error=error):
            _LOG.info("recovery job ended", job_id=claim.job.id, state=state, error=error)
            await self._tell(claim.job, _ENDS[state])

    async def _tell(self, job: Job, type_: EventType) -> None:
        """Tell operators, and the tenant whose content it is; a comparison is nobody's news."""
        if job.kind is JobKind.VERIFY:
            return
        with suppress(Unavailable):
            data: dict[str, object] = {"job_id": job.id, "kind": job.kind}
            await self._bulletin.post(type_, data, tenant_id=job.wish.scope.tenant_id)
