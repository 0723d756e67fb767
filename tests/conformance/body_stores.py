"""The body stores under the conformance suite, each with a back door that damages a row."""

import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from engarde_daemon.adapters.zerodb.connecting import Connection, connect
from engarde_daemon.adapters.zerodb.door import Place
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.adapters.zerodb.http import HttpZeroDB
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from tests.support.zerodb_local import LocalServer

_DAMAGE_ITEM = """
    UPDATE content_items SET data = json_set(data, '$.content_body', 'rotten') WHERE id = ?
"""
_DAMAGE_VERSION = """
    UPDATE content_versions SET data = json_set(data, '$.content_snapshot.content_body', 'rotten')
    WHERE id = ?
"""

_ROTTEN_SNAPSHOT = {
    "title": "",
    "content_body": "rotten",
    "content_type": "post",
    "status": "draft",
    "metadata": {},
}


class Rig(NamedTuple):
    """A store to test, how to damage the body of a row of either kind, how to ask what it noticed."""

    store: BodyStore
    damage: Callable[[str], None]
    damage_version: Callable[[str], None]
    damaged_rows_seen: Callable[[], int]


@asynccontextmanager
async def memory() -> AsyncIterator[Rig]:
    """The store in memory."""
    store = MemoryBodies()
    await store.prepare()
    yield Rig(store, store.corrupt, store.corrupt_version, lambda: store.damaged_rows_seen)


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Rig]:
    """The store in an SQLite file."""

    def execute(statement: str, row_id: str) -> None:
        with closing(sqlite3.connect(store.file, isolation_level=None)) as connection:
            connection.execute(statement, (row_id,))

    async with EmbeddedZeroDB(folder) as store:
        await store.prepare()
        yield Rig(
            store,
            partial(execute, _DAMAGE_ITEM),
            partial(execute, _DAMAGE_VERSION),
            lambda: store.damaged_rows_seen,
        )


@asynccontextmanager
async def local(server: LocalServer) -> AsyncIterator[Rig]:
    """The store on the real zerodb-local server, in a project of its own."""
    project_id = server.new_project()

    def rot(table: str, row_id: str, field: str, rotten: object) -> None:
        path = f"/projects/{project_id}/database/tables/{table}/update"
        with server.client() as http:
            body = {"filter": {"id": row_id}, "update": {field: rotten}}
            assert http.put(path, json=body).raise_for_status().json()["updated_count"] == 1

    place = Place(base_url=server.base_url, concurrency=4)
    connection = Connection(mode="local", place=place, project_id=project_id)
    async with connect(connection, new_id=lambda: str(uuid.uuid4())) as store:
        await store.prepare()
        yield _rig_of(store, rot)


@asynccontextmanager
async def cloud() -> AsyncIterator[Rig]:
    """The store on a fake of the hosted service."""
    async with ZeroDBCloud(api_key="sk_test") as server:

        def rot(table: str, row_id: str, field: str, rotten: object) -> None:
            (row,) = (row for row in server.rows(table) if row["id"] == row_id)
            row[field] = rotten

        place = Place(base_url=server.base_url, api_key=server.api_key)
        connection = Connection(mode="cloud", place=place, project_id=server.project_id)
        async with connect(connection, new_id=lambda: str(uuid.uuid4())) as store:
            await store.prepare()
            yield _rig_of(store, rot)


def _rig_of(store: HttpZeroDB, rot: Callable[[str, str, str, object], None]) -> Rig:
    return Rig(
        store,
        lambda row_id: rot("content_items", row_id, "content_body", "rotten"),
        lambda row_id: rot("content_versions", row_id, "content_snapshot", _ROTTEN_SNAPSHOT),
        lambda: store.tally.damaged_rows_seen,
    )


STORES = ("memory", "embedded", "cloud", "local")
