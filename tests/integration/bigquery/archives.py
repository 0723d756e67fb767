"""Archives for these tests, with what they lack of patience."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.snapshots import ContentSnapshot
from tests.integration.bigquery.rows import AROUND, snapshot_with
from tests.support.bigquery_emulator import BigQueryEmulator

PATIENT = Bounds(timeout_s=20.0)


@asynccontextmanager
async def prepared(
    place: Place,
    *,
    bounds: Bounds = PATIENT,
    pace: WritePace | None = None,
    clock: Callable[[], float] = anyio.current_time,
) -> AsyncIterator[BigQueryArchive]:
    """An archive whose tables are made."""
    async with opened(place, bounds=bounds, pace=pace or WritePace(), clock=clock) as archive:
        await archive.prepare()
        yield archive


def some(tenant_id: str, count: int, prefix: str = "content") -> list[ContentSnapshot]:
    """First versions of as many contents."""
    return [
        snapshot_with(f"body {number}", content_id=f"{prefix}-{number:04}", tenant_id=tenant_id)
        for number in range(count)
    ]


async def stored(archive: BigQueryArchive, tenant_id: str) -> list[str]:
    """The contents and versions of a tenant, a repeated row once."""
    pages = [page async for page in archive.keys(AROUND, tenant_id=tenant_id)]
    return [f"{key.content_id}/{key.version}" for page in pages for key in page]


async def rows_in_table(emulator: BigQueryEmulator, place: Place, tenant_id: str) -> int:
    """How many rows of a tenant there are, repeated ones included."""
    (count,) = await emulator.query(
        place,
        "SELECT COUNT(*) FROM content_snapshots "  # noqa: S608 - the tenant is the test's own
        f"WHERE snapshot_timestamp >= '1970-01-01' AND tenant_id = '{tenant_id}'",
    )
    return int(count)


def named(rows: Sequence[ContentSnapshot]) -> list[str]:
    """What `stored` tells of these rows."""
    return sorted(f"{row.content_id}/{row.version}" for row in rows)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The present moment."""
        return self.now
