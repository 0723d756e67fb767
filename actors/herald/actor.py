"""The herald: tells everyone who listens, and makes a delivery for every webhook that wants one.

Nothing here decides whether an event is told, only how soon: listeners and webhooks both go on from
a place of their own in the log, and a place is passed only by what was read after it. So the herald
may be late, crash, or run in several daemons at once, and nothing is left out.

Owns the share of the processor that telling may take: after a round it rests twice as long as the
round took, and never less than `rest_s`.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack, suppress
from itertools import islice

import anyio
import msgspec

from actors.clock import ticking
from actors.herald.messages import Announce, HeraldMessage, LookAround, Overheard
from actors.herald.tidings import Tidings
from engarde_daemon.core import Actor, ActorStopped, MailboxFull
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.events import Audience, Bell, EventReader
from engarde_daemon.ports.webhooks import WebhookBook

EVENTS_PER_READ = 64
TENANTS_PER_READ = 50
EVENTS_PER_MATCH = 500
REST_SHARE = 2.0


class HeraldPace(msgspec.Struct, frozen=True, kw_only=True):
    """How often the log is looked at, without a hint and at most."""

    poll_s: float = 1.0
    rest_s: float = 0.05


class Herald(Actor[HeraldMessage]):
    """Reads the log for everyone at once."""

    def __init__(
        self,
        *,
        reader: EventReader,
        audience: Audience,
        book: WebhookBook,
        bell: Bell,
        tidings: Tidings,
        made: Callable[[], None],
        pace: HeraldPace,
        clock: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._audience = audience
        self._book = book
        self._bell = bell
        self._tidings = tidings
        self._made = made
        self._pace = pace
        self._clock = clock

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly, and to hear what other daemons say."""
        tasks = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(self._listen)
        await ticking(resources, self.own, LookAround(), every_s=self._pace.poll_s)

    async def receive(self, message: HeraldMessage) -> None:
        """Tell what is new, then rest, so that more becomes new."""
        began = self._clock()
        with suppress(Unavailable):  # the next look makes up for it
            await self._round(message)
        await anyio.sleep(max(self._pace.rest_s, REST_SHARE * (self._clock() - began)))

    async def _round(self, message: HeraldMessage) -> None:
        match message:
            case Announce():
                tenants = self._tidings.take()
                await self._bell.ring()
                await self._tell(tenants)
                await self._match(tenants)
            case Overheard():
                await self._tell(None)
            case LookAround():
                await self._tell(None)
                await self._match(None)

    async def _tell(self, tenants: Collection[str] | None) -> None:
        """Read what listeners do not have yet, a bounded piece of many tenants at a time."""
        behind = self._places_of(tenants)
        while behind:
            piece = dict(islice(behind.items(), TENANTS_PER_READ))
            for tenant_id in piece:
                del behind[tenant_id]
            told = await self._reader.after(piece, most=EVENTS_PER_READ)
            for tenant_id, events in told.items():
                await self._audience.tell(tenant_id, events)
                if len(events) == EVENTS_PER_READ:
                    behind[tenant_id] = events[-1].position

    def _places_of(self, tenants: Collection[str] | None) -> dict[str, int]:
        places: Mapping[str, int] = self._audience.places()
        if tenants is None:
            return dict(places)
        return {tenant_id: places[tenant_id] for tenant_id in tenants if tenant_id in places}

    async def _match(self, tenants: list[str] | None) -> None:
        behind = True
        while behind:
            matched = await self._book.match(tenants, most=EVENTS_PER_MATCH)
            if matched.made:
                self._made()
            behind = matched.left_behind > 0

    async def _listen(self) -> None:
        while True:
            await self._bell.heard()
            with suppress(MailboxFull, ActorStopped):
                if self.own.depth == 0:
                    self.own.offer(Overheard())
