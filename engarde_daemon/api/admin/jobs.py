"""Jobs of any kind and tenant, ended or repeated by an operator who knows no more than their ids.

Owns the way to whoever answers for a job: it is found in PostgreSQL, with its kind and its tenant,
and its actor is asked for it with both, as the tenant itself would ask.
"""

from litestar import Controller, post
from litestar.params import FromPath

from actors.dispatcher.messages import CancelImport, DispatcherMessage
from actors.foreman.messages import CancelJob, ForemanMessage, RetryJob
from actors.recovery import messages as recovery
from engarde_daemon.api.access import reaches
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.contract import promise
from engarde_daemon.api.giving import Given
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Role
from engarde_daemon.domain.errors import Conflict, Exhausted, NotFound
from engarde_daemon.domain.recovery import JobState
from engarde_daemon.ports.generation import JobKey
from engarde_daemon.ports.importing import ImportKey
from engarde_daemon.ports.overview import JobStanding, QueueOffice

NO_JOB = "There is no such job."
ENDED = "The job has ended already."
GOES_ON = (
    "Only generation jobs have failed pieces to retry. A recovery job goes on by itself where its store "
    "answers again; for one that failed, order another."
)
IMPORT_AGAIN = (
    "Only generation jobs have failed pieces to retry. Have the campaign imported again: what is there "
    "already stays as it is."
)
_BEYOND_CANCELLING = frozenset({JobState.COMPLETED, JobState.FAILED})


class JobSteering:
    """Serves the routes by which operators end and repeat jobs."""

    def __init__(
        self,
        office: QueueOffice,
        *,
        foreman: Address[ForemanMessage],
        dispatcher: Address[DispatcherMessage],
        recovery: Address[recovery.RecoveryMessage],
        timeout_s: float,
    ) -> None:
        self._office = office
        self._foreman = foreman
        self._dispatcher = dispatcher
        self._recovery = recovery
        self._timeout_s = timeout_s

    async def cancel(self, job_id: str) -> JobStanding:
        """Have a job ended; what it did stays.

        Raises:
            NotFound: There is no such job.
            Conflict: It has ended already, and not by being cancelled.
            Unavailable: PostgreSQL does not answer.
        """
        job = await self._find(job_id)
        match job.kind, job.tenant_id:
            case "generation", str(tenant_id):
                cancel = CancelJob(JobKey(tenant_id, job.id))
                await self._foreman.ask(cancel, timeout_s=self._timeout_s)
            case "import", str(tenant_id):
                stop = CancelImport(ImportKey(tenant_id, job.id))
                await self._dispatcher.ask(stop, timeout_s=self._timeout_s)
            case _:
                await self._cancel_recovery(job)
        return await self._find(job_id)

    async def retry(self, job_id: str) -> JobStanding:
        """Have the failed pieces of a generation job made once more.

        Raises:
            NotFound: There is no such job.
            Conflict: It is of another kind, is not at its end, or nothing of it failed.
            Exhausted: The tenant's plan has no room for it.
            Unavailable: PostgreSQL does not answer.
        """
        job = await self._find(job_id)
        match job.kind, job.tenant_id:
            case "generation", str(tenant_id):
                again = RetryJob(JobKey(tenant_id, job.id))
                await self._foreman.ask(again, timeout_s=self._timeout_s)
            case "import", _:
                raise Conflict(IMPORT_AGAIN)
            case _:
                raise Conflict(GOES_ON)
        return await self._find(job_id)

    async def _cancel_recovery(self, job: JobStanding) -> None:
        if job.state in _BEYOND_CANCELLING:
            raise Conflict(ENDED)
        await self._recovery.ask(recovery.CancelJob(job.id), timeout_s=self._timeout_s)

    async def _find(self, job_id: str) -> JobStanding:
        job = await self._office.find_job(job_id) if is_id(job_id) else None
        if job is None:
            raise NotFound(NO_JOB)
        return job


class JobsController(Controller):
    """End and repeat jobs of any tenant."""

    path = "/api/admin/jobs"
    tags = ("admin",)
    guards = (reaches(Role.OPERATOR),)

    @post(
        "/{job_id:str}/cancel",
        operation_id="cancelJob",
        status_code=200,
        opt=promise(errors=(NotFound, Conflict)),
    )
    async def cancel(self, job_id: FromPath[str], job_steering: Given[JobSteering]) -> JobStanding:
        """Let a job of any kind and tenant end; what it made or put right stays."""
        return await job_steering.cancel(job_id)

    @post(
        "/{job_id:str}/retry",
        operation_id="retryJob",
        status_code=202,
        opt=promise(errors=(NotFound, Conflict, Exhausted)),
    )
    async def retry(self, job_id: FromPath[str], job_steering: Given[JobSteering]) -> JobStanding:
        """Make the failed pieces of a generation job once more; the tenant's plan pays for them."""
        return await job_steering.retry(job_id)
