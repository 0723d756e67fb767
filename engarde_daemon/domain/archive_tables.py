"""The tables of the archive: their columns, what they are partitioned and clustered by.

Owns the one description that every archive is made from. Columns are the platform's own
(`engarde_analytics`, as its architecture page has them); those that the daemon needs besides stand
at the end of each table. A row is a mapping of these names to plain
values: text, numbers, `datetime` in UTC, `date`, and for JSON whatever JSON can say.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class ArchiveTable(StrEnum):
    """The three tables of the platform's `engarde_analytics`."""

    SNAPSHOTS = "content_snapshots"
    MEDIA = "content_media_snapshots"
    ANALYTICS = "content_analytics"


class Kind(StrEnum):
    """What a column holds, by BigQuery's name for it."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    JSON = "JSON"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"


class Column(NamedTuple):
    """One column; a row without a value for a required one is refused."""

    name: str
    kind: Kind = Kind.STRING
    required: bool = False


class TableLayout(NamedTuple):
    """A table's columns in their order; `partition` names the one whose day a row belongs to."""

    columns: tuple[Column, ...]
    partition: str
    clustering: tuple[str, ...]


def _required(*names: str, kind: Kind = Kind.STRING) -> tuple[Column, ...]:
    return tuple(Column(name, kind, required=True) for name in names)


def _optional(*names: str, kind: Kind = Kind.STRING) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


_SNAPSHOTS = TableLayout(
    (
        *_required("content_id", "snapshot_id", "tenant_id"),
        *_optional("brand_id", "campaign_space_id"),
        *_required("user_id", "title"),
        *_optional("content_body"),
        *_required("content_type", "status"),
        *_optional("metadata", "ai_generation_metadata", "storage_metadata", kind=Kind.JSON),
        *_optional("version", kind=Kind.INT64),
        *_optional("version_of"),
        *_required(
            "snapshot_timestamp",
            "content_created_at",
            "content_updated_at",
            "ingested_at",
            kind=Kind.TIMESTAMP,
        ),
        *_optional("source_system"),
        *_optional("deleted_at", kind=Kind.TIMESTAMP),
        *_optional("change_type", "changed_by", "changes_summary", "sha256"),
    ),
    partition="snapshot_timestamp",
    clustering=("tenant_id", "brand_id", "content_type", "content_id"),
)
_MEDIA = TableLayout(
    (
        *_required("media_id", "snapshot_id", "tenant_id"),
        *_optional("brand_id", "content_id"),
        *_required("file_name", "file_type"),
        *_optional("mime_type"),
        *_optional("file_size_bytes", kind=Kind.INT64),
        *_optional("storage_provider", "storage_path", "public_url"),
        *_optional("media_metadata", kind=Kind.JSON),
        *_required("snapshot_timestamp", "media_created_at", "ingested_at", kind=Kind.TIMESTAMP),
        *_optional("sha256", "processing_status"),
        *_optional("deleted_at", kind=Kind.TIMESTAMP),
    ),
    partition="snapshot_timestamp",
    clustering=("tenant_id", "brand_id", "file_type"),
)
_ANALYTICS = TableLayout(
    (
        *_required("metric_id", "content_id", "tenant_id"),
        *_optional("brand_id"),
        *_required("metric_date", kind=Kind.DATE),
        *_optional("metric_hour", kind=Kind.TIMESTAMP),
        *_optional("platform"),
        *_optional(
            "impressions", "clicks", "likes", "shares", "comments", "saves", kind=Kind.INT64
        ),
        *_optional("engagement_rate", "ctr", "avg_watch_time", kind=Kind.FLOAT64),
        *_optional("conversions", kind=Kind.INT64),
        *_optional("revenue", kind=Kind.FLOAT64),
        *_optional("custom_metrics", kind=Kind.JSON),
        *_required("created_at", kind=Kind.TIMESTAMP),
        *_optional("campaign_space_id"),
        *_optional("conversions_exact", "spend", kind=Kind.FLOAT64),
        *_optional("currency"),
        *_optional("revision", kind=Kind.INT64),
    ),
    partition="metric_date",
    clustering=("tenant_id", "brand_id", "platform"),
)
LAYOUTS: Mapping[ArchiveTable, TableLayout] = MappingProxyType(
    {
        ArchiveTable.SNAPSHOTS: _SNAPSHOTS,
        ArchiveTable.MEDIA: _MEDIA,
        ArchiveTable.ANALYTICS: _ANALYTICS,
    }
)


def row_of(table: ArchiveTable, document: Mapping[str, Any]) -> dict[str, Any]:
    """A row that was kept as JSON, with days and moments as what they are."""
    kinds = {column.name: column.kind for column in LAYOUTS[table].columns}
    return {name: _read(kinds.get(name), value) for name, value in document.items()}


def _read(kind: Kind | None, value: Any) -> Any:
    if value is None or kind not in {Kind.DATE, Kind.TIMESTAMP}:
        return value
    return date.fromisoformat(value) if kind is Kind.DATE else datetime.fromisoformat(value)


def refusal_of(table: ArchiveTable, row: Mapping[str, Any]) -> str | None:
    """Why no archive can take this row, or None when it can be tried."""
    layout = LAYOUTS[table]
    missing = [c.name for c in layout.columns if c.required and row.get(c.name) is None]
    if missing:
        return f"these columns need a value: {', '.join(missing)}"
    unknown = sorted(row.keys() - {column.name for column in layout.columns})
    if unknown:
        return f"the table has no such columns: {', '.join(unknown)[:200]}"
    misfits = [c for c in layout.columns if not _fits(c.kind, row.get(c.name))]
    return f"{misfits[0].name} is no {misfits[0].kind}" if misfits else None


def _fits(kind: Kind, value: Any) -> bool:
    return value is None or _FITTING[kind](value)


_FITTING: Mapping[Kind, Callable[[Any], bool]] = MappingProxyType(
    {
        Kind.STRING: lambda value: isinstance(value, str),
        Kind.INT64: lambda value: isinstance(value, int) and -(2**63) <= value < 2**63,
        Kind.FLOAT64: lambda value: isinstance(value, int | float),
        Kind.JSON: lambda _: True,
        Kind.TIMESTAMP: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
        Kind.DATE: lambda value: isinstance(value, date) and not isinstance(value, datetime),
    }
)
