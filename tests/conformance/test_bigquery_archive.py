"""What every archive promises, kept by the one in BigQuery."""

from collections.abc import AsyncIterator

import pytest

from engarde_daemon.adapters.bigquery.archive import Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.ports.archive import Archive
from tests.conformance.test_archive import *  # noqa: F403 - the suite itself
from tests.support.bigquery_emulator import BigQueryEmulator, bigquery_emulator

__all__ = ["bigquery_emulator"]


@pytest.fixture(scope="module")
def place(bigquery_emulator: BigQueryEmulator) -> Place:
    """One dataset for the suite: making tables is the slowest thing the emulator does."""
    return bigquery_emulator.place()


@pytest.fixture  # type: ignore[no-redef]  # the suite's own gives the other archives
async def archive(bigquery_emulator: BigQueryEmulator, place: Place) -> AsyncIterator[Archive]:
    """The archive, prepared and emptied of what the test before left in it."""
    async with opened(place, bounds=Bounds(), pace=WritePace()) as archive:
        await archive.prepare()
        await bigquery_emulator.query(
            place, "DELETE FROM content_snapshots WHERE snapshot_timestamp >= '1970-01-01'"
        )
        yield archive
