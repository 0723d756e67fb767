"""The dialect of hosted ZeroDB, as its documentation has it.

Nobody ever held this against the hosted service; `engarde_daemon.testing.zerodb_cloud` is the
documentation made strict. Rows are removed and replaced by the server's own ids, never by filter,
so that a server which understands filters in another way can harm nothing.

https://docs.ainative.studio/docs/zerodb/tables
"""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from engarde_daemon.adapters.zerodb.dialects import Call, Document, Filter, StoredRow, never_empty


class CloudDialect:
    """See `Dialect`."""

    knows_projects = False
    rows_per_insert = 1
    ids_per_query = 50

    def creations(self, table: str) -> Sequence[Call]:
        """See `Dialect.creations`; sources disagree on the names of the fields."""
        described = {"description": "Content of the En Garde platform"}
        schema = {"fields": {"id": {"type": "string"}}}
        bodies = (
            {"name": table, **described},
            {"table_name": table, "schema": schema, **described},
        )
        return [Call(method="POST", path="/tables", body=body, repeatable=False) for body in bodies]

    def insert(self, table: str, documents: Sequence[msgspec.Raw]) -> Call:
        """See `Dialect.insert`."""
        (document,) = documents
        body = {"row_data": document}
        return Call(method="POST", path=f"/tables/{table}/rows", body=body, repeatable=False)

    def query(self, table: str, wanted: Filter, *, most: int) -> Call:
        """See `Dialect.query`."""
        body = {"filter": never_empty(wanted), "limit": most, "skip": 0}
        return Call(method="POST", path=f"/tables/{table}/query", body=body)

    def naming(self, ids: Sequence[str]) -> Filter:
        """See `Dialect.naming`."""
        return {"id": {"$in": list(ids)}}

    def replace(self, table: str, row: StoredRow, document: Document) -> Call:
        """See `Dialect.replace`."""
        return Call(method="PUT", path=_row_path(table, row), body={"row_data": document})

    def delete(self, table: str, row: StoredRow) -> Call:
        """See `Dialect.delete`."""
        return Call(method="DELETE", path=_row_path(table, row))


def _row_path(table: str, row: StoredRow) -> str:
    return f"/tables/{table}/rows/{quote(row.row_id, safe='')}"
