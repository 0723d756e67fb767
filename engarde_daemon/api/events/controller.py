"""The route of events."""

from typing import Any

import msgspec
from litestar import Controller, Request, get
from litestar.types import ASGIApp

from engarde_daemon.api.access import Authenticate, reaches
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import LAST_EVENT_ID, STREAM_PLACE, Answer, promise
from engarde_daemon.api.events.hub import Hub, Interest
from engarde_daemon.api.events.query import EventsQuery, events_query
from engarde_daemon.api.events.stream import EventStream, Gap, Subscription, admission
from engarde_daemon.api.events.wire import StreamRules
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import NotFound
from engarde_daemon.domain.events import EventDocument
from engarde_daemon.ports.events import EventReader

Asked = Request[Principal, Any, Any]


class Listening(msgspec.Struct, frozen=True):
    """What a stream is made of."""

    hub: Hub
    reader: EventReader
    rules: StreamRules
    authenticate: Authenticate


class EventsController(Controller):
    """Tells what happens, as it happens."""

    path = "/api/events"
    tags = ("events",)
    guards = (reaches(Role.VIEWER),)

    @get(
        operation_id="followEvents",
        media_type="text/event-stream",
        opt=promise(
            query=EventsQuery,
            headers=(LAST_EVENT_ID,),
            answers={
                200: Answer(
                    says="Events as they happen, and `stream.gap` where some are gone for good.",
                    items=EventDocument | Gap,
                    media_type="text/event-stream",
                    headers=(STREAM_PLACE,),
                )
            },
            errors=(NotFound,),
        ),
    )
    async def follow(
        self, request: Asked, listening: Given[Listening], fence: Given[Fence]
    ) -> ASGIApp:
        """Events of the caller's tenant, from now on or after the last one they have."""
        query = events_query(query_of(request.scope["query_string"]), request.headers)
        subscription = Subscription(
            tenant_id=request.user.tenant_id,
            interest=await _interest(request.user, query, fence),
            after=query.last_event_id,
            is_admitted=admission(listening.authenticate, request.scope["headers"], request.user),
        )
        return EventStream(
            subscription, hub=listening.hub, reader=listening.reader, rules=listening.rules
        )


async def _interest(principal: Principal, query: EventsQuery, fence: Fence) -> Interest:
    brand_ids = None if principal.brands is None else frozenset(principal.brands)
    if query.brand_id is not None:
        brand_ids = frozenset({await fence.brand(principal, query.brand_id, Role.VIEWER)})
    return Interest(types=query.types or None, brand_ids=brand_ids)
