"""What operators see at a glance, with the rights of `engarde_actor`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.overview import (
    Happening,
    Identity,
    JobSort,
    JobStanding,
    Known,
    ParkedRow,
)
from engarde_daemon.protocol import (
    ActorView,
    DaemonState,
    DaemonView,
    JobView,
    TenantsView,
    TenantView,
)
from sql import statements

SILENT_AFTER_S = 6.0
SUMMED_UP_MOST = 5_000
JOBS_SHOWN = 50
TENANTS_SHOWN = 20
DESTINATIONS = {"delivery": "zerodb", "archive": "bigquery", "index": "search"}

_SQL = statements("overview")
_ARCHIVE = statements("archive")
_OUTBOX = statements("outbox")
_ACTORS = msgspec.json.Decoder(list[ActorView])


class PostgresDaemonRegister:
    """The `DaemonRegister` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def beat(self, identity: Identity, actors: Sequence[ActorView]) -> None:
        """See `DaemonRegister.beat`."""
        said = msgspec.json.encode(actors).decode()
        with translated():
            await self._writers.execute(_SQL["beat"], *msgspec.structs.astuple(identity), said)
            await self._writers.execute(_SQL["sum_up"], SUMMED_UP_MOST)

    async def stop(self, daemon_id: str) -> None:
        """See `DaemonRegister.stop`."""
        with translated():
            await self._writers.execute(_SQL["stop"], daemon_id)


class PostgresOverview:
    """The `OverviewReader` and `QueueOffice` ports on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def look(self, daemon_id: str) -> Known:
        """See `OverviewReader.look`."""
        with translated():
            async with self._writers.acquire() as link:
                versions = await link.fetchval(_SQL["versions"])
                others = await link.fetch(_SQL["others"], daemon_id, SILENT_AFTER_S)
                jobs = await link.fetch(_SQL["live_jobs"], None, None, None, JOBS_SHOWN)
                levels = await link.fetch(_SQL["levels"])
                fullest = await link.fetch(_SQL["fullest"], self._limits.storage, TENANTS_SHOWN)
        return Known(
            versions=versions,
            others=[_daemon_of(row) for row in others],
            jobs=[JobView(**row) for row in jobs],
            tenants=_tenants_of(levels, fullest),
        )

    async def happenings(self, since: datetime, *, most: int) -> Sequence[Happening]:
        """See `OverviewReader.happenings`."""
        with translated():
            rows = await self._writers.fetch(_SQL["happenings"], since, most)
        return [Happening(**row) for row in reversed(rows)]

    async def jobs(
        self, sort: JobSort, *, tenant_id: str | None, after: Place | None, size: int
    ) -> Sequence[JobView]:
        """See `QueueOffice.jobs`."""
        place = (None, None) if after is None else (after.created_at, after.content_id)
        with translated():
            rows = await self._writers.fetch(_SQL[f"{sort}_jobs"], tenant_id, *place, size)
        return [JobView(**row) for row in rows]

    async def find_job(self, job_id: str) -> JobStanding | None:
        """See `QueueOffice.find_job`."""
        with translated():
            row = await self._writers.fetchrow(_SQL["job"], job_id)
        return JobStanding(**row) if row is not None else None

    async def parked(self, queue: str, *, most: int) -> Sequence[ParkedRow]:
        """See `QueueOffice.parked`."""
        with translated():
            rows = await self._writers.fetch(_SQL["put_off"], DESTINATIONS[queue], most)
            found = [ParkedRow(**row) for row in rows]
            if queue == "archive":
                refused = await self._writers.fetch(_ARCHIVE["parked"], most)
                found = [_refused_of(row) for row in refused] + found
        return found[:most]

    async def retry(self, queue: str, *, most: int) -> int:
        """See `QueueOffice.retry`."""
        with translated():
            again = int(
                await self._writers.fetchval(_OUTBOX["expedite"], DESTINATIONS[queue], most)
            )
            if queue == "archive":
                again += int(await self._writers.fetchval(_ARCHIVE["retry_parked"]))
        return again


def _daemon_of(row: Mapping[str, Any]) -> DaemonView:
    return DaemonView(
        id=row["id"],
        name=row["name"],
        address=row["address"],
        version=row["version"],
        pid=row["pid"],
        state=DaemonState(row["state"]),
        started_at=row["started_at"],
        last_seen=row["last_seen"],
        uptime_s=round((row["last_seen"] - row["started_at"]).total_seconds(), 3),
        actors=_ACTORS.decode(row["actors"]),
    )


def _tenants_of(levels: Sequence[Any], fullest: Sequence[Any]) -> TenantsView:
    counts = {row["level"]: row["tenants"] for row in levels}
    total = counts.pop("all")
    return TenantsView(
        total=total,
        levels={"normal": total - sum(counts.values()), **counts},
        fullest=[TenantView(**row) for row in fullest],
    )


def _refused_of(row: Mapping[str, Any]) -> ParkedRow:
    return ParkedRow(
        tenant_id=row["tenant_id"],
        content_id=row["content_id"],
        version=row["version"],
        reason=row["reason"],
        since=row["parked_at"],
    )
