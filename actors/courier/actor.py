"""The courier: carries deliveries to webhooks until they answer well or there is no hope.

Each webhook is leased as a whole, so that one daemon at a time calls it, and several webhooks are
served side by side. Delivery is at least once: what a dying daemon was carrying is carried again by
whoever leases the webhook next, under the same id.

Owns the room of those who answer: webhooks that did not answer last time never take more than half
of the places.
"""

from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec
import structlog
from anyio.abc import TaskGroup

from actors.clock import ticking
from actors.courier.messages import CountDue, CourierMessage, Wake
from actors.courier.rounds import Rounds
from actors.courier.tally import Tally
from engarde_daemon.core import Actor, ActorStopped, MailboxFull
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.webhooks import Post, PostOffice, WebhookBacklog

_LOG = structlog.get_logger("engarde.webhooks")


class CourierPace(msgspec.Struct, frozen=True, kw_only=True):
    """How many webhooks are served at once, how the due ones are found, and how a stop waits."""

    places: int = 16
    letters_per_post: int = 8
    lease_s: float = 30.0
    poll_s: float = 1.0
    count_s: float = 5.0
    grace_s: float = 3.0


class Courier(Actor[CourierMessage]):
    """Leases webhooks that are due and serves them side by side."""

    def __init__(
        self, *, office: PostOffice, rounds: Rounds, pace: CourierPace, tally: Tally
    ) -> None:
        self._office = office
        self._rounds = rounds
        self._pace = pace
        self._tally = tally
        self._serving = 0
        self._failing = 0
        self._ended = anyio.Event()
        self._posts: TaskGroup

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        resources.push_async_callback(self._rounds.close)
        self._posts = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(self._posts.cancel_scope.cancel)
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, CountDue(), every_s=self._pace.count_s)

    async def receive(self, message: CourierMessage) -> None:
        """Fill the free places with webhooks that are due, or see how much waits."""
        with suppress(Unavailable):  # the next look goes on
            match message:
                case Wake():
                    await self._fill_places()
                case CountDue():
                    self._count(await self._office.backlog())
                case _:
                    assert_never(message)

    async def stopping(self) -> None:
        """Let those under way finish, for a moment: what is cut off is carried again later."""
        with anyio.move_on_after(self._pace.grace_s):
            while self._serving:
                self._ended = anyio.Event()
                await self._ended.wait()

    async def _fill_places(self) -> None:
        while self._serving < self._pace.places:
            post = await self._office.claim(
                lease_s=self._pace.lease_s,
                most=self._pace.letters_per_post,
                sound_only=self._failing >= self._pace.places // 2,
            )
            if post is None:
                return
            self._serving += 1
            self._failing += post.failing
            self._posts.start_soon(self._serve, post)

    def _count(self, backlog: WebhookBacklog) -> None:
        if backlog.locked and not self._tally.backlog.locked:
            _LOG.error(
                "webhooks cannot be signed here: [secrets] key_file lacks their key",
                webhooks=backlog.locked,
            )
        self._tally.backlog = backlog

    async def _serve(self, post: Post) -> None:
        try:
            with suppress(Unavailable):  # the lease runs out, and someone carries it again
                await self._rounds.carry(post)
        finally:
            self._serving -= 1
            self._failing -= post.failing
            self._ended.set()
        with suppress(MailboxFull, ActorStopped):
            if self.own.depth == 0:
                self.own.offer(Wake())
