"""`naive`: the flow of the platform's first sketch, step by step.

Check the quota with reads of its own, store the body in the document store, commit the metadata,
commit the usage; list with a count, an offset, and one call to the document store for each row.
Its faults (two stores without a transaction, usage by read and write back) are left in: they are
what the daemon is compared with. Its speed is not held back: see the package.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import asyncpg
import httpx
import msgspec

from bench.ports import free_port
from bench.references import naive_tables as sql
from bench.references import serving, shapes
from bench.references.documents import Documents
from bench.references.http import ContentApp, Refused
from bench.references.naive_records import Caller, item, listed, merged, new_record, snapshot
from bench.tenants import Tenant, make_tenants, write_tenants

LIMIT_GB = {"free": 1, "starter": 10, "professional": 100, "business": 500}
STORE_START_LIMIT_S = 10.0
_create = msgspec.json.Decoder(shapes.Create)
_change = msgspec.json.Decoder(shapes.Change)
_encode = msgspec.json.Encoder().encode


class Naive:
    """The content API as the sketch flows; each request holds one connection, as a session does."""

    def __init__(self, pool: asyncpg.Pool, documents: Documents) -> None:
        self._pool = pool
        self._documents = documents

    async def create(self, key: str, document: bytes) -> bytes:
        """Check, store the body, commit the metadata, commit the usage."""
        new = _create.decode(document)
        size_bytes = len(new.body.encode())
        async with self._pool.acquire() as session:
            caller = await _current_caller(session, key)
            await _check_quota(session, caller.tenant_id, size_bytes)
            record = new_record(new, caller, size_bytes)
            zerodb_id = await self._documents.insert_record("content_items", record)
            await session.execute(
                sql.INSERT_ITEM, record["id"], caller.tenant_id, caller.brand_id, caller.user_id,
                new.title, new.type, new.status, _encode(record["metadata"]).decode(), zerodb_id,
                size_bytes,
            )  # fmt: skip
            row = await session.fetchrow(sql.SELECT_ITEM, record["id"], caller.brand_id)
            await _increment_usage(
                session, caller.tenant_id, content_type=new.type, size_bytes=size_bytes
            )
        return _encode(item(row, record))

    async def get(self, key: str, item_id: str) -> bytes:
        """Read the metadata, then the body, then the history."""
        async with self._pool.acquire() as session:
            row = await _own_item(session, key, item_id)
            record = await self._documents.get_record("content_items", row["zerodb_id"])
            history = await self._documents.versions_of(item_id)
        versions = msgspec.convert(history, list[shapes.Version])
        return _encode(msgspec.structs.replace(item(row, record), versions=versions))

    async def page(self, key: str, query: dict[str, list[str]]) -> bytes:
        """Count, read one page by offset, then fetch the body of each row."""
        page, size = int(query.get("page", ["1"])[0]), int(query.get("pageSize", ["20"])[0])
        async with self._pool.acquire() as session:
            caller = await _current_caller(session, key)
            total = await session.fetchval(sql.COUNT_ITEMS, caller.brand_id)
            rows = await session.fetch(sql.SELECT_PAGE, caller.brand_id, (page - 1) * size, size)
            data = [
                listed(row, await self._documents.get_record("content_items", row["zerodb_id"]))
                for row in rows
            ]
        return _encode(shapes.Page(data=data, pagination=shapes.pagination(page, size, total)))

    async def change(self, key: str, item_id: str, document: bytes) -> bytes:
        """Read the body, keep it as a version, write the new one, commit the metadata."""
        change = _change.decode(document)
        async with self._pool.acquire() as session:
            row = await _own_item(session, key, item_id)
            record = await self._documents.get_record("content_items", row["zerodb_id"])
            await self._documents.insert_record("content_versions", snapshot(row, record))
            changed = merged(record, change)
            await self._documents.update_record("content_items", row["zerodb_id"], changed)
            await session.execute(
                sql.UPDATE_ITEM, item_id, changed["title"], changed["status"],
                changed["storage_metadata"]["size_bytes"], row["version"] + 1,
            )  # fmt: skip
            row = await session.fetchrow(sql.SELECT_ITEM, item_id, row["brand_id"])
        return _encode(
            shapes.Changed(
                id=row["id"],
                title=row["title"],
                body=changed["content_body"],
                status=row["status"],
                version=row["version"],
                updated_at=row["updated_at"],
            )
        )


async def _current_caller(session: asyncpg.Connection, key: str) -> Caller:
    user = await session.fetchrow(sql.SELECT_USER, key)
    if user is None:
        raise Refused(401)
    brand = await session.fetchrow(sql.SELECT_BRAND, user["brand_id"])
    tenant = await session.fetchrow(sql.SELECT_TENANT, brand["tenant_id"])
    return Caller(user_id=user["id"], brand_id=brand["id"], tenant_id=tenant["id"])


async def _own_item(session: asyncpg.Connection, key: str, item_id: str) -> asyncpg.Record:
    caller = await _current_caller(session, key)
    row = await session.fetchrow(sql.SELECT_ITEM, item_id, caller.brand_id)
    if row is None:
        raise Refused(404)
    return row


async def _check_quota(session: asyncpg.Connection, tenant_id: str, size_bytes: int) -> None:
    tenant = await session.fetchrow(sql.SELECT_TENANT, tenant_id)
    usage = await session.fetchrow(sql.SELECT_USAGE, tenant_id)
    projected_gb = (usage["total_storage_bytes"] + size_bytes) / 1024**3
    if projected_gb > LIMIT_GB[tenant["plan_tier"]]:
        raise Refused(403)


async def _increment_usage(
    session: asyncpg.Connection, tenant_id: str, *, content_type: str, size_bytes: int
) -> None:
    usage = await session.fetchrow(sql.SELECT_USAGE, tenant_id)
    by_type = msgspec.json.decode(usage["usage_by_type"], type=dict[str, dict[str, int]])
    entry = by_type.setdefault(content_type, {"count": 0, "bytes": 0})
    entry["count"] += 1
    entry["bytes"] += size_bytes
    await session.execute(
        sql.UPDATE_USAGE, tenant_id, usage["total_content_items"] + 1,
        usage["total_storage_bytes"] + size_bytes, _encode(by_type).decode(),
    )  # fmt: skip


@asynccontextmanager
async def document_store(data_dir: Path) -> AsyncIterator[Documents]:
    """Run the document store as a process of its own, and open a client to it.

    Raises:
        TimeoutError: The store did not answer in time.
    """
    port = free_port()
    command = [sys.executable, "-m", "bench.references.document_store"]
    arguments = ["--file", str(data_dir / "documents.sqlite"), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    async with (
        await anyio.open_process([*command, *arguments], stdout=None, stderr=None) as process,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
    ):
        try:
            with anyio.fail_after(STORE_START_LIMIT_S):
                await _answers(client)
            yield Documents(client)
        finally:
            process.terminate()


async def _answers(client: httpx.AsyncClient) -> None:
    while True:
        try:
            await client.get("/readyz/0")
        except httpx.ConnectError:
            await anyio.sleep(0.02)
        else:
            return


async def _prepare(pool: asyncpg.Pool, tenants: list[Tenant]) -> None:
    await pool.execute(sql.SCHEMA)
    for tenant in tenants:
        await pool.execute(sql.ADD_TENANT, tenant.tenant_id)
        await pool.execute(sql.ADD_BRAND, tenant.brand_id, tenant.tenant_id)
        await pool.execute(sql.ADD_USER, tenant.user_id, tenant.brand_id, tenant.api_key)
        await pool.execute(sql.ADD_USAGE, tenant.tenant_id, tenant.brand_id)


async def main() -> None:
    """Start PostgreSQL and the document store, and serve until SIGTERM."""
    arguments = serving.parse_arguments("The naive reference: the first sketch's flow.")
    tenants = make_tenants(arguments.tenants)
    async with (
        serving.database(arguments.data_dir) as pool,
        document_store(arguments.data_dir) as documents,
    ):
        await _prepare(pool, tenants)
        write_tenants(arguments.data_dir, tenants)
        await serving.serve(ContentApp(Naive(pool, documents)), arguments.port)


if __name__ == "__main__":
    serving.run(main)
