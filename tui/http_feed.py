"""The feed of a daemon over its HTTP edge.

Owns the patience: a daemon that is gone is looked for again, with pauses that grow to a bound, for
as long as the dashboard is open; and every wait has a deadline, a silent feed included.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

import anyio
import httpx
import msgspec

from engarde_daemon.protocol import LogPage, read_frame
from tui.event_stream import Frame, FrameTooLargeError, frames
from tui.feed import (
    Linked,
    Lost,
    News,
    Parked,
    Refused,
    Report,
    Standing,
    TenantPage,
    TenantWish,
)
from tui.orders import Order

T = TypeVar("T")

FEED = "/api/admin/feed"
TENANTS = "/api/admin/tenants"
QUEUES = "/api/admin/queues"
RECOVERY = "/api/admin/recovery"
LOG = "/api/admin/log"
TENANTS_PER_PAGE = 200
LINES_PER_PAGE = 500
SILENCE_LIMIT_S = 15.0
ANSWER_LIMIT_S = 30.0
CONNECT_LIMIT_S = 5.0
PAUSE_LEAST_S = 0.5
PAUSE_MOST_S = 15.0
_PROBLEM_BYTES_MAX = 64 * 1024
_NOT_UNDERSTOOD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NO_ACCESS = {
    401: "it does not know this key; give another with --key or in ENGARDE_KEY",
    403: "this key may not follow it, that needs an operator's",
    404: "there is no dashboard feed at this address; give that of a daemon with --url",
}


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""


class _Count(msgspec.Struct):
    total: int


class _Tenants(msgspec.Struct):
    data: list[Standing]
    pagination: _Count


class _Job(msgspec.Struct):
    report: Report


class _Backlog(msgspec.Struct):
    title: str


class _Row(msgspec.Struct):
    tenant_id: str
    content_id: str
    version: int
    reason: str
    since: datetime
    attempts: int | None = None


class _Queue(msgspec.Struct):
    backlog: _Backlog
    parked: list[_Row]


class _Queues(msgspec.Struct):
    queues: list[_Queue]


class HttpFeed:
    """A daemon somewhere, and the key to it."""

    def __init__(self, client: httpx.AsyncClient, *, random: Callable[[], float]) -> None:
        self._client = client
        self._random = random
        self._last_event_id = ""
        self._pause_s = PAUSE_LEAST_S

    @property
    def where(self) -> str:
        """Host and port of the daemon."""
        return self._client.base_url.netloc.decode()

    async def follow(self) -> AsyncIterator[News]:
        """Everything that happens, for ever."""
        while True:
            why = "it ended the feed"
            try:
                async for news in self._follow_once():
                    yield news
            except (httpx.HTTPError, Refused, FrameTooLargeError, *_NOT_UNDERSTOOD) as error:
                why = _words(error)
            pause_s = self._next_pause_s()
            yield Lost(why, pause_s)
            await anyio.sleep(pause_s)

    async def tenants(self, wish: TenantWish) -> TenantPage:
        """A page of tenants."""
        query = {"page": wish.page, "pageSize": TENANTS_PER_PAGE, "sort": wish.sort}
        chosen = {"level": wish.level, "search": wish.search}
        params = query | {name: value for name, value in chosen.items() if value}
        answer = await self._ask("GET", TENANTS, params=params)
        found = _read(answer, _Tenants)
        return TenantPage(found.data, found.pagination.total)

    async def report(self, job_id: str) -> Report:
        """What a recovery job has found so far."""
        return _read(await self._ask("GET", f"{RECOVERY}/{job_id}"), _Job).report

    async def parked(self) -> Sequence[Parked]:
        """Some of what was refused or put off."""
        found = _read(await self._ask("GET", QUEUES), _Queues)
        return [
            Parked(queue=queue.backlog.title, **msgspec.structs.asdict(row))
            for queue in found.queues
            for row in queue.parked
        ]

    async def log(self, after: str) -> LogPage:
        """Lines of the daemon's log."""
        params = {"limit": LINES_PER_PAGE, **({"after": after} if after else {})}
        return _read(await self._ask("GET", LOG, params=params), LogPage)

    async def carry_out(self, order: Order) -> None:
        """Have an order carried out, at most once."""
        promise = {"Idempotency-Key": str(uuid.uuid4())}
        await self._ask(order.method, order.path, json=order.body, headers=promise)

    async def _follow_once(self) -> AsyncIterator[News]:
        async with self._opened() as answer:
            yield Linked(answer.headers.get("Engarde-Role"))
            async for frame in frames(answer.aiter_bytes()):
                for news in self._news(frame):
                    yield news

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[httpx.Response]:
        headers = {"Accept": "text/event-stream"}
        if self._last_event_id:
            headers["Last-Event-ID"] = self._last_event_id
        timeout = httpx.Timeout(SILENCE_LIMIT_S, connect=CONNECT_LIMIT_S)
        async with self._client.stream("GET", FEED, headers=headers, timeout=timeout) as answer:
            if not answer.is_success:
                raise Refused(_NO_ACCESS.get(answer.status_code, f"it says {answer.status_code}"))
            yield answer

    def _news(self, frame: Frame) -> list[News]:
        self._last_event_id = frame.id or self._last_event_id
        news = read_frame(frame.event, frame.data)
        self._pause_s = PAUSE_LEAST_S
        return [] if news is None else [news]

    def _next_pause_s(self) -> float:
        pause_s = self._pause_s
        self._pause_s = min(PAUSE_MOST_S, pause_s * 2)
        return pause_s * (0.75 + self._random() / 2)

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        timeout = httpx.Timeout(ANSWER_LIMIT_S, connect=CONNECT_LIMIT_S)
        try:
            answer = await self._client.request(method, path, timeout=timeout, **request)
        except httpx.HTTPError as error:
            raise Refused(f"The daemon did not answer: {_words(error)}.") from error
        if not answer.is_success:
            raise Refused(_reason(answer), forbidden=answer.status_code == 403)
        return answer


def open_client(url: str, key: str) -> httpx.AsyncClient:
    """A client that shows the key to this daemon and to nobody else."""
    return httpx.AsyncClient(
        base_url=url,
        headers={"X-API-Key": key},
        follow_redirects=False,
        limits=httpx.Limits(max_connections=8),
    )


def _read(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except _NOT_UNDERSTOOD as error:
        raise Refused(
            f"The daemon says what this dashboard does not understand: {error}"
        ) from error


def _reason(answer: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(answer.content[:_PROBLEM_BYTES_MAX], type=_Problem)
    except _NOT_UNDERSTOOD:
        return f"The daemon answered with {answer.status_code}."
    return problem.detail or problem.title or f"The daemon answered with {answer.status_code}."


def _words(error: Exception) -> str:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return "nothing answers there"
        case httpx.ReadTimeout():
            return "it was silent for too long"
        case httpx.HTTPError():
            return "the connection broke"
        case _:
            return str(error)
