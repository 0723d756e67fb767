"""PostgreSQL made anew from the archive, while no daemon runs.

Owns the order: the archive is asked first, so that where there is none, or nothing in it, no
database is made or touched.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from engarde_daemon.adapters.postgres import migrations
from engarde_daemon.adapters.postgres.attach import SUPERUSER
from engarde_daemon.adapters.postgres.rebuilding import Rebuilding, Rebuilt
from engarde_daemon.cli import database
from engarde_daemon.cli.performing import perform
from engarde_daemon.cli.progress import progress
from engarde_daemon.config import Settings
from engarde_daemon.daemon.archives import archive_of
from engarde_daemon.domain.errors import Rejected
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.archive import ArchiveTable, Span

ALL_TIME = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
Pages = AsyncIterator[Sequence[ContentSnapshot]]


def restore_metadata(settings: Settings) -> Rebuilt:
    """Make items, versions and usage anew.

    Raises:
        CannotStartError: The embedded database cannot start.
        Rejected: There is nothing in the archive, or the database has content.
        Unavailable: PostgreSQL or the archive does not answer.
    """
    _refuse_missing(settings)
    return perform(partial(_restore, settings))


def _refuse_missing(settings: Settings) -> None:
    folder = settings.storage.archive_folder
    if settings.bigquery.mode == "embedded" and not (folder / ArchiveTable.SNAPSHOTS).is_dir():
        raise Rejected(f"There is no archive in {folder}: name another directory with --data-dir.")


async def _restore(settings: Settings) -> Rebuilt:
    async with AsyncExitStack() as resources:
        archive = await resources.enter_async_context(archive_of(settings))
        pages = archive.scan(ALL_TIME)
        first = await anext(pages, None)
        if first is None:
            raise Rejected("The archive holds no version of any content: nothing was touched.")
        dsn_as = await resources.enter_async_context(database.reachable(settings))
        await database.knock(dsn_as, settings.postgres)
        await migrations.migrate(dsn_as(SUPERUSER))
        link = await resources.enter_async_context(
            database.connection(dsn_as, settings.postgres, statement_limit_s=database.LONG_S)
        )
        return await _rebuild(Rebuilding(link), first, pages)


async def _rebuild(
    rebuilding: Rebuilding, first: Sequence[ContentSnapshot], rest: Pages
) -> Rebuilt:
    await rebuilding.ensure_empty()
    with progress("Restoring", "versions", None) as advance:
        await rebuilding.take(first)
        advance(len(first))
        async for page in rest:
            await rebuilding.take(page)
            advance(len(page))
        return await rebuilding.finish()
