"""Dataset, tables and view: made, mended, left alone."""

import pytest

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.archive import Appended
from tests.integration.bigquery.archives import PATIENT, named, prepared, some, stored
from tests.integration.bigquery.rows import AROUND, frozen, snapshot_with
from tests.support.bigquery_emulator import BigQueryEmulator

SNAPSHOTS = ArchiveTable.SNAPSHOTS
PLATFORMS_OWN = """
CREATE TABLE content_snapshots (
  content_id STRING NOT NULL, snapshot_id STRING NOT NULL, tenant_id STRING NOT NULL,
  brand_id STRING, campaign_space_id STRING, user_id STRING NOT NULL, title STRING NOT NULL,
  content_body STRING, content_type STRING NOT NULL, status STRING NOT NULL,
  metadata JSON, ai_generation_metadata JSON, storage_metadata JSON,
  version INT64, version_of STRING, snapshot_timestamp TIMESTAMP NOT NULL,
  content_created_at TIMESTAMP NOT NULL, content_updated_at TIMESTAMP NOT NULL,
  ingested_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP(), source_system STRING DEFAULT 'zerodb'
)
PARTITION BY DATE(snapshot_timestamp) CLUSTER BY tenant_id, brand_id, content_type
OPTIONS (require_partition_filter = true)
"""


async def test_a_column_of_another_type_is_left_alone(bigquery_emulator: BigQueryEmulator):
    """Mending it would mean writing the table anew; the operator decides."""
    place = bigquery_emulator.place()
    async with prepared(place) as archive:
        await bigquery_emulator.query(place, "ALTER TABLE content_snapshots DROP COLUMN sha256")
        await bigquery_emulator.query(
            place, "ALTER TABLE content_snapshots ADD COLUMN sha256 INT64"
        )

        with pytest.raises(
            Unavailable, match="sha256 of BigQuery's table content_snapshots is INT"
        ):
            await archive.prepare()


async def test_the_platforms_own_table_gets_the_columns_it_lacks(
    bigquery_emulator: BigQueryEmulator, tenant: str
):
    """What the platform made is used as it is, rows in it included."""
    place, rows = bigquery_emulator.place(), some(tenant, 2)
    async with prepared(place):
        await bigquery_emulator.query(place, "DROP VIEW content_current")
        await bigquery_emulator.query(place, "DROP TABLE content_snapshots")
    await bigquery_emulator.query(place, PLATFORMS_OWN)

    async with prepared(place) as archive:
        stream = await archive.open_stream(SNAPSHOTS)

        assert await archive.append(frozen(stream, 0, *rows)) == Appended()
        assert await stored(archive, tenant) == named(rows)


async def test_the_tables_are_laid_out_as_the_platform_wants_them(
    bigquery_emulator: BigQueryEmulator, place: Place, archive: BigQueryArchive
):
    """By day, by tenant, and never without a bound."""
    found = await bigquery_emulator.table(place, "content_snapshots")

    assert found["timePartitioning"] == {"type": "DAY", "field": "snapshot_timestamp"}
    assert found["clustering"]["fields"] == ["tenant_id", "brand_id", "content_type", "content_id"]
    assert found["requirePartitionFilter"] is True
    kinds = {field["name"]: field["type"] for field in found["schema"]["fields"]}
    assert kinds["metadata"] == "JSON"


async def test_the_current_view_holds_the_newest_version_of_each_content_once(
    bigquery_emulator: BigQueryEmulator, place: Place, archive: BigQueryArchive, tenant: str
):
    """Repeated rows and older versions do not show."""
    old = snapshot_with("old", content_id="one", tenant_id=tenant)
    new = snapshot_with("new", content_id="one", tenant_id=tenant, version=2)
    for _ in range(2):
        await archive.append(frozen(await archive.open_stream(SNAPSHOTS), 0, new, old))

    shown = await bigquery_emulator.query(
        place,
        f"SELECT content_body FROM content_current WHERE tenant_id = '{tenant}'",  # noqa: S608
    )

    assert shown == ["new"]


async def test_a_start_that_finds_everything_changes_nothing(
    bigquery_emulator: BigQueryEmulator, place: Place, archive: BigQueryArchive
):
    """Changes of tables are counted by BigQuery, and looked at by administrators."""
    before = await bigquery_emulator.table(place, "content_snapshots")

    async with opened(place, bounds=PATIENT, pace=WritePace()) as another:
        await another.prepare()

    assert await bigquery_emulator.table(place, "content_snapshots") == before
    assert [page async for page in archive.keys(AROUND, tenant_id="nobody")] == []
