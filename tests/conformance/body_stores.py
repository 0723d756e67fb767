"""The body stores under the conformance suite, each with a back door that damages a row."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.testing.bodies import MemoryBodies

_DAMAGE_ITEM = """
    UPDATE content_items SET data = json_set(data, '$.content_body', 'rotten') WHERE id = ?
"""
_DAMAGE_VERSION = """
    UPDATE content_versions SET data = json_set(data, '$.content_snapshot.content_body', 'rotten')
    WHERE id = ?
"""


class Rig(NamedTuple):
    """A store to test, how to damage the body of a row of either kind, how to ask what it noticed."""

    store: BodyStore
    damage: Callable[[str], None]
    damage_version: Callable[[str], None]
    damaged_rows_seen: Callable[[], int]


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[Rig]:
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


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Rig]]] = {
    "memory": memory,
    "embedded": embedded,
}
