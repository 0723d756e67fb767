"""What can be checked with a database, as the daemon itself would see it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres import isolation, migrations
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import PostgresStreams
from engarde_daemon.adapters.postgres.sessions import FOREGROUND_CONNECTIONS, Sessions
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.config import Settings
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.ledger import Drift
from sql import statements

_SQL = statements("doctor")
_CLOCK_APART_S = 2.0
_DELIVERY_LATE_S = 60.0
_REPLICATION_LATE_S = 900.0
_TENANTS_AT_ONCE = 500
_SHOWN = 3


class Examination(msgspec.Struct, frozen=True):
    """What the checks look at."""

    settings: Settings
    sessions: Sessions


async def check_server(link: asyncpg.Connection, settings: Settings) -> Finding:
    """Whether the server is one the daemon can work with."""
    server = await link.fetchrow(_SQL["server"])
    seen = f"{settings.postgres.place}, version {server['version']}"
    if server["number"] < migrations.OLDEST_SERVER:
        return Finding("PostgreSQL", State.FAULT, seen, "PostgreSQL 14 or later is needed.")
    given = settings.postgres
    wanted = given.reader_connections + given.writer_connections + FOREGROUND_CONNECTIONS
    if server["free_connections"] < wanted:
        seen = f"{seen}, has room for {server['free_connections']} more connections"
        advice = f"A daemon opens up to {wanted}: raise max_connections, or lower [postgres]."
        return Finding("PostgreSQL", State.WARNING, seen, advice)
    return Finding("PostgreSQL", State.OK, seen)


async def check_clock(link: asyncpg.Connection) -> Finding:
    """Whether our clock agrees with the one by which leases and limits of time are reckoned."""
    asked_at = datetime.now(UTC)
    clock = await link.fetchval(_SQL["clock"])
    took = datetime.now(UTC) - asked_at
    apart_s = abs((asked_at + took / 2 - clock).total_seconds())
    seen = f"{apart_s:.2f} s apart from PostgreSQL's"
    if apart_s > _CLOCK_APART_S:
        return Finding("clock", State.WARNING, seen, "Let both machines keep time by NTP.")
    return Finding("clock", State.OK, seen)


async def check_migrations(link: asyncpg.Connection) -> Finding:
    """Whether the schema is the one this version of the daemon was written for."""
    missing = await migrations.pending(link)
    if missing:
        seen = f"{len(missing)} have not run, the first is {missing[0]}"
        return Finding("migrations", State.FAULT, seen, "Run `engarde migrate schema`.")
    return Finding("migrations", State.OK, "all have run")


async def check_isolation(examined: Examination) -> Finding:
    """Whether row level security keeps tenants apart."""
    holes = await isolation.faults(examined.sessions.readers)
    if holes:
        return Finding(
            "tenant isolation",
            State.FAULT,
            _some(holes),
            "The daemon does not start like this. Undo the change, or restore the schema.",
        )
    return Finding("tenant isolation", State.OK, "row level security is in force")


async def check_quota(examined: Examination) -> Finding:
    """Whether the ledger agrees with the content it counts, for every tenant."""
    book = PostgresLedgerBook(examined.sessions.writers, examined.settings.catalogue())
    checked, last = 0, ""
    drifts: list[Drift] = []
    while tenants := await book.tenants_after(last, _TENANTS_AT_ONCE):
        drifts += await book.drift(tenants)
        checked, last = checked + len(tenants), tenants[-1]
    if drifts:
        seen = [f"{d.measure} of {d.tenant_id}: {d.ledger} instead of {d.actual}" for d in drifts]
        return Finding("quota", State.FAULT, _some(seen), "Report this: it is a defect.")
    return Finding("quota", State.OK, f"drift is 0 over {checked} tenants")


async def check_delivery(examined: Examination) -> Finding:
    """Whether bodies reach ZeroDB, and how much room is left for those that wait."""
    outbox = PostgresOutbox(examined.sessions.writers)
    waiting = (await outbox.backlog()).get("zerodb")
    staged, limit = await outbox.staged_bytes(), examined.settings.delivery.staging_limit_bytes
    if waiting is None:
        return Finding("delivery", State.OK, "no body waits for ZeroDB")
    seen = (
        f"{waiting.rows} versions wait for ZeroDB, the oldest for {waiting.oldest_age_s:.0f} s; "
        f"{staged} of {limit} bytes staged"
    )
    if staged >= limit:
        advice = "Writes are refused. Bring ZeroDB back, or raise [delivery] staging_limit_bytes."
        return Finding("delivery", State.FAULT, seen, advice)
    if waiting.oldest_age_s > _DELIVERY_LATE_S:
        advice = "Start the daemon if it does not run; look for ZeroDB in its log if it does."
        return Finding("delivery", State.WARNING, seen, advice)
    return Finding("delivery", State.OK, seen)


async def check_replication(examined: Examination) -> Finding:
    """Whether versions reach the archive."""
    streams = PostgresStreams(examined.sessions.writers)
    parked = sum([(await streams.standing(table)).parked for table in ArchiveTable])
    waiting = (await PostgresOutbox(examined.sessions.writers).backlog()).get("bigquery")
    if parked:
        seen = f"{parked} rows were refused by the archive and are parked"
        advice = "`engarde archive parked` says why; then `engarde archive retry`."
        return Finding("replication", State.WARNING, seen, advice)
    if waiting is None:
        return Finding("replication", State.OK, "no version waits for the archive")
    seen = f"{waiting.rows} versions wait, the oldest for {waiting.oldest_age_s:.0f} s"
    if waiting.oldest_age_s > _REPLICATION_LATE_S:
        advice = "Start the daemon if it does not run; look for the archive in its log if it does."
        return Finding("replication", State.WARNING, seen, advice)
    return Finding("replication", State.OK, seen)


def _some(things: Sequence[str]) -> str:
    more = f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
    return "; ".join(things[:_SHOWN]) + more
