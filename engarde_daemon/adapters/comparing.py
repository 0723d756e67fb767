"""Versions compared where it holds up nobody.

Owns the rule that the event loop compares small texts alone: large ones, or those of many lines,
go to worker threads of their own, and only so many of them at a time.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import msgspec
from anyio import to_thread

from engarde_daemon.domain import history
from engarde_daemon.domain.content import Change
from engarde_daemon.domain.history import Comparison, Patch, Snapshot

THREADS = 2
SMALL_CHARACTERS = 64 * 1024
SMALL_LINES = 1000

T = TypeVar("T")


class ThreadedComparer:
    """The `Comparer` port."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(THREADS)

    async def compare(self, change: Change, before: Snapshot | None, after: Snapshot) -> Comparison:
        """See `Comparer.compare`."""
        if before is None:
            return history.compare(change, before, after)
        return await self._run(partial(history.compare, change, before, after), before, after)

    async def diff(self, before: Snapshot, after: Snapshot) -> Patch:
        """See `Comparer.diff`."""
        return await self._run(partial(history.diff, before, after), before, after)

    async def _run(self, work: Callable[[], T], *snapshots: Snapshot) -> T:
        if all(map(_is_small, snapshots)):
            return work()
        return await to_thread.run_sync(work, limiter=self._threads)


def _is_small(snapshot: Snapshot) -> bool:
    body = snapshot.content_body
    if len(body) > SMALL_CHARACTERS or body.count("\n") > SMALL_LINES:
        return False
    return len(msgspec.json.encode(snapshot.metadata)) <= SMALL_CHARACTERS
