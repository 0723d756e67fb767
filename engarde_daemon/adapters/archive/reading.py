"""Questions to the files of `content_snapshots`.

Owns the way from a row of a file to a `ContentSnapshot`. A question lists the files itself, so that
asking again after a merge finds those that are there now.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from engarde_daemon.adapters.archive.engine import SQL
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, Kind
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey, snapshot_id
from engarde_daemon.ports.archive import Span

_TABLE = ArchiveTable.SNAPSHOTS
_COLUMNS = LAYOUTS[_TABLE].columns
_NAMES = tuple(column.name for column in _COLUMNS)
_JSON = tuple(place for place, column in enumerate(_COLUMNS) if column.kind is Kind.JSON)
_TIMES = tuple(place for place, column in enumerate(_COLUMNS) if column.kind is Kind.TIMESTAMP)
_DECODE = msgspec.json.Decoder().decode


def bounds(span: Span) -> dict[str, datetime]:
    """The span as the files keep time."""
    return {"since": _naive(span.since), "until": _naive(span.until)}


def files_of(root: Path, span: Span) -> list[str]:
    """The files that may hold rows of the span."""
    return listing(root, _TABLE, span).files


def question(root: Path, span: Span, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked, of the files that may hold rows of the span."""
    return {"files": files_of(root, span), **asked}


def versions(
    cursor: duckdb.DuckDBPyConnection, *, root: Path, keys: Sequence[RecordKey], span: Span
) -> dict[RecordKey, ContentSnapshot]:
    """Those of the versions that are there and are what was acknowledged."""
    asked = {
        "files": files_of(root, span),
        "content_ids": [key.content_id for key in keys],
        "row_ids": [snapshot_id(key.content_id, key.version) for key in keys],
        **bounds(span),
    }
    cursor.execute(SQL["versions"], asked)
    found = (snapshot for row in cursor.fetchall() if (snapshot := snapshot_from(row)).is_intact())
    there = {snapshot.key: snapshot for snapshot in found}
    return {key: there[key] for key in keys if key in there}


def newest(
    cursor: duckdb.DuckDBPyConnection,
    *,
    root: Path,
    tenant_id: str,
    content_ids: Sequence[str],
    span: Span,
) -> dict[str, ContentSnapshot]:
    """The newest version of each content."""
    asked = {
        "files": files_of(root, span),
        "tenant_id": tenant_id,
        "content_ids": list(content_ids),
        **bounds(span),
    }
    cursor.execute(SQL["newest"], asked)
    found = [snapshot_from(row) for row in cursor.fetchall()]
    return {snapshot.content_id: snapshot for snapshot in found}


def held(
    cursor: duckdb.DuckDBPyConnection, *, root: Path, row_ids: Sequence[str], span: Span
) -> frozenset[str]:
    """Those of the rows that are there."""
    asked = {"files": files_of(root, span), "row_ids": list(row_ids), **bounds(span)}
    cursor.execute(SQL["held"], asked)
    return frozenset(row[0] for row in cursor.fetchall())


def snapshot_from(row: tuple[Any, ...]) -> ContentSnapshot:
    """A snapshot from a row whose columns stand in the table's order."""
    values = list(row)
    for place in _JSON:
        values[place] = _DECODE(values[place])
    for place in _TIMES:
        if values[place] is not None:
            values[place] = values[place].replace(tzinfo=UTC)
    return ContentSnapshot(**dict(zip(_NAMES, values, strict=True)))


def key_from(row: tuple[Any, ...]) -> SnapshotKey:
    """What a comparison needs, from a row of `keys`."""
    tenant_id, content_id, version, sha256, at = row
    return SnapshotKey(tenant_id, content_id, version, sha256, at.replace(tzinfo=UTC))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
