"""Records as documents of ZeroDB, and the judgement on what comes back.

Owns the proof: a document becomes a record only when it has every field, and counts as the one that
was sent only when whose it is, which version it is and the hash of its body all agree.

Beside the record's own fields a document has `put_id`, which names the request it came with, and
`shard_1`, `shard_2` and `shard_3`, the beginnings of a hash of its id: servers offer no walk over a
table that would not lose rows (offsets do), so a walk asks for one shard after the other.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from engarde_daemon.adapters.zerodb.dialects import Document, Filter, StoredRow
from engarde_daemon.adapters.zerodb.escaping import escaped, restored
from engarde_daemon.domain.records import ContentRecord, RecordKey, Row, VersionRecord

_R = TypeVar("_R", bound=Row)

_DIGITS = "0123456789abcdef"
_SHARD_LENGTHS = (1, 3, 5)


class Shape(msgspec.Struct, Generic[_R], frozen=True):
    """One collection: its table, the id a key has there, and the type of its records.

    Where `counts_prove`, rows are believed to be there that the server has counted, unseen: those
    for which no body leaves PostgreSQL.
    """

    table: str
    id_of: Callable[[RecordKey], str]
    type: type[_R]
    counts_prove: bool = False


ITEMS = Shape("content_items", lambda key: key.id, ContentRecord)
VERSIONS = Shape("content_versions", lambda key: key.history_id, VersionRecord, counts_prove=True)
MEDIA_TABLE = "content_media_files"
TABLES = (ITEMS.table, VERSIONS.table, MEDIA_TABLE)


def document_of(record: Row, put_id: str) -> Document:
    """The document that holds a record."""
    document: Document = escaped(msgspec.to_builtins(record))
    return {**document, "put_id": put_id, **_shards(record.id)}


def record_in(row: StoredRow, shape: Shape[_R]) -> _R | None:
    """The record a document holds, whatever its state; None where it is no record."""
    try:
        return msgspec.convert(restored(row.document), shape.type)
    except (ValueError, RecursionError):
        return None


def identity(record: Row) -> tuple[str, str, str, int, str]:
    """Everything that two documents of the same version have in common."""
    return (record.id, record.tenant_id, record.content_id, record.version, record.sha256)


def fits(row: StoredRow, wanted: Filter) -> bool:
    """Whether a row is one that was asked for; servers that ignore a filter answer with all."""
    return all(_agrees(row.document.get(name), value) for name, value in wanted.items())


def _agrees(value: Any, wanted: Any) -> bool:
    return value in wanted["$in"] if isinstance(wanted, dict) else value == wanted


class Shard(msgspec.Struct, frozen=True):
    """A part of a table: the rows whose id hashes to something that begins like this."""

    prefix: str = ""

    def filter(self, tenant_id: str | None) -> dict[str, str]:
        """What fits the rows of this shard, of one tenant or of all; empty for all of everyone."""
        tenant = {} if tenant_id is None else {"tenant_id": tenant_id}
        return tenant | ({_shard_field(len(self.prefix)): self.prefix} if self.prefix else {})

    def parts(self) -> Iterator["Shard"]:
        """The shards this one is made of; none if it is one of the smallest."""
        longer = next((n for n in _SHARD_LENGTHS if n > len(self.prefix)), len(self.prefix))
        digits = itertools.product(_DIGITS, repeat=longer - len(self.prefix))
        return (Shard(self.prefix + "".join(more)) for more in digits if more)


def earliest_first(rows: Sequence[StoredRow]) -> list[StoredRow]:
    """The rows in the order in which they were stored."""
    return sorted(rows, key=lambda row: row.created_at)


def _shards(row_id: str) -> dict[str, str]:
    digest = hashlib.sha256(row_id.encode()).hexdigest()
    return {_shard_field(length): digest[:length] for length in _SHARD_LENGTHS}


def _shard_field(length: int) -> str:
    return f"shard_{_SHARD_LENGTHS.index(length) + 1}"
