"""Rows of the embedded ZeroDB: what goes into the file, and what may come out of it again.

Owns the proof: a document leaves as a record, and an id as stored, only after the hash of its body
was checked. Everything here runs in a worker thread, on a connection that nobody else uses.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import Enum, auto
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from engarde_daemon.domain.records import (
    ContentRecord,
    RecordKey,
    Row,
    Standing,
    VersionRecord,
    history_id,
)
from sql import statements

PAGE_ROWS = 200
PAGE_BYTES = 8 * 1024 * 1024

_SQL = statements("zerodb/embedded")
_encode = msgspec.json.Encoder().encode
_R = TypeVar("_R", bound=Row)


class Collection(NamedTuple, Generic[_R]):
    """Where rows of one shape lie: the statements that reach them, and how a document is read."""

    insert: str
    repair: str
    by_id: str
    id_of: Callable[[RecordKey], str]
    decode: Callable[[bytes], _R]


ITEMS = Collection(
    _SQL["insert_item"],
    _SQL["repair_item"],
    _SQL["items_by_id"],
    lambda key: key.id,
    msgspec.json.Decoder(ContentRecord).decode,
)
VERSIONS = Collection(
    _SQL["insert_version"],
    _SQL["repair_version"],
    _SQL["versions_by_id"],
    lambda key: key.history_id,
    msgspec.json.Decoder(VersionRecord).decode,
)


class Stored(NamedTuple):
    """What became of a batch: the ids that are proved, and how many rows were found damaged."""

    proved: frozenset[str]
    damaged: int


class Found(NamedTuple, Generic[_R]):
    """The rows that are there, by id, and how many stood under a wanted id but did not match."""

    records: dict[str, _R]
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


class _Brought(NamedTuple, Generic[_R]):
    record: _R
    document: bytes


class _Verdict(Enum):
    PROVED = auto()
    FOREIGN = auto()
    DAMAGED = auto()


def create_collections(connection: sqlite3.Connection) -> None:
    """Create the collections that are missing, all of them or none."""
    with connection:
        connection.executescript(_SQL["create_collections"])


def put(
    connection: sqlite3.Connection, collection: Collection[_R], records: Sequence[_R]
) -> Stored:
    """Write the batch in one transaction and prove it by reading it back.

    A damaged row is mended when the batch brings the body it once had.
    """
    judged = [(record, record.is_intact()) for record in records]
    rows = [_Brought(record, _encode(record)) for record, intact in judged if intact]
    connection.execute(_SQL["begin_write"])
    with connection:
        connection.executemany(collection.insert, map(_columns, rows))
        verdicts = _read_back(connection, collection, rows)
        damaged = [row for row, verdict in verdicts if verdict is _Verdict.DAMAGED]
        if damaged:
            connection.executemany(collection.repair, map(_columns, damaged))
            verdicts = _read_back(connection, collection, rows)
    # An id that came twice, with two bodies, is proved by neither.
    unproved = {row.record.id for row, verdict in verdicts if verdict is not _Verdict.PROVED}
    unproved.update(record.id for record, intact in judged if not intact)
    return Stored(frozenset(row.record.id for row in rows) - unproved, len(damaged))


def get(
    connection: sqlite3.Connection, collection: Collection[_R], keys: Sequence[RecordKey]
) -> Found[_R]:
    """Fetch the rows that match their key."""
    wanted = [(collection.id_of(key), key) for key in keys]
    documents = _documents(connection, collection, [row_id for row_id, _ in wanted])
    records = {}
    for row_id, key in wanted:
        record = _record_at(row_id, documents, collection)
        if record is not None and key.matches(record):
            records[row_id] = record
    return Found(records, len(documents) - len(records))


def standing(connection: sqlite3.Connection, keys: Sequence[RecordKey]) -> dict[str, Standing]:
    """Whatever stands under the ids of these keys; an id has one row here."""
    documents = _documents(connection, ITEMS, [key.id for key in keys])
    records = {row_id: _record_at(row_id, documents, ITEMS) for row_id in documents}
    return {i: Standing([row]) if row else Standing(unreadable=1) for i, row in records.items()}


def delete(connection: sqlite3.Connection, tenant_id: str, ids: Sequence[str]) -> int:
    """Remove rows of one tenant from both collections in one transaction and count them."""
    histories = [history_id(row_id) for row_id in ids]
    connection.execute(_SQL["begin_write"])
    with connection:
        items = connection.execute(_SQL["delete_items"], (tenant_id, _json_list(ids)))
        versions = connection.execute(_SQL["delete_versions"], (tenant_id, _json_list(histories)))
    return items.rowcount + versions.rowcount


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
            record = _record_in(document, ITEMS)
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


def _read_back(
    connection: sqlite3.Connection, collection: Collection[_R], rows: Sequence[_Brought[_R]]
) -> list[tuple[_Brought[_R], _Verdict]]:
    documents = _documents(connection, collection, [row.record.id for row in rows])
    return [(row, _verdict(row, documents, collection)) for row in rows]


def _verdict(
    row: _Brought[_R], documents: Mapping[str, bytes], collection: Collection[_R]
) -> _Verdict:
    if documents.get(row.record.id) == row.document:  # byte for byte, and that body was hashed
        return _Verdict.PROVED
    standing = _record_at(row.record.id, documents, collection)
    if standing is None or not standing.is_intact():
        return _Verdict.DAMAGED
    return _Verdict.PROVED if _identity(standing) == _identity(row.record) else _Verdict.FOREIGN


def _documents(
    connection: sqlite3.Connection, collection: Collection[_R], ids: Sequence[str]
) -> dict[str, bytes]:
    found = connection.execute(collection.by_id, (_json_list(ids),))
    return {row_id.decode(errors="replace"): document for row_id, document in found}


def _record_at(
    row_id: str, documents: Mapping[str, bytes], collection: Collection[_R]
) -> _R | None:
    record = _record_in(documents.get(row_id, b""), collection)
    return record if record is not None and record.id == row_id else None


def _record_in(document: bytes, collection: Collection[_R]) -> _R | None:
    try:
        return collection.decode(document)
    except (ValueError, RecursionError):
        return None


def _columns(row: _Brought[Any]) -> tuple[Any, ...]:
    return (*_identity(row.record), row.record.created_at.isoformat(), row.document)


def _identity(record: Row) -> tuple[str, str, str, int, str]:
    return (record.id, record.tenant_id, record.content_id, record.version, record.sha256)


def _json_list(ids: Sequence[str]) -> str:
    return _encode(ids).decode()
