"""Which archive the settings name.

Owns the rule that Google's libraries are imported only by a daemon that is told to use BigQuery.
"""

import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.archive.segments import last_numbers
from engarde_daemon.adapters.postgres.replication import PostgresStreams
from engarde_daemon.config import Settings
from engarde_daemon.config.stores import BigQuery
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.ports.archive import Archive

if TYPE_CHECKING:
    from engarde_daemon.adapters.bigquery.archive import BigQueryArchive


def archive_of(settings: Settings) -> AbstractAsyncContextManager[Archive]:
    """The archive, to be opened by entering it.

    Raises:
        Invalid: The settings name BigQuery, but no project, or its libraries are not installed.
    """
    if settings.bigquery.mode == "bigquery":
        return bigquery_of(settings.bigquery)
    return EmbeddedArchive(
        settings.storage.archive_folder, timeout_s=settings.bigquery.timeout_s, now=time.time
    )


async def go_on_numbering(folder: Path, streams: PostgresStreams) -> None:
    """Let rows be numbered after those that lie in the folder, by which its files are named.

    A database that is new or was made anew would begin with 1, and its files take the place of others.

    Raises:
        Unavailable: PostgreSQL does not answer.
        OSError: The folder cannot be read.
    """
    for table, number in (await to_thread.run_sync(last_numbers, folder)).items():
        await streams.number_after(table, number)


def bigquery_of(given: BigQuery) -> "AbstractAsyncContextManager[BigQueryArchive]":
    """The archive in BigQuery, to be opened by entering it.

    Raises:
        Invalid: The settings name no project, or Google's libraries are not installed.
    """
    if not given.project:
        raise Invalid([FieldError("[bigquery] project", "BigQuery needs one that it can bill")])
    try:
        from engarde_daemon.daemon.bigquery import bigquery_archive  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        remedy = 'its libraries are missing: pip install "engarde-daemon[bigquery]"'
        raise Invalid([FieldError("[bigquery] mode", remedy)]) from error
    return bigquery_archive(given)
