"""From where everything is seen: this daemon, its stores, and what PostgreSQL knows of the rest.

Owns two bounds. PostgreSQL is waited for no longer than `PATIENCE_S`, after which a snapshot says
that it does not answer and shows what was known before. And looking takes no more than a small
share of its time: after a look, it is left alone `REST_SHARE` times as long as that took.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import anyio
import msgspec

from engarde_daemon.core import HealthReport
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.safety import Scene, backlog_of, safety_of, stores_of
from engarde_daemon.domain.vitals import NewsVitals, Vitals
from engarde_daemon.ports.overview import Identity, Known, OverviewReader
from engarde_daemon.protocol import (
    ActorView,
    DaemonState,
    DaemonView,
    Rates,
    Snapshot,
    StoreView,
    TenantsView,
)

PATIENCE_S = 1.0
REST_SHARE = 10.0
REST_MAX_S = 3.0
_NOTHING = Known(
    versions=0, others=(), jobs=(), tenants=TenantsView(total=0, levels={}, fullest=())
)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen without asking anybody, and the clocks; `archive_name` is for sentences."""

    identity: Identity
    health: Callable[[], HealthReport]
    vitals: Callable[[], Vitals]
    news: Callable[[], NewsVitals]
    clock: Callable[[], float]
    now: Callable[[], datetime]
    began_at: datetime
    archive_name: str


class Lookout:
    """Puts snapshots together."""

    def __init__(self, around: Surroundings, reader: OverviewReader) -> None:
        self._around = around
        self._reader = reader
        self._known = _NOTHING
        self._known_at: datetime | None = None
        self._latency_s: float | None = None
        self._trouble: str | None = None
        self._not_before = 0.0

    async def snapshot(self, rates: Rates) -> Snapshot:
        """How everything is now."""
        await self._ask()
        scene = self._scene()
        return Snapshot(
            at=scene.now,
            known_at=self._known_at,
            daemon=self._self(scene),
            safety=safety_of(scene),
            stores=stores_of(scene),
            rates=rates,
            backlog=backlog_of(scene),
            others=self._known.others,
            jobs=self._known.jobs,
            tenants=self._known.tenants,
        )

    def stores(self) -> Sequence[StoreView]:
        """How the stores are, as far as it is known without asking anybody."""
        return stores_of(self._scene())

    def actors(self) -> Sequence[ActorView]:
        """How the actors of this daemon are."""
        return [_actor(report) for report in self._around.health().walk()]

    async def _ask(self) -> None:
        clock = self._around.clock
        began = clock()
        if began < self._not_before:
            return
        try:
            with anyio.fail_after(PATIENCE_S):
                self._known = await self._reader.look(self._around.identity.id)
        except (Unavailable, TimeoutError) as error:
            self._trouble = str(error) or f"PostgreSQL did not answer within {PATIENCE_S:g} s"
            return
        self._trouble, self._latency_s = None, clock() - began
        self._known_at = self._around.now()
        self._not_before = clock() + min(REST_MAX_S, REST_SHARE * self._latency_s)

    def _scene(self) -> Scene:
        around, vitals = self._around, self._around.vitals()
        if self._trouble is not None and vitals.postgres is None:
            vitals = msgspec.structs.replace(vitals, postgres=self._trouble)
        return Scene(
            now=around.now(),
            vitals=vitals,
            news=around.news(),
            versions=self._known.versions,
            actors=around.health(),
            others=self._known.others,
            archive_name=around.archive_name,
            postgres_latency_s=self._latency_s,
        )

    def _self(self, scene: Scene) -> DaemonView:
        identity = self._around.identity
        return DaemonView(
            id=identity.id,
            name=identity.name,
            address=identity.address,
            version=identity.version,
            pid=identity.pid,
            state=DaemonState.RUNNING,
            started_at=self._around.began_at,
            last_seen=scene.now,
            uptime_s=round((scene.now - self._around.began_at).total_seconds(), 3),
            actors=[_actor(report) for report in scene.actors.walk()],
        )


def _actor(report: HealthReport) -> ActorView:
    return ActorView(
        name=report.path.rpartition("/")[2],
        path=report.path,
        kind="supervisor" if report.children else "actor",
        status=report.status.value,
        restarts=report.restarts,
        last_error=report.last_error.partition(":")[0] if report.last_error else None,
        depth=report.depth,
        capacity=report.capacity,
        waiting=report.waiting,
        busy_s=round(report.busy_s, 3),
        oldest_message_age_s=round(report.oldest_message_age_s, 3),
        processed=report.processed,
    )
