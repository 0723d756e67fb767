"""The dialect of zerodb-local 0.2.0, the server that is run on one's own machine.

Its filters are PostgreSQL's `jsonb` containment: equality only, all of them at once. It has no way
to name a row by the server's id, so rows are replaced and removed by the id in their document.
"""

from collections.abc import Sequence

import msgspec

from engarde_daemon.adapters.zerodb.dialects import Call, Document, Filter, StoredRow, never_empty


class LocalDialect:
    """See `Dialect`."""

    knows_projects = True
    rows_per_insert = 50
    ids_per_query = 1

    def creations(self, table: str) -> Sequence[Call]:
        """See `Dialect.creations`."""
        body = {"table_name": table, "schema": {"fields": {"id": {"type": "string"}}}}
        return [Call(method="POST", path="/tables", body=body, repeatable=False)]

    def insert(self, table: str, documents: Sequence[msgspec.Raw]) -> Call:
        """See `Dialect.insert`; the request is stored as a whole or not at all."""
        body = {"rows": list(documents)}
        return Call(method="POST", path=f"/tables/{table}/insert", body=body, repeatable=False)

    def query(self, table: str, wanted: Filter, *, most: int) -> Call:
        """See `Dialect.query`; never with an offset, since rows of one request have no order."""
        body = {"filter": never_empty(wanted), "limit": most}
        return Call(method="POST", path=f"/tables/{table}/query", body=body)

    def naming(self, ids: Sequence[str]) -> Filter:
        """See `Dialect.naming`."""
        (only,) = ids
        return {"id": only}

    def replace(self, table: str, row: StoredRow, document: Document) -> Call:
        """See `Dialect.replace`; fields are merged, and a document always has all of them."""
        body = {"filter": never_empty(_identity(row)), "update": document}
        return Call(method="PUT", path=f"/tables/{table}/update", body=body)

    def delete(self, table: str, row: StoredRow) -> Call:
        """See `Dialect.delete`."""
        body = {"filter": never_empty(_identity(row))}
        return Call(method="DELETE", path=f"/tables/{table}/rows", body=body)


def _identity(row: StoredRow) -> Filter:
    return {name: row.document[name] for name in ("id", "tenant_id") if name in row.document}
