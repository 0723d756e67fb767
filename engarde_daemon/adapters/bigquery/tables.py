"""The archive's tables as BigQuery has them: made, compared, and given what they lack.

Owns what only BigQuery knows of them: defaults, the partition filter, descriptions, and a fourth
column to cluster by. Columns that are added to an older table may be null, because BigQuery adds no
others. A column of another type is never changed: that would need the table to be written anew.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from google.cloud import bigquery
from google.cloud.bigquery import SchemaField, TimePartitioning, TimePartitioningType

from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, Column
from engarde_daemon.domain.errors import ArchiveUnavailable
from sql import statements

CURRENT_VIEW = "content_current"

_SQL = statements("bigquery/archive")
_DATASET_IN_SQL = "engarde_analytics"
_DESCRIPTIONS = {
    ArchiveTable.SNAPSHOTS: "Content snapshots for disaster recovery and analytics",
    ArchiveTable.MEDIA: "Media file metadata snapshots",
    ArchiveTable.ANALYTICS: "Performance metrics and engagement data",
}
_DEFAULTS: Mapping[ArchiveTable, Mapping[str, str]] = MappingProxyType(
    {
        ArchiveTable.SNAPSHOTS: {
            "ingested_at": "CURRENT_TIMESTAMP()",
            "source_system": "'zerodb'",
        },
        ArchiveTable.MEDIA: {"ingested_at": "CURRENT_TIMESTAMP()"},
        ArchiveTable.ANALYTICS: {
            "created_at": "CURRENT_TIMESTAMP()",
            **dict.fromkeys(
                (
                    "impressions",
                    "clicks",
                    "likes",
                    "shares",
                    "comments",
                    "saves",
                    "conversions",
                ),
                "0",
            ),
        },
    }
)
# BigQuery's REST API answers with the older names of two types.
_OLDER_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64"}


def schema_of(table: ArchiveTable) -> list[SchemaField]:
    """The columns of a table as a load job or a new table names them."""
    defaults = _DEFAULTS[table]
    return [_field(column, defaults.get(column.name)) for column in LAYOUTS[table].columns]


def definition_of(table: ArchiveTable, place: Place) -> bigquery.Table:
    """A table that is yet to be made."""
    layout = LAYOUTS[table]
    made = bigquery.Table(place.table_id(table), schema=schema_of(table))
    made.time_partitioning = TimePartitioning(
        type_=TimePartitioningType.DAY, field=layout.partition
    )
    # Without the content a look at one would read all of its tenant, brand and type.
    made.clustering_fields = [*layout.clustering[:3], "content_id"]
    made.require_partition_filter = table is ArchiveTable.SNAPSHOTS
    made.description = _DESCRIPTIONS[table]
    return made


def current_view(place: Place) -> bigquery.Table:
    """The view with the newest version of each content, yet to be made."""
    view = bigquery.Table(place.table_id(CURRENT_VIEW))
    # A view names the dataset of its tables itself; the setting allows no character to quote.
    view.view_query = _SQL["content_current"].replace(_DATASET_IN_SQL, place.dataset)
    return view


def missing_columns(table: ArchiveTable, present: Sequence[SchemaField]) -> list[SchemaField]:
    """The columns that a table lacks, as they can be added to it.

    Raises:
        Unavailable: A column is there with another type.
    """
    types = {field.name: _OLDER_NAMES.get(field.field_type, field.field_type) for field in present}
    for column in LAYOUTS[table].columns:
        if types.get(column.name, column.kind) != column.kind:
            raise ArchiveUnavailable(
                f"Column {column.name} of BigQuery's table {table} is {types[column.name]}, the "
                f"daemon writes {column.kind}: rename the table, or name another [bigquery] dataset."
            )
    lacking = [column for column in LAYOUTS[table].columns if column.name not in types]
    return [_field(Column(column.name, column.kind), None) for column in lacking]


def _field(column: Column, default: str | None) -> SchemaField:
    mode = "REQUIRED" if column.required else "NULLABLE"
    return SchemaField(column.name, column.kind.value, mode, default_value_expression=default)
