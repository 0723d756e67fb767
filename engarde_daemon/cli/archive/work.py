"""What `engarde archive` does with the archive and with the book of replication."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from engarde_daemon.adapters.archive.analysis import Answer, ask
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import (
    PostgresReplicationBook,
    PostgresStreams,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.cli import database
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.performing import perform
from engarde_daemon.config import Settings
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.outbox import Backlog
from engarde_daemon.ports.replication import ReplicationBook

T = TypeVar("T")


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the archive."""

    waiting: int
    oldest_age_s: float
    backfill: int
    parked: int


def ask_archive(settings: Settings, question: str) -> Answer:
    """Answer one SELECT over the embedded archive.

    Raises:
        CannotStartError: The archive is in BigQuery, which has tools of its own for this.
        Invalid: The question cannot be answered.
    """
    if settings.bigquery.mode != "embedded":
        raise CannotStartError(
            'This asks the embedded archive; with [bigquery] mode = "bigquery", use `bq query`.'
        )
    return ask(settings.storage.archive_folder, question)


def replication(settings: Settings, job: Callable[[ReplicationBook], Awaitable[T]]) -> T:
    """Do one job with the book of replication.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: The database cannot be reached.
        Rejected: It lacks the daemon's tables.
    """
    return perform(
        partial(_with_sessions, settings, lambda s: job(PostgresReplicationBook(s.writers)))
    )


def status(settings: Settings) -> Status:
    """Look at what waits.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: The database cannot be reached.
        Rejected: It lacks the daemon's tables.
    """
    return perform(partial(_with_sessions, settings, _status))


async def _status(sessions: Sessions) -> Status:
    backlog = await PostgresOutbox(sessions.writers).backlog()
    streams = PostgresStreams(sessions.writers)
    standings = [await streams.standing(table) for table in ArchiveTable]
    waiting = backlog.get("bigquery", Backlog(0, 0.0))
    return Status(
        waiting=waiting.rows,
        oldest_age_s=round(waiting.oldest_age_s, 3),
        backfill=sum(standing.backfill for standing in standings),
        parked=sum(standing.parked for standing in standings),
    )


async def _with_sessions(settings: Settings, job: Callable[[Sessions], Awaitable[T]]) -> T:
    async with database.sessions(settings) as sessions:
        return await job(sessions)
