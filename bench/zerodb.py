"""`python -m bench delivery`: how fast bodies reach a real zerodb-local server.

A daemon takes content in while its ZeroDB is away, is started again with it, and carries everything
there: two rows for each version, read back and judged by their hash. Then a bare client gives the
same documents to the same server in requests of the same size, without looking at anything: what
the server takes at best. Rounds alternate, so that a machine that slows down does so for both; and
the best number of lanes is the one with the best median, since the best of several runs would be the
best of the noise, which the daemon, with one run a round, could not have.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx
import msgspec

from bench.errors import BenchError
from bench.targets import Verdict, at_least
from bench.workplace import workplace
from tests.support.ports import free_port
from tests.support.running import Daemon, cleared_away_after
from tests.support.zerodb_local import LocalServer, running_server

TABLES = ("content_items", "content_versions")
ROWS_PER_REQUEST = 50
REFERENCE_LANES = (1, 2, 4)
CREATED_AT_ONCE = 100
LIMIT_S = 300.0
LOOK_S = 0.02
OF_SERVER_PERCENT = 80.0
WORDS = [
    "spring",
    "launch",
    "offer",
    "brand",
    "story",
    "write",
    "tell",
    "people",
    "new",
    "love",
    "town",
    "day",
    "more",
    "than",
]

# As if nobody had tried to deliver it, and nobody may until the measurement begins.
_HOLD = "update engarde.outbox set attempts = 0, lease_token = lease_token + 1, leased_until = 'infinity'"
_RELEASE = "update engarde.outbox set leased_until = '-infinity'"
_OTHERS_WAIT = "select exists (select from engarde.outbox where destination <> 'zerodb')"
_WAITING = "select count(*) from engarde.outbox where destination = 'zerodb'"
_ARE_LEFT = "select exists (select from engarde.outbox where destination = 'zerodb')"

Say = Callable[[str], None]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Rows a second: by the daemon, proved, and by the bare client, by its number of lanes."""

    delivered: float
    taken: Mapping[int, float]


async def measure(options: argparse.Namespace, folder: Path, say: Say) -> list[Round]:
    """Run all rounds on one server and one daemon's data."""
    rounds = []
    async with running_server() as server:
        for number in range(options.rounds):
            project_id = server.new_project()
            settings = {
                "ENGARDE_ZERODB__MODE": "local",
                "ENGARDE_ZERODB__PROJECT_ID": project_id,
                "ENGARDE_ZERODB__CONCURRENCY": str(options.concurrency),
                "ENGARDE_DELIVERY__BATCH_ITEMS": str(options.batch_items),
            }
            data_dir = folder / f"round-{number}" / "data"
            data_dir.parent.mkdir(mode=0o711)
            await _fill(data_dir, settings, options)
            delivered = await _deliver(data_dir, settings, server)
            documents = _documents_of(server, project_id)
            taken = {n: await _give(server, documents, lanes=n) for n in REFERENCE_LANES}
            rounds.append(Round(delivered=delivered, taken=taken))
            say(f"round {number + 1}: {rounds[-1]}")
    return rounds


async def _fill(data_dir: Path, settings: Mapping[str, str], options: argparse.Namespace) -> None:
    """Write content while ZeroDB is away."""
    away = {
        **settings,
        "ENGARDE_ZERODB__BASE_URL": f"http://127.0.0.1:{free_port()}/v1",
        "ENGARDE_DELIVERY__POLL_S": "3600",
    }
    chance = random.Random(7)
    async with cleared_away_after(Daemon(data_dir, environ=away)) as daemon:
        await daemon.start()
        async with daemon.client() as http:
            for _ in range(options.versions // CREATED_AT_ONCE):
                items = [_item(chance, options.body_bytes) for _ in range(CREATED_AT_ONCE)]
                answer = await http.post("/api/content/bulk", json={"items": items})
                if answer.status_code != 201:
                    raise BenchError(f"the daemon took nothing in: {answer.text[:300]}")
        link = await asyncpg.connect(daemon.dsn, timeout=10)
        # Index and archive are done before: what is measured is the way to ZeroDB alone.
        with anyio.fail_after(LIMIT_S):
            while await link.fetchval(_OTHERS_WAIT):
                await anyio.sleep(LOOK_S)
        await link.execute(_HOLD)
        link.terminate()
        await daemon.stop()


def _item(chance: random.Random, size: int) -> dict[str, Any]:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words.append(chance.choice(WORDS))
    return {
        "title": f"Offer {chance.randrange(10**9)}",
        "body": " ".join(words),
        "tags": ["spring"],
    }


async def _deliver(data_dir: Path, settings: Mapping[str, str], server: LocalServer) -> float:
    """Let a daemon carry everything, and give its rows a second."""
    there = {
        **settings,
        "ENGARDE_ZERODB__BASE_URL": server.base_url,
        "ENGARDE_DELIVERY__POLL_S": "0.1",
    }
    async with cleared_away_after(Daemon(data_dir, environ=there)) as daemon:
        await daemon.start()
        link = await asyncpg.connect(daemon.dsn, timeout=10)
        before = await link.fetchval(_WAITING)
        began = time.perf_counter()
        await link.execute(_RELEASE)
        with anyio.fail_after(LIMIT_S):
            while await link.fetchval(_ARE_LEFT):
                await anyio.sleep(LOOK_S)
        took_s = time.perf_counter() - began
        link.terminate()
        await daemon.stop()
    return float(before * len(TABLES) / took_s)


def _documents_of(server: LocalServer, project_id: str) -> Mapping[str, Sequence[Any]]:
    """What the daemon delivered, as the server holds it."""
    found: dict[str, list[Any]] = {}
    with server.client() as http:
        for table in TABLES:
            path = f"/projects/{project_id}/database/tables/{table}/query"
            found[table] = []
            for shard in "0123456789abcdef":
                answer = http.post(path, json={"filter": {"shard_1": shard}, "limit": 1000})
                found[table] += [row["data"] for row in answer.raise_for_status().json()]
    return found


async def _give(
    server: LocalServer, documents: Mapping[str, Sequence[Any]], *, lanes: int
) -> float:
    """Give documents to a project of their own, and give the rows a second that it took them."""
    project_id = server.new_project()
    async with httpx.AsyncClient(
        base_url=f"{server.base_url}/projects/{project_id}/database",
        headers={"content-type": "application/json"},
        timeout=60,
        trust_env=False,
    ) as http:
        for table in documents:
            await http.post("/tables", json={"table_name": table, "schema": {"fields": {}}})
        loads = iter(_loads(documents))

        async def give() -> None:
            for path, load in loads:
                (await http.post(path, content=load)).raise_for_status()

        began = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(lanes):
                group.start_soon(give)
        took_s = time.perf_counter() - began
    return sum(map(len, documents.values())) / took_s


def _loads(documents: Mapping[str, Sequence[Any]]) -> list[tuple[str, bytes]]:
    return [
        (
            f"/tables/{table}/insert",
            msgspec.json.encode({"rows": rows[start : start + ROWS_PER_REQUEST]}),
        )
        for table, rows in documents.items()
        for start in range(0, len(rows), ROWS_PER_REQUEST)
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("--versions", type=int, default=2000, help="versions a round (2,000)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--body-bytes", type=int, default=4096, help="(4,096)")
    parser.add_argument("--concurrency", type=int, default=8, help="[zerodb] concurrency (8)")
    parser.add_argument("--batch-items", type=int, default=50, help="[delivery] batch_items (50)")


def run(options: argparse.Namespace, say: Say) -> list[Verdict]:
    """Measure as the command line asks."""
    with workplace() as place:
        rounds = anyio.run(measure, options, place.path, say)
    lanes = max(REFERENCE_LANES, key=lambda n: statistics.median(one.taken[n] for one in rounds))
    delivered = statistics.median(one.delivered for one in rounds)
    share = 100 * delivered / statistics.median(one.taken[lanes] for one in rounds)
    rates = ", ".join(f"{one.delivered:,.0f} of {one.taken[lanes]:,.0f}" for one in rounds)
    told = f"{share:.0f} %: {rates} rows/s"
    return [
        at_least("percent of what the server takes in bulk", share, OF_SERVER_PERCENT, told=told)
    ]
