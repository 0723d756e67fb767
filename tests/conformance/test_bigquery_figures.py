"""What every archive promises of figures and media rows, kept by the one in BigQuery."""

from collections.abc import AsyncIterator

import pytest

from engarde_daemon.adapters.bigquery.archive import Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.ports.archive import Archive
from tests.conformance.test_archive_figures import *  # noqa: F403 - the suite itself
from tests.support.bigquery_emulator import BigQueryEmulator, bigquery_emulator

__all__ = ["bigquery_emulator"]

_EMPTY = (
    "DELETE FROM content_analytics WHERE metric_date >= '1970-01-01'",
    "DELETE FROM content_media_snapshots WHERE snapshot_timestamp >= '1970-01-01'",
)


@pytest.fixture(scope="module")
def place(bigquery_emulator: BigQueryEmulator) -> Place:
    """One dataset for the suite: making tables is the slowest thing the emulator does."""
    return bigquery_emulator.place()


@pytest.fixture  # type: ignore[no-redef]  # the suite's own gives the other archives
async def archive(bigquery_emulator: BigQueryEmulator, place: Place) -> AsyncIterator[Archive]:
    """The archive, prepared and emptied of what the test before left in it."""
    async with opened(place, bounds=Bounds(), pace=WritePace()) as archive:
        await archive.prepare()
        for statement in _EMPTY:
            await bigquery_emulator.query(place, statement)
        yield archive
