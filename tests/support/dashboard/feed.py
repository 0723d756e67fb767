"""A feed without a daemon: it tells what it is given, and keeps what is ordered.

Owns the determinism of pictures and tests: nothing comes by itself, and `settle` returns when all
that was told is on the screen.
"""

from collections.abc import AsyncIterator, Iterable, Sequence

import anyio
from textual.pilot import Pilot

from engarde_daemon.protocol import LogPage
from tests.support.patience import PATIENCE_S
from tui.app import Dashboard
from tui.feed import News, Parked, Refused, Report, Standing, TenantPage, TenantWish
from tui.orders import Order


class ScriptedFeed:
    """What the dashboard sees instead of a daemon."""

    where = "127.0.0.1:8700"

    def __init__(self, news: Iterable[News] = (), *, tenants: Sequence[Standing] = ()) -> None:
        self.ordered: list[Order] = []
        self.wishes: list[TenantWish] = []
        self.refusal: Refused | None = None
        self.reported = Report()
        self.gate: anyio.Event | None = None
        self.answers: anyio.Event | None = None
        """Where it is given, answers to questions come when it is set."""
        self.reports: list[str] = []
        self.parked_rows: Sequence[Parked] = ()
        self.log_pages: list[LogPage] = []
        self.log_cursors: list[str] = []
        self.standings = tenants
        self._send, self._receive = anyio.create_memory_object_stream[News](100_000)
        for piece in news:
            self._send.send_nowait(piece)

    def tell(self, *news: News) -> None:
        """Let this happen."""
        for piece in news:
            self._send.send_nowait(piece)

    @property
    def waiting(self) -> int:
        """How many pieces of news the dashboard has not taken in yet."""
        return self._receive.statistics().current_buffer_used

    async def follow(self) -> AsyncIterator[News]:
        """Everything that is told."""
        async with self._send, self._receive:
            async for news in self._receive:
                yield news

    async def tenants(self, wish: TenantWish) -> TenantPage:
        """The tenants that match, in the order that is wished for."""
        self.wishes.append(wish)
        await self._answer()
        if self.refusal is not None:
            raise self.refusal
        found = [tenant for tenant in self.standings if _matches(tenant, wish)]
        found.sort(key=_ORDERS[wish.sort])
        first = (wish.page - 1) * 200
        return TenantPage(found[first : first + 200], len(found))

    async def report(self, job_id: str) -> Report:
        """What was laid down as the report."""
        self.reports.append(job_id)
        await self._answer()
        return self.reported

    async def parked(self) -> Sequence[Parked]:
        """What was laid down as parked."""
        if self.refusal is not None:
            raise self.refusal
        return self.parked_rows

    async def log(self, after: str) -> LogPage:
        """The next page that was laid down, then nothing new."""
        self.log_cursors.append(after)
        await self._answer()
        if self.refusal is not None:
            raise self.refusal
        return self.log_pages.pop(0) if self.log_pages else LogPage(data=[], cursor=after)

    async def carry_out(self, order: Order) -> None:
        """Keep the order, or refuse it; a queue that is retried has nothing parked any more."""
        if self.refusal is not None:
            raise self.refusal
        if self.gate is not None:
            await self.gate.wait()
        self.ordered.append(order)
        if "/queues/" in order.path:
            self.parked_rows = ()

    async def _answer(self) -> None:
        if self.answers is not None:
            await self.answers.wait()


async def settle(pilot: Pilot[None], feed: ScriptedFeed) -> None:
    """Wait until what was told and pressed is on the screen."""
    with anyio.fail_after(PATIENCE_S):
        while feed.waiting:
            await pilot.pause()
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, Dashboard)
    app.draw()
    if under_way := [worker for worker in app.workers if worker.group != "feed"]:
        await app.workers.wait_for_complete(under_way)
    await pilot.pause()


_ORDERS = {
    "name": lambda tenant: tenant.name,
    "-used_bytes": lambda tenant: -tenant.used_bytes,
    "-usage": lambda tenant: -(tenant.used_bytes / (tenant.limit_bytes or float("inf"))),
}


def _matches(tenant: Standing, wish: TenantWish) -> bool:
    return wish.search in tenant.name.casefold() and wish.level in (None, tenant.level)
