"""What is done for a caller who comes with a generation request."""

import hashlib
import uuid
from collections.abc import Callable
from decimal import Decimal

import msgspec
from litestar import Response

from actors.foreman.messages import ApproveJob, CancelJob, ForemanMessage, RetryJob, StartJob
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.generation.planning import Planned, Planner
from engarde_daemon.api.generation.schemas import (
    DryRun,
    GenerateBatch,
    ItemsQuery,
    ItemView,
    JobCancelled,
    JobCreated,
    JobsQuery,
    JobSummary,
    RenderedPrompt,
    RetryWish,
    item_view,
    job_view,
    usd,
)
from engarde_daemon.api.paging import Onward, Page, page_of
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.domain.errors import Forbidden, NotFound
from engarde_daemon.domain.generation import GenerationLimitReached, cancelled_message
from engarde_daemon.domain.prompts import prompt_for
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.generation import Job, JobKey, JobLibrary, Made

PROMPTS_SHOWN = 3
NO_JOB = "There is no such generation job."


class JobDesk:
    """Serves the routes of generation."""

    def __init__(
        self,
        *,
        foreman: Address[ForemanMessage],
        jobs: JobLibrary,
        planner: Planner,
        fence: Fence,
        new_id: Callable[[], str],
        timeout_s: float,
    ) -> None:
        self._foreman = foreman
        self._jobs = jobs
        self._planner = planner
        self._fence = fence
        self._new_id = new_id
        self._timeout_s = timeout_s

    async def create(self, call: Call, wish: GenerateBatch, raw: bytes) -> Response[bytes]:
        """Make a job, or answer as before to a request that comes again."""
        brand_id = await self._brand_of(call, wish)
        fingerprint = hashlib.sha256(
            b"POST /api/content/generate-batch %b " % brand_id.encode() + raw
        ).hexdigest()
        promise = idempotency_of(call, fingerprint)
        job_id = self._id_for(call.principal, promise)
        key = JobKey(call.principal.tenant_id, job_id)
        is_repeated = promise is not None and await self._jobs.job(key) is not None
        planned = await self._planner.plan(call.principal, brand_id, wish)
        if not is_repeated:
            self._planner.require_room(planned)
        draft = msgspec.structs.replace(
            self._planner.draft(planned, wish, principal=call.principal, brand_id=brand_id),
            id=job_id,
            fingerprint=fingerprint,
        )
        made = await self._foreman.ask(StartJob(draft), timeout_s=self._timeout_s)
        if made is Made.STORAGE_FULL:
            raise self._planner.storage_refusal(planned)
        if made is Made.PIECES_FULL:
            raise GenerationLimitReached(wish.target_count, planned.plan.monthly_items)
        return self._accepted(await self._find(call.principal, job_id), planned, made)

    async def dry_run(self, call: Call, wish: GenerateBatch) -> DryRun:
        """Say what a job would take and ask; nothing is made or called."""
        brand_id = await self._brand_of(call, wish)
        idempotency_of(call, "")  # nothing is kept, but a key is refused that the job would refuse
        planned = await self._planner.plan(call.principal, brand_id, wish)
        shown = range(1, min(PROMPTS_SHOWN, wish.target_count) + 1)
        prompts = {number: prompt_for(planned.spec, number) for number in shown}
        told = planned.estimate
        return DryRun(
            dry_run=True,
            target_count=wish.target_count,
            provider=planned.spec.provider,
            model=planned.spec.model,
            estimated_completion_time=planned.completion,
            estimated_storage_bytes=told.storage_bytes,
            estimated_input_tokens=told.input_tokens,
            estimated_output_tokens=told.output_tokens,
            estimated_cost_usd=usd(told.cost_usd),
            quota_check=planned.quota,
            monthly_items_left=planned.items_left,
            prompts=[
                RenderedPrompt(number=number, system=prompt.system, user=prompt.user)
                for number, prompt in prompts.items()
            ],
        )

    async def read(self, principal: Principal, job_id: str) -> JobSummary:
        """One job as it stands, with everything it made."""
        job = await self.find(principal, job_id, Role.VIEWER)
        contents = await self._jobs.contents(JobKey(principal.tenant_id, job.id))
        return job_view(job, now=self._planner.now(), contents=contents)

    async def page(self, principal: Principal, query: JobsQuery) -> Page[JobSummary]:
        """A page of jobs that are open to the caller."""
        brand_ids = None if principal.brands is None else list(principal.brands)
        if query.brand_id is not None:
            brand_ids = [await self._fence.brand(principal, query.brand_id, Role.VIEWER)]
        found = await self._jobs.jobs(
            principal.tenant_id,
            brand_ids=brand_ids,
            statuses=[status.value for status in query.status] if query.status else None,
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        views = [job_view(job, now=self._planner.now()) for job in found]
        return page_of(views, _place_of, size=query.page_size)

    async def items(self, principal: Principal, job_id: str, query: ItemsQuery) -> Page[ItemView]:
        """A page of a job's items, by number."""
        job = await self.find(principal, job_id, Role.VIEWER)
        found = await self._jobs.items(
            JobKey(principal.tenant_id, job.id),
            states=[state.value for state in query.state] if query.state else None,
            after=query.cursor.number if query.cursor else 0,
            size=query.page_size + 1,
        )
        data = [item_view(item) for item in found[: query.page_size]]
        has_next = len(found) > query.page_size
        onward = Onward(
            page_size=query.page_size,
            has_next=has_next,
            next_cursor=str(data[-1].number) if has_next else None,
        )
        return Page(data=data, pagination=onward)

    async def cancel(self, principal: Principal, job_id: str) -> JobCancelled:
        """Cancel a job; what it made stays."""
        await self.find(principal, job_id, Role.EDITOR)
        key = JobKey(principal.tenant_id, job_id)
        await self._foreman.ask(CancelJob(key), timeout_s=self._timeout_s)
        job = await self._find(principal, job_id)
        return JobCancelled(
            job_id=job.id,
            status=job.status,
            progress=job.progress,
            generated_content_ids=await self._jobs.contents(key),
            message=cancelled_message(job.progress, job.target_count),
        )

    async def approve(self, principal: Principal, job_id: str) -> JobSummary:
        """Go on after a preview."""
        job = await self.find(principal, job_id, Role.EDITOR)
        await self._foreman.ask(
            ApproveJob(JobKey(principal.tenant_id, job.id)), timeout_s=self._timeout_s
        )
        return await self.read(principal, job_id)

    async def retry(self, principal: Principal, job_id: str, wish: RetryWish) -> JobSummary:
        """Try the failed items again."""
        job = await self.find(principal, job_id, Role.EDITOR)
        raised = None if wish.max_cost_usd is None else Decimal(str(wish.max_cost_usd))
        await self._foreman.ask(
            RetryJob(JobKey(principal.tenant_id, job.id), raised), timeout_s=self._timeout_s
        )
        return await self.read(principal, job_id)

    async def find(self, principal: Principal, job_id: str, required: Role) -> Job:
        """A job of a brand in which the caller's role reaches.

        Raises:
            NotFound: There is no such job, or it is of a brand that is not the caller's.
            Forbidden: The caller's role there does not reach that far.
            Unavailable: PostgreSQL does not answer.
        """
        job = await self._find(principal, job_id)
        role = principal.role_in(job.brand_id)
        if role is None:
            raise NotFound(NO_JOB)
        if not role.reaches(required):
            raise Forbidden(f"This needs the role {required} in the brand; yours there is {role}.")
        return job

    async def _find(self, principal: Principal, job_id: str) -> Job:
        job = None
        if is_id(job_id):
            job = await self._jobs.job(JobKey(principal.tenant_id, job_id))
        if job is None:
            raise NotFound(NO_JOB)
        return job

    async def _brand_of(self, call: Call, wish: GenerateBatch) -> str:
        await self._fence.require_space(call.principal, wish.campaign_space_id)
        wanted = wish.brand_id or call.headers.get("x-brand-id")
        return await self._fence.brand(call.principal, wanted, Role.EDITOR)

    def _id_for(self, principal: Principal, promise: Idempotency | None) -> str:
        """An id that is computed where the caller promised to repeat itself only (ADR 0003)."""
        if promise is None:
            return self._new_id()
        said = f"urn:engarde:job:{principal.tenant_id}:{promise.principal_id}:{promise.key}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, said))

    def _accepted(self, job: Job, planned: Planned, made: Made) -> Response[bytes]:
        view = JobCreated(
            job_id=job.id,
            status=job.status,
            target_count=job.target_count,
            progress=job.progress,
            estimated_completion_time=planned.completion,
            estimated_storage_bytes=planned.estimate.storage_bytes,
            estimated_cost_usd=usd(planned.estimate.cost_usd),
            quota_check=planned.quota,
            created_at=job.created_at,
        )
        headers = {"Location": f"/api/content/generation-jobs/{job.id}"}
        if made is Made.EXISTS:
            headers["Idempotent-Replayed"] = "true"
        return Response(
            msgspec.json.encode(view),
            status_code=202,
            media_type="application/json",
            headers=headers,
        )


def _place_of(view: JobSummary) -> Place:
    return Place(view.created_at, view.job_id)
