"""`python -m bench search`: full-text search in a table of many tenants, beside a lookup by id.

A fifth of the items belong to one brand, the rest to hundreds of others. The index is filled by the
daemon's own functions, so that it holds what the indexer would have made. Of the bodies only those
are stored that an answer shows places of.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio

from bench.asking import asked, read
from bench.bodies import store_bodies
from bench.filling import add_fillers, around, fill, tidy
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.provision import make_tenants
from bench.systems import SYSTEMS
from bench.targets import Verdict
from bench.tenants import Tenant
from bench.workplace import workplace

ITEMS = 1_000_000
TEXT_WORDS = 40
TIMES_A_LOOKUP = 10.0
SECONDS = 5.0
LOOKED_UP = 32

QUESTIONS = {
    "a rare word": "w19000",
    "two words": "w800 w900",
    "a phrase": '"w5 w7"',
    "a phrase that is rare": '"w5 w40"',
    "a rare phrase of words that are everywhere": '"w1 w2 w3 w4"',
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
            path = f"/api/content?search={quote(words)}"
            page = _page(server.port, tenant, path)
            anyio.run(store_bodies, server.data_dir, [one["id"] for one in page["data"]])
            found, total = _load(server.port, tenant, [path]), page["pagination"]["total"]
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
    owners = around(tenant, await add_fillers(data_dir))
    await fill(data_dir, owners, first=1, last=items, words=TEXT_WORDS, say=say)
    await tidy(data_dir)


def _create(port: int, tenant: Tenant) -> str:
    body = json.dumps({"title": "Looked up", "body": "x" * 4096}).encode()
    with asked(port, tenant, "/api/content", post=body) as answer:
        return str(json.loads(read(answer, 201))["id"])


def _page(port: int, tenant: Tenant, path: str) -> Any:
    with asked(port, tenant, path) as answer:
        return json.loads(read(answer, 200))
