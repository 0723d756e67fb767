"""`ceiling`: one statement a request, the body in PostgreSQL, nothing else.

There is no quota, no history, no outbox and no second store here. What this reaches is what
PostgreSQL, asyncpg and uvicorn leave for one item per transaction on this machine.
"""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from bench.references import serving, shapes
from bench.references.http import ContentApp, Refused
from bench.tenants import Tenant, make_tenants, write_tenants

SCHEMA = """
CREATE TABLE IF NOT EXISTS content (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    tenant_id uuid NOT NULL,
    brand_id uuid NOT NULL,
    user_id uuid NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    preview text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    platforms text[] NOT NULL,
    tags text[] NOT NULL,
    hashtags text[] NOT NULL,
    mentions text[] NOT NULL,
    media text[] NOT NULL,
    scheduled_at timestamptz,
    metadata jsonb NOT NULL,
    size_bytes bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS content_page
    ON content (tenant_id, brand_id, created_at DESC, id DESC);
"""
INSERT = """
INSERT INTO content (tenant_id, brand_id, user_id, title, body, preview, type, status,
                     platforms, tags, hashtags, mentions, media, scheduled_at, metadata, size_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
RETURNING id, created_at, updated_at, version
"""
SELECT_ONE = """
SELECT id, user_id, title, body, type, status, platforms, tags, hashtags, mentions, media,
       scheduled_at, metadata, size_bytes, version, created_at, updated_at
FROM content WHERE id = $1 AND tenant_id = $2
"""
SELECT_PAGE = """
SELECT id, title, type, status, platforms, preview, created_at, updated_at
FROM content WHERE tenant_id = $1 AND brand_id = $2 AND (created_at, id) < ($3, $4)
ORDER BY created_at DESC, id DESC LIMIT $5
"""
SELECT_PAGE_WITH_BODIES = SELECT_PAGE.replace("preview,", "preview, body,")
UPDATE = """
UPDATE content SET title = coalesce($3, title), body = coalesce($4, body),
    preview = coalesce($5, preview), size_bytes = coalesce($6, size_bytes),
    status = coalesce($7, status), tags = coalesce($8, tags),
    version = version + 1, updated_at = now()
WHERE id = $1 AND tenant_id = $2
RETURNING id, title, body, status, version, updated_at
"""
_FIRST = (datetime.max, UUID(int=2**128 - 1))  # noqa: DTZ901 - asyncpg reads it as infinity

_create = msgspec.json.Decoder(shapes.Create)
_change = msgspec.json.Decoder(shapes.Change)
_encode = msgspec.json.Encoder().encode


class Ceiling:
    """The content API at one statement a request."""

    def __init__(self, pool: asyncpg.Pool, tenants: list[Tenant]) -> None:
        self._pool = pool
        self._tenants = {tenant.api_key: tenant for tenant in tenants}
        self._totals = Counter[str]()

    def _caller(self, key: str) -> Tenant:
        tenant = self._tenants.get(key)
        if tenant is None:
            raise Refused(401)
        return tenant

    async def create(self, key: str, document: bytes) -> bytes:
        """Insert one row."""
        caller, new = self._caller(key), _create.decode(document)
        size_bytes = len(new.body.encode())
        row = await self._pool.fetchrow(
            INSERT, caller.tenant_id, caller.brand_id, caller.user_id, new.title, new.body,
            new.body[:200], new.type, new.status, new.platforms, new.tags, new.hashtags,
            new.mentions, new.media, new.scheduled_at, str(new.metadata, "utf-8"), size_bytes,
        )  # fmt: skip
        self._totals[caller.brand_id] += 1
        given = {name: getattr(new, name) for name in new.__struct_fields__}
        return _encode(shapes.Item(**given, **row, storage=_storage(row["id"], size_bytes)))

    async def get(self, key: str, item_id: str) -> bytes:
        """Select one row by its id."""
        row = await self._pool.fetchrow(SELECT_ONE, item_id, self._caller(key).tenant_id)
        if row is None:
            raise Refused(404)
        return _encode(_item_of(row))

    async def page(self, key: str, query: dict[str, list[str]]) -> bytes:
        """Select the newest rows of the caller's brand; totals come from memory."""
        caller = self._caller(key)
        size = int(query.get("pageSize", ["20"])[0])
        statement = SELECT_PAGE_WITH_BODIES if "include" in query else SELECT_PAGE
        rows = await self._pool.fetch(statement, caller.tenant_id, caller.brand_id, *_FIRST, size)
        data = [shapes.Row(thumbnail_url=None, **row) for row in rows]
        total = self._totals[caller.brand_id]
        return _encode(shapes.Page(data=data, pagination=shapes.pagination(1, size, total)))

    async def change(self, key: str, item_id: str, document: bytes) -> bytes:
        """Update one row."""
        caller, change = self._caller(key), _change.decode(document)
        preview, size_bytes = None, None
        if change.body is not None:
            preview, size_bytes = change.body[:200], len(change.body.encode())
        row = await self._pool.fetchrow(
            UPDATE, item_id, caller.tenant_id, change.title, change.body, preview, size_bytes,
            change.status, change.tags,
        )  # fmt: skip
        if row is None:
            raise Refused(404)
        return _encode(shapes.Changed(**row))


def _item_of(row: asyncpg.Record) -> shapes.Item:
    fields: dict[str, Any] = dict(row)
    author, size_bytes = fields.pop("user_id"), fields.pop("size_bytes")
    fields["metadata"] = msgspec.Raw(fields["metadata"])
    version = shapes.Version(
        version=row["version"],
        created_at=row["updated_at"],
        changed_by=str(author),
        change_type="create" if row["version"] == 1 else "update",
    )
    return shapes.Item(**fields, storage=_storage(row["id"], size_bytes), versions=[version])


def _storage(item_id: UUID, size_bytes: int) -> shapes.Storage:
    return shapes.Storage(size_bytes=size_bytes, zerodb_id=str(item_id))


async def main() -> None:
    """Start PostgreSQL and serve until SIGTERM."""
    arguments = serving.parse_arguments("The ceiling reference: one statement a request.")
    tenants = make_tenants(arguments.tenants)
    async with serving.database(arguments.data_dir) as pool:
        await pool.execute(SCHEMA)
        write_tenants(arguments.data_dir, tenants)
        await serving.serve(ContentApp(Ceiling(pool, tenants)), arguments.port)


if __name__ == "__main__":
    serving.run(main)
