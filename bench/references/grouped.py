"""`grouped`: the ceiling with group commit, and still nothing else.

Creates that wait together become one statement; everything else is the ceiling's. What this reaches is
the most that a content store of one Python process and one table can reach on this machine, and
so how much of it a daemon has left for history, quota, outbox, tenants apart and a second store.
"""

import uuid
from asyncio import Future, get_running_loop
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import anyio
import asyncpg
import msgspec
from anyio.abc import TaskGroup

from bench.references import serving, shapes
from bench.references.ceiling import SCHEMA, Ceiling
from bench.references.http import ContentApp
from bench.tenants import Tenant, make_tenants, write_tenants

GROUP_MOST = 32
LANES = 2
INSERT = """
INSERT INTO content (id, tenant_id, brand_id, user_id, title, body, preview, type, status, platforms,
                     tags, hashtags, mentions, media, scheduled_at, metadata, size_bytes,
                     created_at, updated_at)
SELECT r.id, r.tenant_id, r.brand_id, r.user_id, r.title, b.body, r.preview, r.type, r.status,
       r.platforms, r.tags, r.hashtags, r.mentions, r.media, r.scheduled_at, r.metadata, r.size_bytes,
       r.at, r.at
FROM jsonb_to_recordset($1) AS r (
    place int, id uuid, tenant_id uuid, brand_id uuid, user_id uuid, title text, preview text,
    type text, status text, platforms text[], tags text[], hashtags text[], mentions text[],
    media text[], scheduled_at timestamptz, metadata jsonb, size_bytes bigint, at timestamptz)
JOIN unnest($2::text[]) WITH ORDINALITY AS b (body, place) USING (place)
"""
_COLUMNS = (
    "id", "title", "type", "status", "platforms", "tags", "hashtags", "mentions", "media",
    "scheduled_at", "metadata",
)  # fmt: skip

_create = msgspec.json.Decoder(shapes.Create)
_encode = msgspec.json.Encoder().encode


class _New(NamedTuple):
    """One create that waits for its group."""

    item: shapes.Item
    caller: Tenant
    done: Future[None]

    def row(self, place: int) -> dict[str, object]:
        """The row as the statement takes it; its body goes apart."""
        fields = {name: getattr(self.item, name) for name in _COLUMNS}
        return fields | {
            "place": place,
            "tenant_id": self.caller.tenant_id,
            "brand_id": self.caller.brand_id,
            "user_id": self.caller.user_id,
            "preview": self.item.body[:200],
            "size_bytes": self.item.storage.size_bytes,
            "at": self.item.created_at,
        }


class Grouped(Ceiling):
    """The content API whose creates are committed in groups."""

    def __init__(self, pool: asyncpg.Pool, tenants: list[Tenant], tasks: TaskGroup) -> None:
        super().__init__(pool, tenants)
        self._tasks = tasks
        self._waiting: list[_New] = []
        self._free_lanes = LANES

    async def create(self, key: str, document: bytes) -> bytes:
        """Insert one row with all that wait."""
        caller = self._caller(key)
        new = _New(_item_of(_create.decode(document)), caller, get_running_loop().create_future())
        self._waiting.append(new)
        if self._free_lanes:
            self._free_lanes -= 1
            self._tasks.start_soon(self._commit_all)
        await new.done
        self._totals[caller.brand_id] += 1
        return _encode(new.item)

    async def _commit_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP_MOST], self._waiting[GROUP_MOST:]
            await self._commit(group)
        self._free_lanes += 1

    async def _commit(self, group: Sequence[_New]) -> None:
        rows = [new.row(place) for place, new in enumerate(group, start=1)]
        bodies = [new.item.body for new in group]
        await self._pool.execute(INSERT, _encode(rows).decode(), bodies)
        for new in group:
            if not new.done.done():
                new.done.set_result(None)


def _item_of(new: shapes.Create) -> shapes.Item:
    now, item_id = datetime.now(UTC), str(uuid.uuid4())
    storage = shapes.Storage(size_bytes=len(new.body.encode()), zerodb_id=item_id)
    given = {name: getattr(new, name) for name in new.__struct_fields__}
    return shapes.Item(
        **given, id=item_id, storage=storage, created_at=now, updated_at=now, version=1
    )


async def main() -> None:
    """Start PostgreSQL and serve until SIGTERM."""
    arguments = serving.parse_arguments("The grouped reference: creates committed in groups.")
    tenants = make_tenants(arguments.tenants)
    async with serving.database(arguments.data_dir) as pool, anyio.create_task_group() as tasks:
        await pool.execute(SCHEMA)
        write_tenants(arguments.data_dir, tenants)
        await serving.serve(ContentApp(Grouped(pool, tenants, tasks)), arguments.port)


if __name__ == "__main__":
    serving.run(main)
