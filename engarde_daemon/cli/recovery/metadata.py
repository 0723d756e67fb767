"""PostgreSQL made anew from the archive, while no daemon runs."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

import anyio
from rich.console import Console
from rich.progress import Progress, TextColumn

from engarde_daemon.adapters.postgres import migrations
from engarde_daemon.adapters.postgres.attach import SUPERUSER
from engarde_daemon.adapters.postgres.rebuilding import Rebuilding, Rebuilt
from engarde_daemon.cli import database
from engarde_daemon.config import Settings
from engarde_daemon.daemon.archives import archive_of
from engarde_daemon.ports.archive import Span

ALL_TIME = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def restore_metadata(settings: Settings) -> Rebuilt:
    """Make items, versions and usage anew.

    Raises:
        CannotStartError: The embedded database cannot start.
        Conflict: The database has content.
        Unavailable: PostgreSQL or the archive does not answer.
    """
    database.keep_logs_off_stdout()
    return anyio.run(partial(_restore, settings))


async def _restore(settings: Settings) -> Rebuilt:
    async with AsyncExitStack() as resources:
        dsn_as = await resources.enter_async_context(database.reachable(settings))
        await migrations.migrate(dsn_as(SUPERUSER))
        link = await resources.enter_async_context(database.connection(dsn_as, settings.postgres))
        archive = await resources.enter_async_context(archive_of(settings))
        rebuilding = Rebuilding(link)
        await rebuilding.ensure_empty()
        columns = (TextColumn("Restoring"), TextColumn("{task.completed} versions"))
        bar = resources.enter_context(Progress(*columns, console=Console(stderr=True)))
        task = bar.add_task("Restoring", total=None)
        async for page in archive.scan(ALL_TIME):
            await rebuilding.take(page)
            bar.advance(task, len(page))
        return await rebuilding.finish()
