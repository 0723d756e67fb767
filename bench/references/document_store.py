"""The document store of the naive flow: JSON documents over HTTP, on SQLite.

It stands where the platform's document database would. It is kinder than a real one: on the same
machine, without TLS, without authentication. Each write is one durable transaction, because the
naive flow answers its client on the strength of it.
"""

import argparse
import sqlite3
from pathlib import Path
from urllib.parse import parse_qs

from bench.references import serving
from bench.references.http import Receive, Scope, Send, body_of, respond

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    content_id TEXT AS (json_extract(document, '$.content_id')) STORED,
    PRIMARY KEY (collection, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_content ON documents (content_id)
    WHERE content_id IS NOT NULL;
"""
INSERT = "INSERT INTO documents (collection, id, document) VALUES (?, ?, ?)"
SELECT = "SELECT document FROM documents WHERE collection = ? AND id = ?"
MERGE = "UPDATE documents SET document = json_patch(document, ?) WHERE collection = ? AND id = ?"
SELECT_BY_CONTENT = "SELECT document FROM documents WHERE +collection = ? AND content_id = ?"


def open_store(path: Path) -> sqlite3.Connection:
    """Open the file so that each statement is a transaction on disk."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.executescript(SCHEMA)
    return store


class DocumentApp:
    """`POST|GET|PATCH /{collection}/{id}` and `GET /{collection}?content_id=`.

    SQLite runs on the event loop: this process does nothing else, statements take a fraction of a
    millisecond, and handing each one to a thread would only make the naive reference slower.
    """

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, (collection, item_id) = scope["method"], _names(scope["path"])
        if method == "POST":
            document = (await body_of(receive)).decode()
            self._store.execute(INSERT, (collection, item_id, document))
            await respond(send, 201, b'{"id":"%b"}' % item_id.encode())
        elif method == "PATCH":
            self._store.execute(MERGE, (await body_of(receive), collection, item_id))
            await respond(send, 200, b"{}")
        elif item_id:
            found = self._store.execute(SELECT, (collection, item_id)).fetchone()
            await respond(send, 200 if found else 404, found[0].encode() if found else b"{}")
        else:
            await respond(send, 200, self._history(collection, scope["query_string"]))

    def _history(self, collection: str, query: bytes) -> bytes:
        content_id = parse_qs(query.decode())["content_id"][0]
        rows = self._store.execute(SELECT_BY_CONTENT, (collection, content_id)).fetchall()
        return f"[{','.join(row[0] for row in rows)}]".encode()


def _names(path: str) -> tuple[str, str]:
    collection, _, item_id = path.removeprefix("/").partition("/")
    return collection, item_id


async def main() -> None:
    """Serve one file until SIGTERM."""
    parser = argparse.ArgumentParser(description="The naive reference's document store.")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    await serving.serve(DocumentApp(open_store(arguments.file)), arguments.port)


if __name__ == "__main__":
    serving.run(main)
