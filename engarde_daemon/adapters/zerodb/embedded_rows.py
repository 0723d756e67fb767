"""Rows of the embedded ZeroDB: what goes into the file, and what may come out of it again.

Owns the proof: a document leaves as a record, and an id as stored, only after the hash of its body
was checked. Everything here runs in a worker thread, on a connection that nobody else uses.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from engarde_daemon.domain.records import ContentRecord, RecordKey
from sql import statements

PAGE_ROWS = 200
PAGE_BYTES = 8 * 1024 * 1024

_SQL = statements("zerodb/embedded")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ContentRecord).decode


class Stored(NamedTuple):
    """What became of a batch: the ids that are proved, and how many rows were found damaged."""

    proved: frozenset[str]
    damaged: int


class Found(NamedTuple):
    """The rows that are there, by id, and how many stood under a wanted id but did not match."""

    records: dict[str, ContentRecord]
    damaged: int


class Stretch(NamedTuple):
    """Where one step of a walk begins and the whole walk ends, as rowids."""

    after: int
    end: int
    tenant_id: str | None


class Page(NamedTuple):
    """What one step of a walk met; `last` is the rowid it came to, None when nothing was left."""

    records: list[ContentRecord]
    damaged: int
    last: int | None


class _Row(NamedTuple):
    record: ContentRecord
    document: bytes


class _Verdict(Enum):
    PROVED = auto()
    FOREIGN = auto()
    DAMAGED = auto()


def create_collections(connection: sqlite3.Connection) -> None:
    """Create the collections that are missing, all of them or none."""
    with connection:
        connection.executescript(_SQL["create_collections"])


def put(connection: sqlite3.Connection, records: Sequence[ContentRecord]) -> Stored:
    """Write the batch in one transaction and prove it by reading it back.

    A damaged row is mended when the batch brings the body it once had.
    """
    judged = [(record, record.is_intact()) for record in records]
    rows = [_Row(record, _encode(record)) for record, intact in judged if intact]
    connection.execute(_SQL["begin_write"])
    with connection:
        connection.executemany(_SQL["insert_item"], map(_columns, rows))
        verdicts = _read_back(connection, rows)
        damaged = [row for row, verdict in verdicts if verdict is _Verdict.DAMAGED]
        if damaged:
            connection.executemany(_SQL["repair_item"], map(_columns, damaged))
            verdicts = _read_back(connection, rows)
    # An id that came twice, with two bodies, is proved by neither.
    unproved = {row.record.id for row, verdict in verdicts if verdict is not _Verdict.PROVED}
    unproved.update(record.id for record, intact in judged if not intact)
    return Stored(frozenset(row.record.id for row in rows) - unproved, len(damaged))


def get(connection: sqlite3.Connection, keys: Sequence[RecordKey]) -> Found:
    """Fetch the rows that match their key."""
    wanted = [(key.id, key) for key in keys]
    documents = _documents(connection, [row_id for row_id, _ in wanted])
    records = {}
    for row_id, key in wanted:
        record = _record_at(row_id, documents)
        if record is not None and key.matches(record):
            records[row_id] = record
    return Found(records, len(documents) - len(records))


def delete(connection: sqlite3.Connection, tenant_id: str, ids: Sequence[str]) -> int:
    """Remove rows of one tenant and count them."""
    return connection.execute(_SQL["delete_items"], (tenant_id, _json_list(ids))).rowcount


def last_rowid(connection: sqlite3.Connection) -> int:
    """The rowid at which a walk that begins now will end."""
    end: int = connection.execute(_SQL["last_item"]).fetchone()[0]
    return end


def page(connection: sqlite3.Connection, stretch: Stretch) -> Page:
    """Take one step of a walk, bounded in rows and in bytes."""
    records: list[ContentRecord] = []
    met: list[int] = []
    size = 0
    with closing(_rows_of(connection, stretch)) as rows:
        for rowid, document in rows:
            met.append(rowid)
            record = _record_in(document)
            if record is not None and _belongs(record, stretch.tenant_id):
                records.append(record)
            size += len(document)
            if size >= PAGE_BYTES:
                break
    return Page(records, len(met) - len(records), met[-1] if met else None)


def _rows_of(connection: sqlite3.Connection, stretch: Stretch) -> sqlite3.Cursor:
    bounds = (stretch.after, stretch.end, PAGE_ROWS)
    if stretch.tenant_id is None:
        return connection.execute(_SQL["items_after"], bounds)
    return connection.execute(_SQL["tenant_items_after"], (*bounds, stretch.tenant_id))


def _belongs(record: ContentRecord, tenant_id: str | None) -> bool:
    return tenant_id in (None, record.tenant_id) and record.is_intact()


def _read_back(connection: sqlite3.Connection, rows: Sequence[_Row]) -> list[tuple[_Row, _Verdict]]:
    documents = _documents(connection, [row.record.id for row in rows])
    return [(row, _verdict(row, documents)) for row in rows]


def _verdict(row: _Row, documents: Mapping[str, bytes]) -> _Verdict:
    if documents.get(row.record.id) == row.document:  # byte for byte, and that body was hashed
        return _Verdict.PROVED
    standing = _record_at(row.record.id, documents)
    if standing is None or not standing.is_intact():
        return _Verdict.DAMAGED
    return _Verdict.PROVED if _identity(standing) == _identity(row.record) else _Verdict.FOREIGN


def _documents(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, bytes]:
    found = connection.execute(_SQL["items_by_id"], (_json_list(ids),))
    return {row_id.decode(errors="replace"): document for row_id, document in found}


def _record_at(row_id: str, documents: Mapping[str, bytes]) -> ContentRecord | None:
    record = _record_in(documents.get(row_id, b""))
    return record if record is not None and record.id == row_id else None


def _record_in(document: bytes) -> ContentRecord | None:
    try:
        return _decode(document)
    except (ValueError, RecursionError):
        return None


def _columns(row: _Row) -> tuple[Any, ...]:
    return (*_identity(row.record), row.record.created_at.isoformat(), row.document)


def _identity(record: ContentRecord) -> tuple[str, str, str, int, str]:
    sha256 = record.storage_metadata.sha256
    return (record.id, record.tenant_id, record.content_id, record.version, sha256)


def _json_list(ids: Sequence[str]) -> str:
    return _encode(ids).decode()
