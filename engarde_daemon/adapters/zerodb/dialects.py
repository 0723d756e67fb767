"""What the dialects of ZeroDB's HTTP API have in common: calls, rows, and what is read from answers.

Owns the tolerance: sources disagree on the names of an answer's fields, so every documented name is
understood, whichever dialect is spoken. What is *sent* is the matter of `cloud` and `local`.

https://docs.ainative.studio/docs/zerodb/tables
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from engarde_daemon.adapters.zerodb.refusals import Unreadable

Document: TypeAlias = dict[str, Any]
Filter: TypeAlias = Mapping[str, Any]

TABLES_PER_PAGE = 100
QUERY_ROWS_MAX = 1000


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request below a project; `repeatable` if doing it twice is doing it once."""

    method: str
    path: str
    body: Any = None
    repeatable: bool = True


class StoredRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as the server keeps it: under an id of the server's own."""

    row_id: str
    document: Document
    created_at: str


class Page(msgspec.Struct, frozen=True):
    """Some rows; `more` if there are others that the answer does not hold."""

    rows: list[StoredRow]
    more: bool


class Dialect(Protocol):
    """How one kind of server is spoken to."""

    @property
    def knows_projects(self) -> bool:
        """Whether projects can be looked for and made."""

    @property
    def rows_per_insert(self) -> int:
        """How many rows one request may bring."""

    @property
    def ids_per_query(self) -> int:
        """How many ids one query can name."""

    def creations(self, table: str) -> Sequence[Call]:
        """Ways to create a table, the likeliest first."""

    def insert(self, table: str, documents: Sequence[msgspec.Raw]) -> Call:
        """Add rows."""

    def query(self, table: str, wanted: Filter, *, most: int) -> Call:
        """Ask for the rows that a filter fits."""

    def naming(self, ids: Sequence[str]) -> Filter:
        """The filter that fits the rows with these ids."""

    def replace(self, table: str, row: StoredRow, document: Document) -> Call:
        """Give a row another document."""

    def delete(self, table: str, row: StoredRow) -> Call:
        """Remove a row, and with it copies of the same document."""


def never_empty(wanted: Filter) -> Filter:
    """The filter, unless it is empty: an empty one means every row to a server, deletions included.

    Raises:
        ValueError: It is empty.
    """
    if not wanted:
        raise ValueError("An empty filter fits every row of every tenant: name what is meant.")
    return wanted


def tables(*, skip: int) -> Call:
    """Ask for a page of the tables there are."""
    return Call(method="GET", path=f"/tables?skip={skip}&limit={TABLES_PER_PAGE}")


def names_in(answer: bytes) -> list[str]:
    """The names of the tables on a page.

    Raises:
        Unreadable: The answer is no list of tables.
    """
    listed = _list_in(_decoded(answer))
    return [str(table.get("name") or table.get("table_name")) for table in listed]


def page_of(answer: bytes, *, most: int) -> Page:
    """The rows of an answer to a query that asked for at most so many.

    Raises:
        Unreadable: The answer is no list of rows.
    """
    value = _decoded(answer)
    rows = [_row_of(row) for row in _list_in(value)]
    announced = value.get("has_more") is True if isinstance(value, dict) else False
    return Page(rows, announced or len(rows) >= most)


class Inserted(NamedTuple):
    """What the answer to an insertion tells: the rows themselves, or how many got an id."""

    rows: list[StoredRow]
    counted: int = 0


def inserted_in(answer: bytes) -> Inserted:
    """The rows that the answer to an insertion shows, or those that it counts.

    Raises:
        Unreadable: The answer is no JSON.
    """
    value = _decoded(answer)
    if not isinstance(value, dict):
        return Inserted([])
    if isinstance(value.get("row_data"), dict):
        return Inserted([_row_of(value)])
    ids, count = value.get("inserted_ids"), value.get("inserted_count")
    return Inserted([], len(ids) if isinstance(ids, list) and len(ids) == count else 0)


def _decoded(answer: bytes) -> Any:
    try:
        return msgspec.json.decode(answer)
    except (ValueError, RecursionError) as error:
        raise Unreadable("ZeroDB answered with something that is no JSON.") from error


def _list_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        value = value["result"]
    if isinstance(value, dict):
        value = next((value[name] for name in ("data", "rows", "tables") if name in value), None)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Unreadable("ZeroDB answered with something that is no list.")
    return value


def _row_of(value: dict[str, Any]) -> StoredRow:
    document = value.get("row_data", value.get("data"))
    return StoredRow(
        row_id=str(value.get("row_id") or value.get("id")),
        document=document if isinstance(document, dict) else {},
        created_at=str(value.get("created_at")),
    )
