"""A job as it goes on, told as server-sent events until it has ended.

Owns the bound on looking: however much happens, a follower has the database asked a few times a
second at most, and each item that ended is told once, in the order in which they did.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import anyio
import msgspec

from actors.generation.bulletin import Bulletin, Follower
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.generation.schemas import JobEnd, Words, item_view, job_view
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.generation import JobStatus
from engarde_daemon.ports.generation import Job, JobKey, JobLibrary

LOOK_EVERY_S = 0.1
WAIT_S = 1.0
HEARTBEAT_S = 15.0
ITEMS_PER_LOOK = 100

_OPEN = {JobStatus.PENDING, JobStatus.RUNNING}
# A comment and a field of their own; an empty line would end an event that is none.
_OPENING = b": listening\nretry: 2000\n"
_HEARTBEAT = b": heartbeat\n"


class Following:
    """Makes streams."""

    def __init__(self, *, jobs: JobLibrary, bulletin: Bulletin, hub: Hub) -> None:
        self._jobs = jobs
        self._bulletin = bulletin
        self._hub = hub

    async def stream(
        self, key: JobKey, *, after: int, is_admitted: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Progress, items and, of a job with one item, its words."""
        self._hub.enter()
        try:
            with self._bulletin.follow(key.job_id) as follower:
                async for frame in self._frames(_Trace(key, after), follower, is_admitted):
                    yield frame
        finally:
            self._hub.exit()

    async def _frames(
        self, trace: "_Trace", follower: Follower, is_admitted: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        checked = anyio.current_time()
        yield _OPENING
        while not self._hub.closed:
            if words := follower.take_words():
                yield _frame("token", Words(text=words))
            try:
                frames = await self._look(trace)
            except Unavailable:
                return  # they come again, and go on where they are
            for frame in frames:
                yield frame
            if trace.has_ended:
                return
            if anyio.current_time() - checked > HEARTBEAT_S:
                checked = anyio.current_time()
                if not await is_admitted():
                    return
                yield _HEARTBEAT
            await anyio.sleep(LOOK_EVERY_S)
            await follower.wait(WAIT_S)

    async def _look(self, trace: "_Trace") -> list[bytes]:
        job = await self._jobs.job(trace.key)
        if job is None:
            trace.has_ended = True
            return []
        items = await self._jobs.ended_items(trace.key, after=trace.after, size=ITEMS_PER_LOOK)
        frames = [_frame("item", item_view(item), id_=item.place) for item in items]
        trace.after = items[-1].place or trace.after if items else trace.after
        if job != trace.job:
            trace.job = job
            frames.append(_frame("progress", job_view(job, now=datetime.now(UTC))))
        if _is_over(job) and len(items) < ITEMS_PER_LOOK:
            trace.has_ended = True
            frames.append(_frame("end", JobEnd(job_id=job.id, status=job.status)))
        return frames


class _Trace:
    """How far a follower was told."""

    def __init__(self, key: JobKey, after: int) -> None:
        self.key = key
        self.after = after
        self.job: Job | None = None
        self.has_ended = False


def _is_over(job: Job) -> bool:
    return job.status not in _OPEN and job.completed_at is not None


def _frame(event: str, data: object, id_: int | None = None) -> bytes:
    """One event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    named = f"id: {id_}\n" if id_ is not None else ""
    return f"{named}event: {event}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
