"""The curator: what happens to stored bytes after, or instead of, being kept.

Owns two rules. What becomes of a file is decided by its examination alone, and written down only by
the daemon that holds the case. And bytes are removed only after their upload was given up in the
database, from where nobody can keep them any more.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import assert_never

import anyio
import msgspec

from actors.clock import ticking
from actors.curator.messages import CuratorMessage, Sweep, Wake
from engarde_daemon.core import Actor, ActorStopped, MailboxFull
from engarde_daemon.domain.errors import Corrupt, Unavailable
from engarde_daemon.domain.media import thumbnail_path, thumbnail_url
from engarde_daemon.domain.resuming import parts_folder
from engarde_daemon.ports.media import Case, Examiner, Finding, MediaRounds, MediaStore

ATTEMPTS_MAX = 3
LEFTOVERS_PER_SWEEP = 100
RETRY_S = 15.0
BROKE_DOWN = Finding(failure="The file could not be examined.")
LOST = Finding(failure="The bytes of the file are not in the media store any more.")


class CuratorPace(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done at once, and for how long a case is held."""

    in_parallel: int = 2
    lease_s: float = 300.0
    poll_s: float = 1.0
    sweep_s: float = 15.0


class Curator(Actor[CuratorMessage]):
    """Examines what waits, and removes what must go."""

    def __init__(
        self, rounds: MediaRounds, store: MediaStore, examiner: Examiner, *, pace: CuratorPace
    ) -> None:
        self._rounds = rounds
        self._store = store
        self._examiner = examiner
        self._pace = pace

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)
        await ticking(resources, self.own, Sweep(), every_s=self._pace.sweep_s)

    async def receive(self, message: CuratorMessage) -> None:
        """Do a bounded piece of what is asked."""
        # When a store goes away, leases run out, and the next reminder goes on.
        with suppress(Unavailable):
            match message:
                case Wake():
                    await self._examine_some()
                case Sweep():
                    await self._sweep()
                case _:
                    assert_never(message)

    async def _examine_some(self) -> None:
        cases = await self._rounds.claim_cases(self._pace.in_parallel, lease_s=self._pace.lease_s)
        async with anyio.create_task_group() as lanes:
            for case in cases:
                lanes.start_soon(self._examine, case)
        if len(cases) == self._pace.in_parallel:
            # Through the mailbox, so that a sweep gets its turn.
            with suppress(MailboxFull, ActorStopped):
                self.own.offer(Wake())

    async def _examine(self, case: Case) -> None:
        with suppress(Unavailable):
            try:
                finding = await self._finding_on(case)
                await self._rounds.settle_case(case, await self._with_thumbnail(case, finding))
            except Unavailable:
                await self._rounds.defer_case(case, after_s=RETRY_S)

    async def _finding_on(self, case: Case) -> Finding:
        if case.attempts > ATTEMPTS_MAX:
            return BROKE_DOWN
        try:
            with anyio.fail_after(self._pace.lease_s):
                return await self._examiner.examine(case)
        except Corrupt:
            return LOST
        except TimeoutError:
            raise Unavailable("The media store is too slow to examine a file.") from None

    async def _with_thumbnail(self, case: Case, finding: Finding) -> Finding:
        if finding.thumbnail is None:
            return finding
        await self._store.put(thumbnail_path(case.storage_path), _once(finding.thumbnail))
        shown = msgspec.structs.replace(finding.properties, thumbnail_url=thumbnail_url(case.id))
        return msgspec.structs.replace(finding, properties=shown)

    async def _sweep(self) -> None:
        await self._rounds.give_up_overdue(LEFTOVERS_PER_SWEEP)
        leftovers = await self._rounds.claim_leftovers(
            LEFTOVERS_PER_SWEEP, lease_s=self._pace.lease_s
        )
        paths = [leftover.storage_path for leftover in leftovers]
        await self._store.delete([*paths, *map(thumbnail_path, paths)])
        for leftover in leftovers:
            if leftover.in_parts:
                await self._store.clear(parts_folder(leftover.storage_path))
        await self._rounds.settle_leftovers(leftovers)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
