"""Fills the daemon's tables with items of many tenants, as fast as PostgreSQL takes them.

The rows are those that the daemon's own writes leave behind once everything is delivered: item,
version, search document (made by the daemon's functions) and the books. Bodies alone are left out:
no list reads one, and ten million of them would take forty gigabytes; a search that shows places of
them needs those of its page (see `bench.bodies`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import asyncpg

from bench.provision import database_of
from bench.tenants import Tenant

BIG_EVERY = 5
"""Every fifth item belongs to the big tenant."""
FILLERS = 800
WORDS = 20_000
"""The vocabulary; the n-th word stands in every n-th text or so, as in a language."""
TOPIC_ITEMS = 80
"""So many items in a row are of one topic: sixteen of the big tenant's, however many there are."""
_STEP = 25_000
_LANES = 2

_PLACES = """
create schema if not exists bench;
create unlogged table if not exists bench.owners (
    place integer primary key, tenant_id text not null, brand_id text not null, user_id text not null,
    places integer not null);
truncate bench.owners
"""
_FILLERS = """
with made as (
    insert into tenants (id, plan_tier)
    select 'filler-' || n, 'enterprise' from generate_series(1, $1::int) n returning id
)
insert into brands (id, tenant_id, name) select id, id, '' from made
"""
_FILL = """
with made as (
    insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status, preview,
        content_metadata, created_at, updated_at, zerodb_id, storage_size_bytes, version, body_version,
        body_sha256)
    select id, o.tenant_id, o.brand_id, o.user_id, 'Item ' || n || ' of topic' || n / $6::int,
        'post', case n % 3 when 0 then 'published' else 'draft' end, words, '{}', at, at, id,
        length(words), 1, 1, encode(sha256(words::bytea), 'hex')
    from generate_series($1::int, $2::int) n
    join bench.owners o on o.place = n % $3::int
    cross join lateral (
        select '00000000-0000-7000-8000-' || lpad(n::text, 12, '0') as id,
            timestamp '2026-01-01' + make_interval(secs => n) as at,
            (select string_agg('w' || floor(exp(random() * ln($4::float8)))::int + 0 * k, ' ')
             from generate_series(1, $5::int + n % 2) k) as words) x
    returning *
), versions as (
    insert into engarde.content_versions (tenant_id, content_id, version, body_version, zerodb_id,
        brand_id, user_id, title, content_type, status, details, preview, size_bytes, body_sha256,
        change_type, changed_by, changes_summary, content_created_at, created_at)
    select tenant_id, id, 1, 1, id, brand_id, user_id, title, content_type, status, '{}', preview,
        storage_size_bytes, body_sha256, 'create', user_id, 'created', created_at, created_at
    from made
)
insert into engarde.content_search (tenant_id, content_id, version, ordinal, document)
select m.tenant_id, m.id, 1, x.ordinal, engarde.search_document_v2('english', m.brand_id, m.title, null,
    to_tsvector('english', m.preview)) || array_to_tsvector(engarde.search_eras_v1(m.brand_id, x.ordinal))
from made m
join bench.owners o on o.place = right(m.id, 12)::bigint % $3::int
cross join lateral (select right(m.id, 12)::bigint * o.places / $3::int as ordinal) x
"""
_COUNT = """
delete from engarde.content_counts;
insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
select tenant_id, brand_id, content_type, status, count(*), sum(storage_size_bytes)
from content_items where deleted_at is null group by 1, 2, 3, 4;
insert into content_storage_usage (tenant_id, total_content_items, total_storage_bytes)
select tenant_id, sum(items), sum(bytes) from engarde.content_counts group by 1
on conflict (tenant_id) do update set total_content_items = excluded.total_content_items,
    total_storage_bytes = excluded.total_storage_bytes;
insert into engarde.search_heads as h (tenant_id, brand_id, newest)
select i.tenant_id, i.brand_id, max(s.ordinal)
from engarde.content_search s join content_items i on i.tenant_id = s.tenant_id and i.id = s.content_id
where s.ordinal is not null group by 1, 2
on conflict (tenant_id, brand_id) do update set newest = greatest(h.newest, excluded.newest)
"""
_TIDY = (
    "vacuum (analyze) content_items",
    "vacuum (analyze) engarde.content_versions",
    "vacuum (analyze) engarde.content_search",
    "vacuum (analyze) engarde.content_counts",
    "checkpoint",
)
_TIDY_LIMIT_S = 3600.0
_SIZE = "select pg_database_size(current_database())"

Say = Callable[[str], None]


async def add_fillers(data_dir: Path) -> list[Tenant]:
    """Make the tenants whose content is only there to be in the way."""
    async with database_of(data_dir) as connection:
        await connection.execute(_FILLERS, FILLERS)
    names = [f"filler-{number + 1}" for number in range(FILLERS)]
    return [Tenant(tenant_id=name, brand_id=name, user_id="", api_key="") for name in names]


def around(big: Tenant, fillers: Sequence[Tenant]) -> list[Tenant]:
    """Owners of items in a row: every fifth is the big tenant."""
    others = iter(fillers)
    places = len(fillers) * BIG_EVERY // (BIG_EVERY - 1)
    return [next(others) if place % BIG_EVERY else big for place in range(places)]


async def fill(
    data_dir: Path, owners: Sequence[Tenant], *, first: int, last: int, words: int, say: Say
) -> None:
    """Add the items from `first` to `last`, the owners in turn, each text of so many words."""
    async with database_of(data_dir) as connection:
        await connection.execute(_PLACES)
        places = Counter(one.brand_id for one in owners)
        rows = [
            (n, one.tenant_id, one.brand_id, one.user_id, places[one.brand_id])
            for n, one in enumerate(owners)
        ]
        await connection.copy_records_to_table("owners", schema_name="bench", records=rows)
        await connection.execute("analyze bench.owners")
    starts = iter(range(first, last + 1, _STEP))

    async def fill_some() -> None:
        async with database_of(data_dir) as connection:
            # Triggers would owe every version to the archive, and check a million known tenants.
            await connection.execute("set session_replication_role = replica")
            for start in starts:
                end = min(last, start + _STEP - 1)
                say(f"filling up to {end:,} of {last:,} items ...")
                asked_for = (len(owners), WORDS, words, TOPIC_ITEMS)
                await connection.execute(_FILL, start, end, *asked_for)

    async with anyio.create_task_group() as lanes:
        for _ in range(_LANES):
            lanes.start_soon(fill_some)


async def tidy(data_dir: Path) -> int:
    """Count the books from the items, vacuum, and write a checkpoint; answers the bytes on disk."""
    async with database_of(data_dir) as connection:
        await connection.execute(_COUNT, timeout=_TIDY_LIMIT_S)
        for statement in _TIDY:
            await connection.execute(statement, timeout=_TIDY_LIMIT_S)
        return int(await connection.fetchval(_SIZE))


async def items_of(connection: asyncpg.Connection, least_bytes: int) -> dict[str, str]:
    """One item of each tenant that has a body of at least so many bytes."""
    rows = await connection.fetch(
        "select tenant_id, max(id) as id from content_items where storage_size_bytes >= $1 group by 1",
        least_bytes,
    )
    return {row["tenant_id"]: row["id"] for row in rows}
