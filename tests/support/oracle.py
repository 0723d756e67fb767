"""The oracle: whatever was done to the daemon, afterwards these things are so.

1. Every acknowledged write is readable over HTTP with the right version and the right SHA-256, and
   has its intact rows in ZeroDB; nothing is there that nobody wrote, and nothing is there twice.
2. Usage row, counters and the sum of content agree, and no reservation outlives its time.
3. In the end everything is delivered, PostgreSQL stages no body any more, and no store is left
   alone.
4. The archive has exactly the versions that PostgreSQL has, each once.
5. ZeroDB has exactly the rows that PostgreSQL names: no orphan.
6. No key and no title is in the log.

`agrees_with` first lets the daemon finish its work, then ends and starts it again, so that no
answer comes from a cache; `holds` judges a daemon that keeps no cache worth the name.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import anyio
import asyncpg
import httpx

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from tests.support.archived import archived_rows
from tests.support.patience import PATIENCE_S
from tests.support.running import Daemon
from tests.support.witness import SharedStory, Story, Witness

READERS = 16
_POLL_S = 0.05
_OVERDUE = """
    select exists (
        select from engarde.reservations where state = 'pending' and expires_at < clock_timestamp())
"""
_VERSIONS = (
    "select tenant_id, content_id, version, body_sha256, zerodb_id from engarde.content_versions"
)
_BOOKS = """
    select u.tenant_id, u.total_content_items as items, u.total_storage_bytes as bytes,
        coalesce(i.items, 0) as real_items, coalesce(i.bytes, 0) as real_bytes,
        coalesce(c.items, 0) as counted_items, coalesce(c.bytes, 0) as counted_bytes
    from content_storage_usage u
    left join (select tenant_id, count(*) as items, sum(storage_size_bytes) as bytes
               from content_items where deleted_at is null group by 1) i using (tenant_id)
    left join (select tenant_id, sum(items) as items, sum(bytes) as bytes
               from engarde.content_counts group by 1) c using (tenant_id)
"""


class Oracle:
    """Judges one daemon on embedded stores."""

    def __init__(self, daemon: Daemon, *, patience_s: float = PATIENCE_S) -> None:
        self._daemon = daemon
        self._patience_s = patience_s

    async def agrees_with(self, witness: Witness) -> None:
        """Check everything; the daemon is another process afterwards."""
        await self._drained("outbox")
        assert await self._daemon.stop() == 0
        await self._daemon.start()
        await self.holds(witness)

    async def holds(self, witness: Witness) -> None:
        """Check everything about a daemon that goes on."""
        await self._drained("outbox")
        await self._drained("staged_bodies")
        await self._zerodb_has(witness)
        self._archive_has(witness)
        await self._api_shows(witness)
        self._log_is_silent_on(witness)
        await self.is_sound()

    async def is_sound(self) -> None:
        """Check what must be so whatever was written."""
        await self._drained("outbox")
        await self.books_are_right()
        await eventually(self._stores_agree, within_s=self._patience_s)
        await eventually(self._every_store_is_used, within_s=self._patience_s)

    async def books_are_right(self) -> None:
        """The ledger agrees with what it counts, whichever way one counts."""
        async with superuser(self._daemon) as sql:

            async def nothing_overdue() -> bool:
                return not await sql.fetchval(_OVERDUE)

            await eventually(nothing_overdue, within_s=self._patience_s)
            tenants = await sql.fetchval("select array_agg(id::text) from tenants")
            drift = await sql.fetch("select * from engarde.quota_drift_v2($1)", tenants)
            assert not drift, [dict(row) for row in drift]
            for row in await sql.fetch(_BOOKS):
                assert row["items"] == row["real_items"] == row["counted_items"], dict(row)
                assert row["bytes"] == row["real_bytes"] == row["counted_bytes"], dict(row)

    async def _drained(self, table: str) -> None:
        async with superuser(self._daemon) as sql:

            async def empty() -> bool:
                return not await sql.fetchval(f"select exists (select from engarde.{table})")  # noqa: S608 - our own names

            await eventually(empty, within_s=self._patience_s)

    async def _stores_agree(self) -> bool:
        """Whether ZeroDB and the archive have what PostgreSQL has, and nothing else."""
        async with superuser(self._daemon) as sql:
            versions = await sql.fetch(_VERSIONS)
        archived = archived_rows(self._daemon.data_dir)
        return await self._zerodb_ids() == {
            row["zerodb_id"] for row in versions
        } and archived == Counter(tuple(row)[:4] for row in versions)

    async def _zerodb_ids(self) -> set[str]:
        async with EmbeddedZeroDB(self._daemon.data_dir / "zerodb") as store:
            return {record.id async for record in store.scan()}

    async def _every_store_is_used(self) -> bool:
        async with self._daemon.client(self._daemon.credentials.operator_key) as http:
            shown = (await http.get("/api/admin/recovery")).json()
        return {store["state"] for store in shown["stores"].values()} == {"healthy"}

    def _log_is_silent_on(self, witness: Witness) -> None:
        said, ours = self._daemon.log.read_text(errors="replace"), self._daemon.credentials
        secrets = (ours.api_key, ours.operator_key, *witness.titles.values())
        assert [secret for secret in secrets if secret in said] == []

    async def _zerodb_has(self, witness: Witness) -> None:
        keys = list(witness.acknowledged())
        async with EmbeddedZeroDB(self._daemon.data_dir / "zerodb") as store:
            found = await store.get_many(keys)
            told = await store.get_versions(keys)
        missing = [key for key in keys if key.id not in found or key.history_id not in told]
        assert not missing, f"{len(missing)} of {len(keys)} rows, such as {missing[0]}"

    def _archive_has(self, witness: Witness) -> None:
        found = archived_rows(self._daemon.data_dir)
        keys = [(k.tenant_id, k.content_id, k.version, k.sha256) for k in witness.acknowledged()]
        missing = [key for key in keys if key not in found]
        assert not missing, f"{len(missing)} of {len(keys)} versions, such as {missing[0]}"
        repeated = [key for key, rows in found.items() if rows > 1]
        assert not repeated, f"{len(repeated)} of {len(found)} versions, such as {repeated[0]}"

    async def _api_shows(self, witness: Witness) -> None:
        async with self._daemon.client(connections=READERS) as http:
            await self._list_holds(witness, await listed(http))
            send, receive = anyio.create_memory_object_stream[Story | SharedStory](100_000)
            stories = chain[Story | SharedStory](witness.stories.values(), witness.shared.values())
            for story in stories:
                send.send_nowait(story)
            send.close()
            async with receive, anyio.create_task_group() as readers:
                for _ in range(READERS):
                    readers.start_soon(_read, http, receive.clone())

    async def _list_holds(self, witness: Witness, titles: dict[str, str]) -> None:
        unknown = {
            title for content_id, title in titles.items() if content_id not in witness.titles
        }
        assert unknown <= witness.maybe, f"nobody wrote {unknown - witness.maybe}"
        assert len(set(titles.values())) == len(titles), "something was made twice"


async def listed(http: httpx.AsyncClient) -> dict[str, str]:
    """Every item of the caller's brand by id, with its title, read page by page."""
    found: dict[str, str] = {}
    query: dict[str, Any] = {"pageSize": 100}
    while True:
        answer = await http.get("/api/content", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found |= {item["id"]: item["title"] for item in page["data"]}
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            assert len(found) == page["pagination"]["total"]
            return found
        query["cursor"] = cursor


async def _read(http: httpx.AsyncClient, stories: Any) -> None:
    async with stories:
        async for story in stories:
            answer = await http.get(f"/api/content/{story.content_id}")
            if isinstance(story, Story) and answer.status_code == 404:
                story.missing()
                continue
            assert answer.status_code == 200, f"{story.content_id}: {answer.text}"
            _judge(story, answer.json())


def _judge(story: Story | SharedStory, item: dict[str, Any]) -> None:
    version, sha256 = item["version"], hashlib.sha256(item["body"].encode()).hexdigest()
    if isinstance(story, Story):
        expected = {(state.version, state.sha256) for state in story.possible if state.alive}
        assert (version, sha256) in expected, (story.content_id, version, story.possible)
    else:
        assert story.explains(version, sha256), (story.content_id, version)
    told = [past["version"] for past in item["versions"]]
    assert told == list(range(max(1, version - len(told) + 1), version + 1)), told


@asynccontextmanager
async def superuser(daemon: Daemon) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the daemon's embedded PostgreSQL, past every guard."""
    connection = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S, command_timeout=30)
    try:
        yield connection
    finally:
        connection.terminate()


async def eventually(
    condition: Callable[[], Awaitable[bool]], *, within_s: float = PATIENCE_S
) -> None:
    """Wait for what another process does, of which it tells nobody."""
    with anyio.fail_after(within_s):
        while not await condition():
            await anyio.sleep(_POLL_S)
