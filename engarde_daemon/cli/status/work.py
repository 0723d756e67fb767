"""What `engarde status` sees of the daemon and of its database, whichever of them runs."""

from functools import partial

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.cli import database
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.performing import perform
from engarde_daemon.cli.presence import Presence, address_of, find_daemon
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import EngardeError
from sql import statements

_SQL = statements("status")


class DaemonStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon; `unready` is why it cannot promise a write."""

    runs: bool
    base_url: str
    version: str | None = None
    unready: str | None = None
    stuck: tuple[str, ...] = ()
    actors: int = 0
    restarts: int = 0
    zerodb: str | None = None
    archive: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it runs and can promise a write."""
        return self.runs and self.unready is None and not self.stuck


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What the database holds, and what it still owes to the stores behind it."""

    postgres: str
    tenants: int
    items: int
    bytes: int
    waiting_zerodb: int
    waiting_archive: int
    waiting_search: int
    oldest_age_s: float
    staged_bytes: int
    parked: int
    backfill: int
    generation_jobs: int
    recovery_jobs: int

    @property
    def risk(self) -> str:
        """Where content is, in words."""
        behind = self.waiting_archive + self.backfill + self.parked
        lacking = [
            f"{count} not yet in {store}"
            for store, count in (("ZeroDB", self.waiting_zerodb), ("the archive", behind))
            if count
        ]
        if not lacking:
            return "every version is in ZeroDB and the archive"
        return f"every version is in PostgreSQL; {' and '.join(lacking)}"


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `fault` is why the database could not be looked at."""

    daemon: DaemonStanding
    content: Holdings | None
    risk: str | None
    fault: str | None


def look_at(settings: Settings) -> Overview:
    """Look at both."""
    return perform(partial(_look_at, settings))


async def _look_at(settings: Settings) -> Overview:
    daemon = _standing(settings, await find_daemon(settings))
    try:
        database.require_made(settings)
        with translated():
            held = await _holdings(settings)
    except (CannotStartError, EngardeError, asyncpg.PostgresError) as error:
        return Overview(daemon=daemon, content=None, risk=None, fault=str(error)[:300])
    return Overview(daemon=daemon, content=held, risk=held.risk, fault=None)


def _standing(settings: Settings, found: Presence | None) -> DaemonStanding:
    if found is None:
        return DaemonStanding(runs=False, base_url=address_of(settings))
    return DaemonStanding(
        runs=True,
        base_url=found.base_url,
        version=found.version,
        unready=found.unready,
        stuck=found.stuck,
        actors=len(found.of("engarde_mailbox_capacity")),
        restarts=round(sum(sample.value for sample in found.of("engarde_actor_restarts"))),
        zerodb=found.state_of("zerodb"),
        archive=found.state_of("archive"),
    )


async def _holdings(settings: Settings) -> Holdings:
    async with (
        database.reachable(settings) as dsn_as,
        database.connection(dsn_as, settings.postgres) as link,
    ):
        row = await link.fetchrow(_SQL["holdings"])
    place = f"{settings.postgres.place}, version {row['version']}"
    figures = {name: value for name, value in row.items() if name != "version"}
    return msgspec.convert({"postgres": place, **figures}, Holdings)
