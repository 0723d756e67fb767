"""Tables of the fake ZeroDB cloud: rows in memory, and the documented filters."""

import operator
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from engarde_daemon.testing.zerodb_wire import Refusal

QUERY_ROWS_MAX = 1000

_FIELD = re.compile(r"[A-Za-z0-9_.]+")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$in": lambda value, among: value in among,
    "$nin": lambda value, among: value not in among,
    "$contains": lambda value, part: part in value,
    "$regex": lambda value, pattern: re.search(pattern, value) is not None,
}
_OF_LISTS = frozenset({"$in", "$nin"})


class Row(msgspec.Struct):
    """A row as the documentation shows it."""

    row_id: str
    project_id: str
    table_id: str
    table_name: str
    row_data: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a query."""

    filter: dict[str, Any] = {}
    sort: dict[str, int] = {}
    limit: int = 100
    skip: int = 0


class CloudTable:
    """One table of one project."""

    def __init__(self, name: str, project_id: str) -> None:
        self.id = str(uuid.uuid4())
        self.name = name
        self.rows: dict[str, Row] = {}
        self._project_id = project_id

    def described(self) -> dict[str, Any]:
        """What lists of tables show."""
        return {"table_id": self.id, "name": self.name, "row_count": len(self.rows)}

    def insert(self, data: dict[str, Any], at: datetime) -> Row:
        """Add a row; nothing makes it unique."""
        row_id = str(uuid.uuid4())
        row = Row(row_id, self._project_id, self.id, self.name, _storable(data), at, at)
        self.rows[row_id] = row
        return row

    def row(self, row_id: str) -> Row:
        """A row by the server's id.

        Raises:
            Refusal: There is none.
        """
        if row_id not in self.rows:
            raise Refusal(404, "Row not found")
        return self.rows[row_id]

    def replace(self, row_id: str, data: dict[str, Any], at: datetime) -> Row:
        """Give a row other data, all of it."""
        row = self.row(row_id)
        row.row_data, row.updated_at = _storable(data), at
        return row

    def query(self, query: Query) -> dict[str, Any]:
        """The documented envelope of the rows that a filter fits.

        Raises:
            Refusal: The query is none that was documented.
        """
        if not (1 <= query.limit <= QUERY_ROWS_MAX and query.skip >= 0):
            raise Refusal(422, [{"loc": ["body", "limit"], "msg": "out of range"}])
        tests = [_test(field, wanted) for field, wanted in query.filter.items()]
        rows = [row for row in self.rows.values() if all(test(row.row_data) for test in tests)]
        for field, direction in reversed(query.sort.items()):
            rows.sort(key=lambda row: _sortable(row, field), reverse=direction < 0)
        page = rows[query.skip : query.skip + query.limit]
        return {
            "total": len(rows),
            "skip": query.skip,
            "limit": query.limit,
            "has_more": query.skip + len(page) < len(rows),
            "filter_summary": query.filter,
            "execution_time_ms": 0.1,
            "data": [msgspec.to_builtins(row) for row in page],
        }


def _storable(data: dict[str, Any]) -> dict[str, Any]:
    """The data, unless PostgreSQL cannot hold it: the answer repeats it, as servers do."""
    if "\\u0000" in msgspec.json.encode(data).decode().replace("\\\\", ""):
        raise Refusal(500, f"unsupported Unicode escape sequence in {data}")
    return data


def _test(field: str, wanted: Any) -> Callable[[dict[str, Any]], bool]:
    if not _FIELD.fullmatch(field):
        raise Refusal(400, f"Invalid field name: {field}")
    conditions = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    for name, limit in conditions.items():
        _require_operator(name, limit)
    return lambda data: all(
        _holds(_OPERATORS[name], _value(data, field), limit) for name, limit in conditions.items()
    )


def _require_operator(name: str, limit: Any) -> None:
    if name not in _OPERATORS:
        raise Refusal(400, f"Unknown operator: {name}")
    if name in _OF_LISTS and not isinstance(limit, list):
        raise Refusal(400, f"{name} requires a list")
    if name == "$regex":
        try:
            re.compile(limit)
        except (re.error, TypeError) as error:
            raise Refusal(400, "Invalid regex pattern") from error


def _holds(test: Callable[[Any, Any], bool], value: Any, limit: Any) -> bool:
    try:
        return test(value, limit)
    except TypeError:  # a missing field, or one of another type
        return False


def _value(data: Any, field: str) -> Any:
    for part in field.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _sortable(row: Row, field: str) -> str:
    return str(row.created_at if field == "created_at" else _value(row.row_data, field))
