"""The auditor: who did what, written in batches off the path of requests.

Owns two bounds. What was answered is written within `WRITE_EVERY_S` while PostgreSQL answers, so
that is what a crash may lose. And while it does not, `KEPT_MAX` entries wait at most; the ones that
find no room are counted in the log. Nothing here may ever hold up or fail a request.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from itertools import islice
from typing import assert_never

import structlog

from actors.auditor.messages import Audited, AuditorMessage, ForgetDue, WriteDue
from actors.clock import ticking
from engarde_daemon.core import Actor, BatchLimit
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.register import AuditEntry, AuditTrail

WRITE_EVERY_S = 1.0
FORGET_EVERY_S = 60.0
BATCH_ENTRIES = 500
KEPT_MAX = 20_000
FORGOTTEN_PER_CHORE = 5_000

_LOG = structlog.get_logger("engarde.audit")


class Auditor(Actor[AuditorMessage]):
    """Keeps entries until they are written."""

    batch = BatchLimit(messages=256)

    def __init__(self, trail: AuditTrail, *, keep_days: int, clock: Callable[[], float]) -> None:
        self._trail = trail
        self._keep_days = keep_days
        self._clock = clock
        self._kept: deque[AuditEntry] = deque()
        self._rest_until = clock()
        self._dropped = 0

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to write regularly."""
        await ticking(resources, self.own, WriteDue(), every_s=WRITE_EVERY_S)
        await ticking(resources, self.own, ForgetDue(), every_s=FORGET_EVERY_S)

    async def stopping(self) -> None:
        """Write what is left."""
        await self._write()

    async def receive(self, message: AuditorMessage) -> None:
        """Keep an entry, or do what is due."""
        match message:
            case Audited(entry):
                self._keep(entry)
                # Reminders are left out while messages queue, so that a full batch is one itself.
                if len(self._kept) >= BATCH_ENTRIES and self._clock() >= self._rest_until:
                    await self._write()
            case WriteDue():
                await self._write()
            case ForgetDue():
                with suppress(Unavailable):
                    await self._trail.forget(
                        older_than_days=self._keep_days, most=FORGOTTEN_PER_CHORE
                    )
            case _:
                assert_never(message)

    def _keep(self, entry: AuditEntry) -> None:
        if len(self._kept) < KEPT_MAX:
            self._kept.append(entry)
        else:
            self._dropped += 1

    async def _write(self) -> None:
        while self._kept:
            batch = list(islice(self._kept, BATCH_ENTRIES))
            try:
                await self._trail.append(batch)
            except Unavailable:
                self._rest_until = self._clock() + WRITE_EVERY_S
                return
            for _ in batch:
                self._kept.popleft()
        if self._dropped:
            _LOG.error("audit entries lost: PostgreSQL was away too long", entries=self._dropped)
            self._dropped = 0
