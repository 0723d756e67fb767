"""The steward: what nobody waits for but someone must do.

Every chore is idempotent and bounded, so that several daemons may do it at the same time: what is
due is published at the version it was found at, so that it happens once; rows that must go are
leased; live content is never touched by retention.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import groupby
from typing import assert_never

import structlog

from actors.clock import ticking
from actors.ingest.messages import IngestMessage, UpdateContent
from actors.steward.messages import EraseContent, PublishDue, StewardMessage, Tick
from engarde_daemon.core import Actor, ActorError, Address
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Status
from engarde_daemon.domain.errors import (
    Denied,
    EngardeError,
    Retryable,
    Unavailable,
    VersionConflict,
)
from engarde_daemon.domain.snapshots import snapshot_id
from engarde_daemon.failpoints import STEWARD_AFTER_PUBLISH, STEWARD_BEFORE_REMOVAL
from engarde_daemon.ports.analytics import PerformanceBook
from engarde_daemon.ports.archive import ArchiveWriter
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.content import ContentKey, VersionKey
from engarde_daemon.ports.events import EventLog
from engarde_daemon.ports.outbox import Housekeeping
from engarde_daemon.ports.retention import Removal, Retention

ROWS_PER_CHORE = 1000
PAGES_PER_CHORE = 500
ITEMS_PER_ROUND = 100
PUBLISH_TIMEOUT_S = 20.0
MEDIA_CHECKED_EVERY = timedelta(days=1)
FIGURES_REMEMBERED_S = 90 * 86_400.0
SCHEDULER = "scheduler"
RETENTION = "retention"

Forget = Callable[[str, Sequence[Removal]], Awaitable[int]]
"""Has a store forget what it has of these removals of one tenant."""

_LOG = structlog.get_logger("engarde.steward")


class Steward(Actor[StewardMessage]):
    """Publishes what is due, erases what must go, sweeps what others left behind."""

    def __init__(
        self,
        *,
        housekeeping: Housekeeping,
        retention: Retention,
        figures: PerformanceBook,
        events: EventLog,
        event_days: float,
        store: BodyStore,
        archive: ArchiveWriter,
        ingest: Address[IngestMessage],
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        sweep_every_s: float,
        publish_every_s: float,
    ) -> None:
        self._housekeeping = housekeeping
        self._retention = retention
        self._figures = figures
        self._events = events
        self._event_days = event_days
        self._store = store
        self._archive = archive
        self._ingest = ingest
        self._new_id = new_id
        self._now = now
        self._sweep_every_s = sweep_every_s
        self._publish_every_s = publish_every_s

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, PublishDue(), every_s=self._publish_every_s)
        await ticking(resources, self.own, Tick(), every_s=self._sweep_every_s)

    async def receive(self, message: StewardMessage) -> int | None:
        """Do what is asked, or a piece of each chore."""
        match message:
            case EraseContent():
                return await self._erase(message)
            case PublishDue():
                await self._publish_due()
            case Tick():
                await self._sweep()
            case _:
                assert_never(message)
        return None

    async def _erase(self, message: EraseContent) -> int | None:
        erased = await self._retention.erase(
            ContentKey(message.tenant_id, message.content_id),
            erasure_id=message.erasure_id,
            by=message.user_id,
            reason=message.reason,
        )
        await self._pass_on("zerodb", self._delete_rows)
        return erased

    async def _publish_due(self) -> None:
        for key in await self._retention.due_items(ITEMS_PER_ROUND):
            try:
                await self._publish(key)
            except VersionConflict:
                continue  # someone changed or published it in the meantime
            except (Retryable, ActorError) as error:
                _LOG.warning("what is due waits to be published", error=type(error).__name__)
                return
            except EngardeError as refusal:  # of this item, which must not hold up the others
                reason = refusal.detail[:200]
                _LOG.warning("not published", content_id=key.content_id, reason=reason)

    async def _publish(self, key: VersionKey) -> None:
        await self._ingest.ask(
            UpdateContent(
                tenant_id=key.tenant_id,
                content_id=key.content_id,
                user_id=SCHEDULER,
                patch=Patch(status=Status.PUBLISHED),
                expected_version=key.version,
            ),
            timeout_s=PUBLISH_TIMEOUT_S,
        )
        await STEWARD_AFTER_PUBLISH.reached()

    async def _sweep(self) -> None:
        await self._housekeeping.sweep_staged(ROWS_PER_CHORE)
        await self._housekeeping.forget_keys(ROWS_PER_CHORE)
        await self._events.forget(older_than_days=self._event_days, most=ROWS_PER_CHORE)
        for key in await self._retention.expired_trash(ITEMS_PER_ROUND):
            await self._retention.erase(
                key, erasure_id=self._new_id(), by=RETENTION, reason="retention"
            )
        await self._retention.trim_versions(PAGES_PER_CHORE)
        await self._retention.expire_media(
            ITEMS_PER_ROUND, unseen_since=self._now() - MEDIA_CHECKED_EVERY
        )
        await self._figures.forget(older_than_s=FIGURES_REMEMBERED_S, most=ROWS_PER_CHORE)
        await self._pass_on("zerodb", self._delete_rows)
        await self._pass_on("bigquery", self._erase_in_archive)
        await self._pass_on("versions", self._forget_versions)

    async def _pass_on(self, what: str, forget: Forget) -> None:
        """Pass removals on; while a store is away they stay due, and nothing else waits for it."""
        removals = await self._retention.claim_removals(what, ROWS_PER_CHORE)
        try:
            for tenant_id, rows in groupby(sorted(removals, key=_tenant), key=_tenant):
                await forget(tenant_id, [*rows])
        except (Unavailable, Denied) as error:
            _LOG.warning("a store did not erase", what=what, reason=str(error)[:300])
            return
        await self._retention.settle_removals(removals)

    async def _delete_rows(self, tenant_id: str, removals: Sequence[Removal]) -> int:
        await STEWARD_BEFORE_REMOVAL.reached()
        return await self._store.delete_many(tenant_id, [row.record_id for row in removals])

    async def _erase_in_archive(self, tenant_id: str, removals: Sequence[Removal]) -> int:
        return await self._archive.erase(tenant_id, [row.record_id for row in removals])

    async def _forget_versions(self, tenant_id: str, removals: Sequence[Removal]) -> int:
        rows = [snapshot_id(row.record_id, row.version) for row in removals if row.version]
        return await self._archive.forget_versions(tenant_id, rows)


def _tenant(removal: Removal) -> str:
    return removal.tenant_id
