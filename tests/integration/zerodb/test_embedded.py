"""What the embedded ZeroDB promises beyond what every body store does."""

import sqlite3
import stat
from typing import Any

import anyio
import pytest

from engarde_daemon.adapters.zerodb import embedded_rows
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.testing.records import key_of, record_with
from sql import statements
from tests.integration.zerodb.unfortunate_writer import TENANT, numbered

ROWS = [numbered(number) for number in range(100)]
KEYS = [key_of(row) for row in ROWS]
SQL = statements("zerodb/embedded")
PLANS: dict[str, tuple[list[Any], str]] = {
    "items_by_id": (["[]"], "INDEX sqlite_autoindex_content_items_1 (id=?)"),
    "delete_items": ([TENANT, "[]"], "INDEX sqlite_autoindex_content_items_1 (id=?)"),
    "items_after": ([0, 9, 9], "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    "tenant_items_after": (
        [0, 9, 9, TENANT],
        "INDEX content_items_tenant (tenant_id=? AND rowid>? AND rowid<?)",
    ),
}


@pytest.fixture
async def store(tmp_path):
    """A prepared store in a folder that it had to make."""
    async with EmbeddedZeroDB(tmp_path / "data" / "zerodb") as store:
        await store.prepare()
        yield store


async def asked(store: EmbeddedZeroDB, statement: str, *parameters: object) -> list[Any]:
    """What the store's own writing connection answers."""
    writing = store._open_lanes().writing
    return await writing.run(lambda c: c.execute(statement, parameters).fetchall())


async def test_commits_wait_for_the_disk(store):
    """FULL (2) in WAL mode is what makes an answered id a stored row."""
    assert await asked(store, "PRAGMA synchronous") == [(2,)]
    assert await asked(store, "PRAGMA journal_mode") == [(b"wal",)]


async def test_readers_cannot_write(store):
    """Only the one writer changes the file."""
    reading = store._open_lanes().reading
    with pytest.raises(Exception, match="is read-only"):
        await reading.run(lambda c: c.execute(SQL["delete_items"], (TENANT, "[]")))


async def test_other_users_of_the_machine_cannot_look_in(store):
    """Bodies are their tenant's business."""
    assert stat.S_IMODE(store.file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("collection", ["content_items", "content_media_files", "content_versions"])
async def test_the_collections_are_there(store, collection):
    """The three collections of the platform's architecture are prepared."""
    assert await asked(store, "SELECT name FROM sqlite_schema WHERE name = ?", collection)


async def test_a_row_can_be_read_without_the_daemon(store):
    """The document is the platform's row as JSON, body inside."""
    await store.put_many(ROWS[:1])
    with sqlite3.connect(store.file) as connection:
        row = connection.execute(
            "SELECT data ->> 'tenant_id', data ->> 'content_body' FROM content_items"
        ).fetchone()
    connection.close()
    assert row == (TENANT, ROWS[0].content_body)


async def test_rows_are_there_after_closing_and_opening(store):
    """A restart changes nothing."""
    await store.put_many(ROWS)
    await store.close()
    await store.open()
    assert len(await store.get_many(KEYS)) == len(KEYS)


async def test_many_callers_at_once_are_all_served(store):
    """More callers than connections wait in line."""
    counts: list[int] = []

    async def put_and_get(first: int) -> None:
        rows = [numbered(number) for number in range(first, first + 20)]
        await store.put_many(rows)
        counts.append(len(await store.get_many([key_of(row) for row in rows])))

    async with anyio.create_task_group() as tasks:
        for first in range(0, 400, 20):
            tasks.start_soon(put_and_get, first)
    assert counts == [20] * 20


async def test_a_deleted_body_cannot_be_found_in_the_file(store):
    """A purge overwrites what it removes; the log goes when the file is closed."""
    body = "The launch is on the fourteenth of July. " * 300
    row = record_with(body, content_id=ROWS[0].id, tenant_id=TENANT)
    await store.put_many([row, *ROWS[1:]])
    await store.delete_many(TENANT, [row.id])
    await store.close()
    assert b"fourteenth of July" not in store.file.read_bytes()


async def test_a_page_of_a_walk_is_bounded_in_bytes(store):
    """Large bodies make short pages, so that a walk needs the same memory anywhere."""
    rows = [
        record_with("x" * 3_000_000, content_id=numbered(number).id, tenant_id=TENANT)
        for number in range(5)
    ]
    await store.put_many(rows)
    stretch = embedded_rows.Stretch(after=0, end=5, tenant_id=None)
    page = await store._open_lanes().reading.run(lambda c: embedded_rows.page(c, stretch))
    assert len(page.records) == 3
    assert len([record async for record in store.scan()]) == 5


async def test_the_size_grows_with_the_rows(store):
    """Health reports what the store takes from the disk."""
    before = store.storage_bytes()
    await store.put_many(ROWS)
    assert store.storage_bytes() >= before + sum(r.storage_metadata.size_bytes for r in ROWS)


@pytest.mark.parametrize("name", PLANS)
async def test_no_statement_reads_the_whole_collection(store, name):
    """Each statement finds its rows by an index, and sorts nothing."""
    parameters, path = PLANS[name]
    plan = await asked(store, f"EXPLAIN QUERY PLAN {SQL[name]}", *parameters)
    steps = [step[3].decode() for step in plan]
    assert steps[0] == f"SEARCH content_items USING {path}"
    assert not any("TEMP B-TREE" in step for step in steps), steps
