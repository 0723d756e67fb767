"""`python -m bench search`: full-text search in a table of many tenants, beside a lookup by id.

A fifth of the items belong to one brand, the rest to a thousand others. The index is filled by the
daemon's own functions, so that it holds what the indexer would have made; bodies are left out.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio

from bench.asking import asked, read
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.provision import database_of, make_tenants
from bench.systems import SYSTEMS
from bench.targets import Verdict
from bench.tenants import Tenant
from bench.workplace import workplace

ITEMS = 1_000_000
FILLERS = 1_000
STEP = 50_000
TIMES_A_LOOKUP = 10.0
SECONDS = 5.0
LOOKED_UP = 32
WORDS = 20_000
"""The vocabulary; the n-th word stands in every n-th text or so, as in a language."""

_TENANTS = """
insert into tenants (id, plan_tier) select 'filler-' || n, 'enterprise' from generate_series(1, $1::int) n
"""
_BRANDS = """
insert into brands (id, tenant_id, name)
select 'filler-' || n, 'filler-' || n, '' from generate_series(1, $1::int) n
"""
_FILL = """
with made as (
    insert into content_items (id, tenant_id, brand_id, user_id, title, content_type, status, preview,
        content_metadata, created_at, updated_at, zerodb_id, storage_size_bytes, version, body_version,
        body_sha256)
    select id, case when n % 5 = 0 then $3 else 'filler-' || 1 + n % $5::int end,
        case when n % 5 = 0 then $4 else 'filler-' || 1 + n % $5::int end, '', 'Item ' || n,
        'post', 'draft', words, '{}', at, at, id, length(words), 1, 1, repeat('0', 64)
    from generate_series($1::int, $2::int) n
    cross join lateral (
        select '00000000-0000-7000-8000-' || lpad(n::text, 12, '0') as id,
            timestamp '2026-01-01' + make_interval(secs => n) as at,
            (select string_agg('w' || floor(exp(random() * ln($6::float8)))::int + 0 * k, ' ')
             from generate_series(1, 40 + n % 2) k) as words) x
    returning tenant_id, brand_id, id, title, preview
)
insert into engarde.content_search (tenant_id, content_id, version, ordinal, document)
select tenant_id, id, 1, ordinal, engarde.search_document_v2('english', brand_id, title, null,
    to_tsvector('english', preview)) || array_to_tsvector(engarde.search_eras_v1(brand_id, ordinal))
from made
cross join lateral (select right(id, 12)::bigint / case when brand_id = $4 then 5 else $5::int end as ordinal) x
"""
_HEADS = """
insert into engarde.search_heads as h (tenant_id, brand_id, newest)
select i.tenant_id, i.brand_id, max(s.ordinal)
from engarde.content_search s join content_items i on i.tenant_id = s.tenant_id and i.id = s.content_id
group by 1, 2
on conflict (tenant_id, brand_id) do update set newest = greatest(h.newest, excluded.newest)
"""
_COUNT = """
insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
select tenant_id, brand_id, content_type, status, count(*), sum(storage_size_bytes)
from content_items group by 1, 2, 3, 4
"""
QUESTIONS = {
    "a rare word": "w19000",
    "two words": "w800 w900",
    "a phrase": '"w5 w7"',
    "a phrase that is rare": '"w5 w40"',
    "a beginning of few words": "w1900*",
    "a beginning of many words": "w1*",
    "a word in one of 400": "w400",
    "a word in one of 25": "w100",
    "a common word": "w2",
    "a common word without another": "w2 -w5",
    "a word that is nowhere": "unheard",
}

Say = Callable[[str], None]


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    items = count or ITEMS
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        (tenant,) = anyio.run(make_tenants, server.data_dir, 1)
        ids = [_create(server.port, tenant) for _ in range(LOOKED_UP)]
        server.settle()
        anyio.run(partial(_fill, server.data_dir, tenant, say, items=items))
        server.settle()
        lookup = _load(server.port, tenant, [f"/api/content/{one}" for one in ids])
        say(f"lookup by id: {_told(lookup)}")
        verdicts = []
        for name, words in QUESTIONS.items():
            found = _load(server.port, tenant, [f"/api/content?search={quote(words)}"])
            total = _total(server.port, tenant, words)
            verdicts.append(
                _judged(f"{name} of {items:,} items", found, lookup=lookup, total=total)
            )
    return verdicts


def _judged(name: str, found: LoadResult, *, lookup: LoadResult, total: int) -> Verdict:
    times = found.p99_ms / lookup.p99_ms
    return Verdict(
        promise=f"{name}: p99 ≤ {TIMES_A_LOOKUP:.0f} x a lookup by id",
        measured=f"{times:.1f} x; {_told(found)}; {total:,} hits",
        is_kept=times <= TIMES_A_LOOKUP and not found.errors,
    )


def _told(load: LoadResult) -> str:
    failed = f", failed: {load.errors}" if load.errors else ""
    return f"p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms{failed}"


def _load(port: int, tenant: Tenant, paths: list[str]) -> LoadResult:
    return run_load(
        LoadOrder(
            port=port,
            traffic=Traffic.FETCH,
            keys=[tenant.api_key],
            paths=paths,
            connections=1,
            seconds=SECONDS,
            warm_up_s=1.0,
        )
    )


async def _fill(data_dir: Path, tenant: Tenant, say: Say, *, items: int) -> None:
    async with database_of(data_dir) as connection:
        await connection.execute(_TENANTS, FILLERS)
        await connection.execute(_BRANDS, FILLERS)
        asked_for = (tenant.tenant_id, tenant.brand_id, FILLERS, WORDS)
        await connection.execute("delete from engarde.content_counts")
        for first in range(1, items + 1, STEP):
            last = min(items, first + STEP - 1)
            await connection.execute(_FILL, first, last, *asked_for)
            say(f"{last:,} items are indexed")
        await connection.execute(_COUNT)
        await connection.execute(_HEADS)
        await connection.execute("vacuum (analyze) content_items")
        await connection.execute("vacuum (analyze) engarde.content_search")


def _create(port: int, tenant: Tenant) -> str:
    body = json.dumps({"title": "Looked up", "body": "x" * 4096}).encode()
    with asked(port, tenant, "/api/content", post=body) as answer:
        return str(json.loads(read(answer, 201))["id"])


def _total(port: int, tenant: Tenant, words: str) -> int:
    with asked(port, tenant, f"/api/content?search={quote(words)}") as answer:
        return int(json.loads(read(answer, 200))["pagination"]["total"])
