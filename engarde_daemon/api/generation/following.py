"""A job as it goes on, told as server-sent events until it has ended.

Owns the bound on looking: however much happens, a follower has the database asked a few times a
second at most, and each item that ended is told once, in the order in which they did.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from actors.generation.bulletin import Bulletin, Follower
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import IsAdmitted, Line, StreamRules, Wire, stream
from engarde_daemon.api.generation.schemas import JobEnd, Words, item_view, job_view
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.generation import JobStatus
from engarde_daemon.ports.generation import Job, JobKey, JobLibrary

LOOK_EVERY_S = 0.1
WAIT_S = 1.0
ITEMS_PER_LOOK = 100
RULES = StreamRules()

_OPEN = {JobStatus.PENDING, JobStatus.RUNNING}
# A comment and a field of their own; an empty line would end an event that is none.
_OPENING = b": listening\nretry: 2000\n"
_HEARTBEAT = b": heartbeat\n"
_START: Any = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}


class Following:
    """Makes streams."""

    def __init__(
        self, *, jobs: JobLibrary, bulletin: Bulletin, hub: Hub, rules: StreamRules = RULES
    ) -> None:
        self._jobs = jobs
        self._bulletin = bulletin
        self._hub = hub
        self._rules = rules

    def stream(self, key: JobKey, *, after: int, is_admitted: IsAdmitted) -> ASGIApp:
        """Progress, items and, of a job with one item, its words."""
        look = Look(self._jobs, key, after)
        return _JobStream(
            look, self._bulletin, self._hub, is_admitted=is_admitted, rules=self._rules
        )


class _JobStream:
    """An ASGI application that answers one request."""

    def __init__(
        self,
        look: "Look",
        bulletin: Bulletin,
        hub: Hub,
        *,
        is_admitted: IsAdmitted,
        rules: StreamRules,
    ) -> None:
        self._look = look
        self._bulletin = bulletin
        self._hub = hub
        self._is_admitted = is_admitted
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the job has ended, the follower goes or is cut off, or the daemon stops.

        Raises:
            Unavailable: There is no room for another follower.
        """
        self._hub.enter()
        try:
            await stream(
                Line(scope, receive, send),
                _START,
                self._live,
                is_admitted=self._is_admitted,
                rules=self._rules,
            )
        finally:
            self._hub.exit()

    async def _live(self, wire: Wire) -> None:
        with (
            self._bulletin.follow(self._look.key.job_id) as follower,
            suppress(Unavailable),  # they come again, and go on where they are
        ):
            await wire.send(_OPENING)
            await self._pump(follower, wire)

    async def _pump(self, follower: Follower, wire: Wire) -> None:
        said_at = anyio.current_time()
        while not self._hub.closed:
            words = follower.take_words()
            told = _frame("token", Words(text=words)) if words else b""
            told += b"".join(await self._look.frames())
            now = anyio.current_time()
            if told or now - said_at > self._rules.heartbeat_s:
                said_at = now
                await wire.send(told or _HEARTBEAT)
            if self._look.has_ended:
                return
            await anyio.sleep(LOOK_EVERY_S)
            await follower.wait(WAIT_S)


class Look:
    """A job as a follower was told of it so far."""

    def __init__(self, jobs: JobLibrary, key: JobKey, after: int) -> None:
        self.key = key
        self.has_ended = False
        self._jobs = jobs
        self._after = after
        self._job: Job | None = None

    async def frames(self) -> list[bytes]:
        """What is new.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        job = await self._jobs.job(self.key)
        if job is None:
            self.has_ended = True
            return []
        items = await self._jobs.ended_items(self.key, after=self._after, size=ITEMS_PER_LOOK)
        frames = [_frame("item", item_view(item), id_=item.place) for item in items]
        self._after = items[-1].place or self._after if items else self._after
        if job != self._job:
            self._job = job
            frames.append(_frame("progress", job_view(job, now=datetime.now(UTC))))
        if _is_over(job) and len(items) < ITEMS_PER_LOOK:
            self.has_ended = True
            frames.append(_frame("end", JobEnd(job_id=job.id, status=job.status)))
        return frames


def _is_over(job: Job) -> bool:
    return job.status not in _OPEN and job.completed_at is not None


def _frame(event: str, data: object, id_: int | None = None) -> bytes:
    """One event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    named = f"id: {id_}\n" if id_ is not None else ""
    return f"{named}event: {event}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
