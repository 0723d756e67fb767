"""`python -m bench scale`: the same questions while items, tenants or daemons become more.

Each curve has a database of its own, which grows step by step. At each step the machine is let come
to rest, then one load after the other is put on it: get, list, search, and create last, because it
adds to the table.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio
import msgspec

from bench.curves import Curve, Step, judge, keep
from bench.filling import TOPIC_ITEMS, add_fillers, around, fill, items_of
from bench.keeping import RESULTS
from bench.machine import describe_machine
from bench.options import some_of
from bench.provision import database_of, make_tenants
from bench.site import FEW_CONNECTIONS, Site
from bench.targets import Verdict
from bench.tenants import Tenant
from bench.workplace import Workplace, workplace

ITEMS_FROM = 1_000
READ_ITEMS = 256
"""So many items with a body of 4 KB are added through the API at each step, to be read."""
TOPICS = 64
TEXT_WORDS = 20
TENANT_ITEMS = 20
DAEMON_ITEMS = 10_000
COMMON_WORD = "w5"
BODY_BYTES = 4096

Say = Callable[[str], None]


def run(options: argparse.Namespace, say: Say) -> list[Verdict]:
    """Measure the curves; each is kept after each of its steps, whatever becomes of the next."""
    verdicts = []
    for along in options.curves:
        with workplace() as place:
            curve = Curve(
                along=along,
                command=options.command,
                began_at=datetime.now(UTC),
                machine=describe_machine(),
                connections=options.connections,
            )
            for step in _GROWTHS[along](place, options, say):
                curve = msgspec.structs.replace(curve, steps=[*curve.steps, step])
                keep(curve, options.into)
                say(f"{along} {step.at:,}: {_told(step)}")
        verdicts += judge(curve)
    return verdicts


def _told(step: Step) -> str:
    return ", ".join(f"{one.case} {one.per_second:,.0f}/s" for one in step.points)


def tenfold(first: int, last: int) -> Iterator[int]:
    """The steps from `first` to `last`, each ten times the one before."""
    while first <= last:
        yield first
        first *= 10


def _grow_items(place: Workplace, options: argparse.Namespace, say: Say) -> Iterator[Step]:
    """A fifth of the items belong to who reads; who writes is somebody else."""
    site = Site(place, connections=options.connections, seconds=options.seconds)
    site.start()
    reader, writer = anyio.run(make_tenants, site.data_dir, 2)
    owners = around(reader, anyio.run(add_fillers, site.data_dir))
    ids, before = list[str](), 0
    for at in tenfold(ITEMS_FROM, options.items_max):
        began = time.perf_counter()
        grow = partial(fill, first=before + 1, last=at, words=TEXT_WORDS, say=say)
        anyio.run(grow, site.data_dir, owners)
        ids += site.store([reader], READ_ITEMS).ids
        loads = {
            "get": site.fetching([reader], [f"/api/content/{one}" for one in ids]),
            "list": site.fetching([reader], _pages(options.connections)),
            "search": site.fetching([reader], [_search(word) for word in _topics(at)]),
            "search-common": site.fetching([reader], [_search(COMMON_WORD)]),
            "create": site.creating([writer]),
        }
        yield site.grown(at, began, loads)
        before = at


def _pages(clients: int) -> list[str]:
    """A page of its own for each client: a question that many ask at once is answered once."""
    return [f"/api/content?page={page}&pageSize=20" for page in range(1, min(clients, 10) + 1)]


def _topics(items: int) -> list[str]:
    """Words that stand in sixteen items of the reader each, spread over all items."""
    topics = items // TOPIC_ITEMS
    return [f"topic{1 + number * (topics - 1) // TOPICS}" for number in range(min(TOPICS, topics))]


def _search(words: str) -> str:
    return f"/api/content?search={quote(words)}"


def _grow_tenants(place: Workplace, options: argparse.Namespace, say: Say) -> Iterator[Step]:
    """Every tenant has as much as every other one, and all of them ask in turn."""
    site = Site(place, connections=options.connections, seconds=options.seconds)
    site.start()
    tenants = list[Tenant]()
    for at in tenfold(1, options.tenants_max):
        began, before = time.perf_counter(), len(tenants)
        say(f"making {at - before:,} tenants ...")
        more = anyio.run(make_tenants, site.data_dir, at - before)
        first, last = before * TENANT_ITEMS + 1, at * TENANT_ITEMS
        grow = partial(fill, first=first, last=last, words=TEXT_WORDS, say=say)
        anyio.run(grow, site.data_dir, more)
        site.store(more, len(more))
        tenants += more
        found = anyio.run(_read_items, site.data_dir)
        loads = {
            "get": site.fetching(tenants, [f"/api/content/{found[t.tenant_id]}" for t in tenants]),
            "list": site.fetching(tenants, _pages(1)),
            "search": site.fetching(tenants, [_search(COMMON_WORD)]),
            "create": site.creating(tenants),
        }
        yield site.grown(at, began, loads)


async def _read_items(data_dir: Path) -> dict[str, str]:
    async with database_of(data_dir) as connection:
        return await items_of(connection, BODY_BYTES)


def _grow_daemons(place: Workplace, options: argparse.Namespace, say: Say) -> Iterator[Step]:
    """The clients spread evenly over the daemons; PostgreSQL and the machine stay as they are."""
    site = Site(place, connections=options.connections, seconds=options.seconds)
    site.start(FEW_CONNECTIONS)
    reader, writer = anyio.run(make_tenants, site.data_dir, 2)
    owners = around(reader, anyio.run(add_fillers, site.data_dir))
    grow = partial(fill, first=1, last=DAEMON_ITEMS, words=TEXT_WORDS, say=say)
    anyio.run(grow, site.data_dir, owners)
    ids = site.store([reader], READ_ITEMS).ids
    for at in range(1, options.daemons_max + 1):
        began = time.perf_counter()
        if at > 1:
            site.start_another()
        loads = {
            "get": site.fetching([reader], [f"/api/content/{one}" for one in ids]),
            "list": site.fetching([reader], _pages(options.connections)),
            "search": site.fetching([reader], [_search(word) for word in _topics(DAEMON_ITEMS)]),
            "create": site.creating([writer]),
        }
        yield site.grown(at, began, loads)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    known = list(_GROWTHS)
    parser.add_argument(
        "--curves", type=some_of(known), default=known, help=f"of {','.join(known)} (all)"
    )
    parser.add_argument("--items-max", type=int, default=10_000_000, help="(10,000,000)")
    parser.add_argument("--tenants-max", type=int, default=10_000, help="(10,000)")
    parser.add_argument("--daemons-max", type=int, default=4, help="(4)")
    parser.add_argument("--connections", type=int, default=16, help="clients at once (16)")
    parser.add_argument("--seconds", type=float, default=5.0, help="measured time per load (5)")
    parser.add_argument("--into", type=Path, default=RESULTS, help="where to keep what was found")


_GROWTHS = {"items": _grow_items, "tenants": _grow_tenants, "daemons": _grow_daemons}
