"""Everything at a glance: an overview, what waits, what is worked on, and the feed of it all."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from actors.observer.messages import LookNow, ObserverMessage, TakeSnapshot
from engarde_daemon.api.access import Authenticate, reaches
from engarde_daemon.api.admin.feed import Feed
from engarde_daemon.api.admin.watching import FeedStream
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.contract import LAST_FEED_ID, Answer, promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.stream import admission
from engarde_daemon.api.giving import Given
from engarde_daemon.api.paging import Mark, Page, PageSize, page_of
from engarde_daemon.core import ActorStopped, Address, MailboxFull
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, NotFound
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.overview import JobSort, ParkedRow, QueueOffice
from engarde_daemon.protocol import (
    ActorView,
    BacklogView,
    FeedEvent,
    JobView,
    Missed,
    Snapshot,
)

LOOK_TIMEOUT_S = 5.0
PARKED_SHOWN = 20
RETRIED_MOST = 100_000
WEBHOOKS = "webhooks"

Asked = Request[Principal, Any, Any]


class Overview(Snapshot, frozen=True, kw_only=True):
    """Everything at one moment, as the feed shows it each second."""


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of jobs; `live` are those that are not finished."""

    status: JobSort = JobSort.ALL
    tenant_id: Id | None = None
    cursor: Mark | None = None
    page_size: PageSize = msgspec.field(default=50, name="pageSize")


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """What waits on one way out of PostgreSQL, and some of what cannot go on by itself."""

    backlog: BacklogView
    parked: Sequence[ParkedRow]


class QueuesView(msgspec.Struct, frozen=True, kw_only=True):
    """The mailboxes of this daemon, what waits in PostgreSQL for all of them, and live jobs."""

    mailboxes: Sequence[ActorView]
    queues: Sequence[QueueView]
    jobs: Sequence[JobView]


class QueueRetried(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of a queue are tried again."""

    queue: str
    retried: int


class OverviewDesk:
    """Serves the routes of those who watch."""

    def __init__(
        self,
        observer: Address[ObserverMessage],
        office: QueueOffice,
        *,
        feed: Feed,
        hub: Hub,
        authenticate: Authenticate,
        wake: Callable[[str], None],
    ) -> None:
        self._observer = observer
        self._office = office
        self._feed = feed
        self._hub = hub
        self._authenticate = authenticate
        self._wake = wake

    async def snapshot(self) -> Snapshot:
        """How everything is."""
        return await self._observer.ask(TakeSnapshot(), timeout_s=LOOK_TIMEOUT_S)

    async def queues(self) -> QueuesView:
        """What waits."""
        snapshot = await self.snapshot()
        return QueuesView(
            mailboxes=[actor for actor in snapshot.daemon.actors if actor.capacity],
            queues=[await self._queue(backlog) for backlog in snapshot.backlog],
            jobs=snapshot.jobs,
        )

    async def jobs(self, query: JobsQuery) -> Page[JobView]:
        """A page of jobs."""
        found = await self._office.jobs(
            query.status,
            tenant_id=query.tenant_id,
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        return page_of(found, lambda job: Place(job.created_at, job.id), size=query.page_size)

    async def retry(self, queue: str) -> QueueRetried:
        """Try again what was refused or put off."""
        if queue == WEBHOOKS:
            raise Conflict("Webhooks belong to tenants, who repeat single deliveries themselves.")
        if queue not in {"delivery", "archive", "index"}:
            raise NotFound("There is no such queue.")
        retried = await self._office.retry(queue, most=RETRIED_MOST)
        self._wake(queue)
        return QueueRetried(queue=queue, retried=retried)

    def watch(self, request: Asked) -> ASGIApp:
        """The feed, from now on or from where somebody was."""
        return FeedStream(
            self._feed.watch(request.headers.get("last-event-id")),
            feed=self._feed,
            hub=self._hub,
            is_admitted=admission(self._authenticate, request.scope["headers"], request.user),
            look_now=self._look_now,
        )

    async def _queue(self, backlog: BacklogView) -> QueueView:
        known = backlog.queue != WEBHOOKS and bool(backlog.rows or backlog.parked)
        parked = await self._office.parked(backlog.queue, most=PARKED_SHOWN) if known else ()
        return QueueView(backlog=backlog, parked=parked)

    def _look_now(self) -> None:
        try:
            self._observer.offer(LookNow())
        except (MailboxFull, ActorStopped):
            return  # the next second shows everything, or there is none


class OverviewController(Controller):
    """See how everything is; nothing here changes anything but a retry."""

    path = "/api/admin"
    tags = ("admin",)
    guards = (reaches(Role.OPERATOR),)

    @get(
        "/overview",
        operation_id="readOverview",
        opt=promise(answers={200: Answer(says="How everything is.", shape=Overview)}),
    )
    async def overview(self, overview_desk: Given[OverviewDesk]) -> Snapshot:
        """Whether content is safe, and why not; stores, backlog, actors, daemons, jobs, tenants."""
        return await overview_desk.snapshot()

    @get("/queues", operation_id="readQueues")
    async def queues(self, overview_desk: Given[OverviewDesk]) -> QueuesView:
        """What waits: in mailboxes, on its way out of PostgreSQL, and as jobs."""
        return await overview_desk.queues()

    @post(
        "/queues/{queue:str}/retry",
        operation_id="retryQueue",
        status_code=200,
        opt=promise(errors=(NotFound, Conflict)),
    )
    async def retry(
        self,
        queue: FromPath[str],
        overview_desk: Given[OverviewDesk],
    ) -> QueueRetried:
        """Try again at once what was refused or put off, once its cause is mended."""
        return await overview_desk.retry(queue)

    @get("/jobs", operation_id="listJobs", opt=promise(query=JobsQuery))
    async def jobs(self, request: Asked, overview_desk: Given[OverviewDesk]) -> Page[JobView]:
        """A page of generation, import and recovery jobs of all tenants, newest first."""
        query = decode_query(query_of(request.scope["query_string"]), JobsQuery)
        return await overview_desk.jobs(query)

    @get(
        "/feed",
        operation_id="watchFeed",
        media_type="text/event-stream",
        opt=promise(
            headers=(LAST_FEED_ID,),
            answers={
                200: Answer(
                    says="A `snapshot` a second, every `event` as it happens, and `missed` "
                    "where events are gone for good.",
                    items=Overview | FeedEvent | Missed,
                    event="snapshot",
                    media_type="text/event-stream",
                )
            },
        ),
    )
    async def feed(self, request: Asked, overview_desk: Given[OverviewDesk]) -> ASGIApp:
        """Everything that an operator may want to see, as it happens."""
        return overview_desk.watch(request)
