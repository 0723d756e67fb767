"""The routes of generation and of the credentials it needs."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Meta

from engarde_daemon.api.access import reaches, reaches_tenant
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import (
    BRAND_ID,
    IDEMPOTENCY_KEY,
    LOCATION,
    REPLAYED,
    Answer,
    Header,
    promise,
)
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.events.controller import Listening
from engarde_daemon.api.events.stream import admission
from engarde_daemon.api.generation.credentials import CredentialDesk
from engarde_daemon.api.generation.desk import JobDesk
from engarde_daemon.api.generation.following import Following
from engarde_daemon.api.generation.schemas import (
    CredentialList,
    CredentialPut,
    CredentialView,
    DryRun,
    FollowQuery,
    GenerateBatch,
    GenerateQuery,
    ItemsQuery,
    ItemView,
    JobCancelled,
    JobCreated,
    JobEnd,
    JobsQuery,
    JobSummary,
    RetryWish,
    Words,
)
from engarde_daemon.api.giving import Given
from engarde_daemon.api.paging import Page
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import (
    Conflict,
    Exhausted,
    KeyReused,
    NotFound,
    QuotaExceeded,
)
from engarde_daemon.domain.generation import GenerationLimitReached
from engarde_daemon.ports.generation import JobKey

_LAST_ITEM = Header(
    name="Last-Event-ID",
    says="Go on after this item; wins over `last_event_id`.",
    example="1",
    shape=Annotated[str, Meta(pattern=r"^[0-9]{0,9}$")],
)

Asked = Request[Principal, Any, Any]
Desk = Given[JobDesk]


class GenerateController(Controller):
    """Start batches."""

    path = "/api/content/generate-batch"
    tags = ("generation",)
    guards = (reaches(Role.EDITOR),)

    @post(
        operation_id="generateBatch",
        status_code=202,
        opt=promise(
            query=GenerateQuery,
            body=GenerateBatch,
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                200: Answer(says="What it would take, on a dry run.", shape=DryRun),
                202: Answer(
                    says="The job; it goes on by itself.",
                    shape=JobCreated,
                    headers=(LOCATION, REPLAYED),
                ),
            },
            errors=(NotFound, KeyReused, QuotaExceeded, GenerationLimitReached, Exhausted),
        ),
    )
    async def create(self, request: Asked, job_desk: Desk) -> Response[bytes] | Response[DryRun]:
        """Generate a batch of content; with `dry_run=true`, only say what it would take."""
        query = decode_query(query_of(request.scope["query_string"]), GenerateQuery)
        raw = await request.body()
        wish, call = decode_json(raw, GenerateBatch), Call(request.user, request.headers)
        if query.dry_run:
            return Response(await job_desk.dry_run(call, wish), status_code=200)
        return await job_desk.create(call, wish, raw)


class GenerationJobsController(Controller):
    """Look at batches, and steer them."""

    path = "/api/content/generation-jobs"
    tags = ("generation",)
    guards = (reaches(Role.VIEWER),)

    @get(operation_id="listGenerationJobs", opt=promise(query=JobsQuery, errors=(NotFound,)))
    async def page(self, request: Asked, job_desk: Desk) -> Page[JobSummary]:
        """A page of jobs, the newest first."""
        query = decode_query(query_of(request.scope["query_string"]), JobsQuery)
        return await job_desk.page(request.user, query)

    @get("/{job_id:str}", operation_id="readGenerationJob")
    async def read(self, request: Asked, job_id: FromPath[str], job_desk: Desk) -> JobSummary:
        """One job, with the ids of everything it made."""
        return await job_desk.read(request.user, job_id)

    @get("/{job_id:str}/items", operation_id="listGenerationItems", opt=promise(query=ItemsQuery))
    async def items(self, request: Asked, job_id: FromPath[str], job_desk: Desk) -> Page[ItemView]:
        """A page of a job's items."""
        query = decode_query(query_of(request.scope["query_string"]), ItemsQuery)
        return await job_desk.items(request.user, job_id, query)

    @get(
        "/{job_id:str}/events",
        operation_id="followGenerationJob",
        media_type="text/event-stream",
        opt=promise(
            query=FollowQuery,
            headers=(_LAST_ITEM,),
            answers={
                200: Answer(
                    says="`item` for each that ended, `progress`, `token` and, at last, `end`.",
                    items=ItemView | JobSummary | Words | JobEnd,
                    event="item",
                    media_type="text/event-stream",
                )
            },
        ),
    )
    async def follow(
        self,
        request: Asked,
        *,
        job_id: FromPath[str],
        job_desk: Desk,
        following: Given[Following],
        listening: Given[Listening],
    ) -> ASGIApp:
        """A job as it goes on, until it has ended."""
        resumed = request.headers.get("last-event-id")
        given = query_of(request.scope["query_string"])
        query = decode_query(
            {**given, "last_event_id": [resumed]} if resumed else given, FollowQuery
        )
        job = await job_desk.find(request.user, job_id, Role.VIEWER)
        return following.stream(
            JobKey(request.user.tenant_id, job.id),
            after=query.last_event_id,
            is_admitted=admission(listening.authenticate, request.scope["headers"], request.user),
        )

    @post(
        "/{job_id:str}/cancel",
        operation_id="cancelGenerationJob",
        guards=[reaches(Role.EDITOR)],
        status_code=200,
        opt=promise(errors=(Conflict,)),
    )
    async def cancel(self, request: Asked, job_id: FromPath[str], job_desk: Desk) -> JobCancelled:
        """Generate nothing more; what was generated stays."""
        return await job_desk.cancel(request.user, job_id)

    @post(
        "/{job_id:str}/approve",
        operation_id="approveGenerationJob",
        guards=[reaches(Role.EDITOR)],
        status_code=202,
        opt=promise(errors=(Conflict,)),
    )
    async def approve(self, request: Asked, job_id: FromPath[str], job_desk: Desk) -> JobSummary:
        """Go on after the preview."""
        return await job_desk.approve(request.user, job_id)

    @post(
        "/{job_id:str}/retry",
        operation_id="retryGenerationJob",
        guards=[reaches(Role.EDITOR)],
        status_code=202,
        opt=promise(body=RetryWish, needs_body=False, errors=(Conflict, Exhausted)),
    )
    async def retry(self, request: Asked, job_id: FromPath[str], job_desk: Desk) -> JobSummary:
        """Try the items that failed again."""
        raw = await request.body()
        return await job_desk.retry(request.user, job_id, decode_json(raw or b"{}", RetryWish))


class CredentialsController(Controller):
    """The tenant's keys for providers; what is written here is never shown again."""

    path = "/api/credentials"
    tags = ("credentials",)
    guards = (reaches_tenant(Role.ADMIN),)
    opt = {AUDITED: True}  # noqa: RUF012 - Litestar declares it so

    @get(operation_id="listCredentials")
    async def page(self, request: Asked, credential_desk: Given[CredentialDesk]) -> CredentialList:
        """The providers for which there is a key."""
        return await credential_desk.page(request.user)

    @put(
        "/{provider:str}",
        operation_id="putCredential",
        opt=promise(body=CredentialPut, errors=(Conflict,)),
    )
    async def put(
        self, request: Asked, provider: FromPath[str], credential_desk: Given[CredentialDesk]
    ) -> CredentialView:
        """Keep a key for a provider, in the place of an older one."""
        wish = decode_json(await request.body(), CredentialPut)
        return await credential_desk.put(request.user, provider, wish)

    @delete("/{provider:str}", operation_id="removeCredential")
    async def remove(
        self, request: Asked, provider: FromPath[str], credential_desk: Given[CredentialDesk]
    ) -> None:
        """Forget the key for a provider."""
        await credential_desk.remove(request.user, provider)
