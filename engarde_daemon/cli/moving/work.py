"""What the two commands do: reach the database, bring it up to date, and move what is there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from engarde_daemon.adapters.postgres import migrations
from engarde_daemon.adapters.postgres.attach import SUPERUSER
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.moving import (
    Assets,
    Items,
    Migration,
    Source,
    clear,
    count_texts,
    move,
)
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.cli import database
from engarde_daemon.cli.performing import perform
from engarde_daemon.cli.progress import progress
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import Rejected

BATCH_LIMIT_S = 120.0


def move_assets(settings: Settings, *, dry_run: bool) -> Migration:
    """Make content of the platform's campaign assets.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: PostgreSQL does not answer.
    """
    return _run(settings, Assets, dry_run=dry_run, clear_source=False)


def move_items(settings: Settings, *, dry_run: bool, clear_source: bool) -> Migration:
    """Move the bodies of the platform's content items in.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: PostgreSQL does not answer.
    """
    return _run(settings, Items, dry_run=dry_run, clear_source=clear_source)


def _run(
    settings: Settings,
    source: Callable[[asyncpg.Pool], Source],
    *,
    dry_run: bool,
    clear_source: bool,
) -> Migration:
    return perform(
        partial(_move, settings, source, dry_run=dry_run, clear_source=clear_source and not dry_run)
    )


async def _move(
    settings: Settings,
    source: Callable[[asyncpg.Pool], Source],
    *,
    dry_run: bool,
    clear_source: bool,
) -> Migration:
    async with _writers(settings, dry_run=dry_run) as writers:
        rows = source(writers)
        # What is there already is counted, and refused by no plan: it was accepted long ago.
        log = PostgresContentLog(writers, {})
        found, _ = await rows.count()
        with progress("Migrating", "rows", found) as advance:
            told = await move(rows, log, dry_run=dry_run, advance=advance)
        if clear_source:
            with progress("Clearing", "texts", await count_texts(writers)) as advance:
                await clear(writers, told, advance)
    return told


@asynccontextmanager
async def _writers(settings: Settings, *, dry_run: bool) -> AsyncIterator[asyncpg.Pool]:
    database.require_made(settings)
    limits = SessionLimits(readers=1, writers=1, statement_timeout_s=BATCH_LIMIT_S)
    async with database.reachable(settings) as dsn_as:
        async with database.connection(dsn_as, settings.postgres) as link:
            if dry_run:
                await _require_schema(link)
        if not dry_run:
            await migrations.migrate(dsn_as(SUPERUSER))
        async with Sessions(dsn_as, limits) as sessions:
            yield sessions.writers


async def _require_schema(link: asyncpg.Connection) -> None:
    if await migrations.pending(link):
        raise Rejected(
            "The tables of this version are not there yet, and --dry-run changes nothing: run "
            "`engarde migrate schema` first."
        )
