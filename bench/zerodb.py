"""`python -m bench delivery`: how fast bodies reach a real zerodb-local server.

A daemon whose carriers are paused takes content in; then it carries all of it there: two rows for
each version, read back and judged by their hash. A bare client gives documents of the same make to
the same server: what the server takes at best. The best number of lanes is the one with the best
median, since the best of several runs would be the best of the noise, which the daemon, with one run a
round, could not have. Medians are compared, and not the rounds one by one: the speed of a shared
machine differs by a third from one half minute to the next.

The server has processors of its own, half of them. Neither is measured beside anything else: the
daemon begins when index and archive are done and everybody rests, and is stopped by signal while the
bare client is at work. Which of them begins a round alternates. Before the first, rows are laid into
the daemon's tables, `--standing` of them in each:
the server's PostgreSQL takes all rows of a small table rather than its index while that has much to
take in still, which costs whoever reads back and nobody else.

The promise is judged by the clock. Processor time is told beside it: a shared machine distorts it
least, and it shows who is at work.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import asyncpg
import msgspec
import psutil

from bench.apart import processors_apart
from bench.carriage import Carriage
from bench.giving import Documents, documents_of, give, into, into_new_project, loads_of
from bench.parties import Spent, spent_so_far
from bench.targets import Verdict, at_least
from bench.workplace import workplace
from tests.support.running import Daemon, cleared_away_after
from tests.support.zerodb_local import LocalServer, running_server

ROWS_PER_VERSION = 2
REFERENCE_LANES = (2, 4)
REST_LOOK_S = 0.5
REST_LIMIT_S = 20.0
RESTING_SHARE = 0.1
OF_SERVER_PERCENT = 80.0

Say = Callable[[str], None]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that reached the server, and what that took."""

    rows: int
    took_s: float
    spent: Spent

    @property
    def per_second(self) -> float:
        """The rate by the clock."""
        return self.rows / self.took_s

    @property
    def server_ms(self) -> float:
        """Processor time of the server and its PostgreSQL for a row."""
        return 1000 * self.spent.by_server_s / self.rows

    def __str__(self) -> str:
        return f"{self.per_second:,.0f} rows/s (ms a row: {self.spent.told(self.rows)})"


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon brought, proved, and what the bare client did, by its number of lanes."""

    delivered: Run
    taken: Mapping[int, Run]


class Site:
    """A server, and a daemon that delivers there when it is told to."""

    def __init__(self, server: LocalServer, daemon: Daemon, carriage: Carriage) -> None:
        self._server = server
        self._carriage = carriage
        self._process = psutil.Process(daemon.pid)
        self._gifts = itertools.count()

    async def deliver(self) -> Run:
        """Let the daemon take versions in, and bring them to the server."""
        await self._carriage.load_up()
        await self._carriage.carry("bigquery")
        await self._rest()
        rows = self._carriage.versions * ROWS_PER_VERSION
        return await self._timed(rows, self._carriage.carry("zerodb"))

    async def give(self, documents: Documents, *, lanes: int) -> Run:
        """Let a bare client give such documents to the server while the daemon is stopped."""
        loads = loads_of(documents, number=next(self._gifts))
        rows = sum(map(len, documents.values()))
        await self._rest()
        async with into_new_project(self._server) as http:
            with _stopped(self._process):
                return await self._timed(rows, give(http, loads, lanes=lanes))

    async def lay(self, documents: Documents, project_id: str, *, rows: int) -> None:
        """Let about so many rows like these stand in each table of a project."""
        times = rows // self._carriage.versions
        async with into(self._server, project_id) as http:
            for number in itertools.islice(self._gifts, times):
                await give(http, loads_of(documents, number=number), lanes=REFERENCE_LANES[-1])

    async def _rest(self) -> None:
        """Wait until nobody does anything, but no longer than for a while."""
        with anyio.move_on_after(REST_LIMIT_S):
            spent_s = REST_LOOK_S
            while spent_s > RESTING_SHARE * REST_LOOK_S:
                before = spent_so_far(self._process)
                await anyio.sleep(REST_LOOK_S)
                spent_s = (spent_so_far(self._process) - before).total_s

    async def _timed(self, rows: int, work: Awaitable[object]) -> Run:
        before, began = spent_so_far(self._process), time.perf_counter()
        await work
        took_s = time.perf_counter() - began
        return Run(rows=rows, took_s=took_s, spent=spent_so_far(self._process) - before)


@contextmanager
def _stopped(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def measure(options: argparse.Namespace, folder: Path, say: Say) -> list[Round]:
    """Run all rounds on one server and one daemon."""
    with processors_apart() as leave_to_server:
        async with running_server() as server:
            leave_to_server()
            return await _rounds(server, options=options, folder=folder, say=say)


async def _rounds(
    server: LocalServer, *, options: argparse.Namespace, folder: Path, say: Say
) -> list[Round]:
    project_id = server.new_project()
    environ = {
        "ENGARDE_ZERODB__MODE": "local",
        "ENGARDE_ZERODB__BASE_URL": server.base_url,
        "ENGARDE_ZERODB__PROJECT_ID": project_id,
        "ENGARDE_ZERODB__CONCURRENCY": str(options.concurrency),
        "ENGARDE_DELIVERY__BATCH_ITEMS": str(options.batch_items),
    }
    async with cleared_away_after(Daemon(folder / "data", environ=environ)) as daemon:
        await daemon.start()
        link = await asyncpg.connect(daemon.dsn, timeout=10)
        try:
            site = Site(server, daemon, Carriage(daemon, link, options.versions))
            say(f"before: {await site.deliver()}")
            documents = documents_of(server, project_id)
            await site.lay(documents, project_id, rows=options.standing)
            return [
                await _round(site, documents, say, number=number)
                for number in range(options.rounds)
            ]
        finally:
            link.terminate()


async def _round(site: Site, documents: Documents, say: Say, *, number: int) -> Round:
    """Let both do their work; in every other round the bare client begins."""
    delivered: list[Run] = []
    taken: dict[int, Run] = {}
    for daemon_is_next in (number % 2 == 0, number % 2 == 1):
        if daemon_is_next:
            delivered.append(await site.deliver())
            say(f"round {number + 1}: the daemon {delivered[0]}")
            continue
        for lanes in REFERENCE_LANES:
            taken[lanes] = await site.give(documents, lanes=lanes)
            say(f"round {number + 1}: {lanes} lanes {taken[lanes]}")
    return Round(delivered=delivered[0], taken=taken)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("--versions", type=int, default=2000, help="versions a round (2,000)")
    parser.add_argument("--rounds", type=int, default=8, help="(8)")
    parser.add_argument("--standing", type=int, default=30_000, help="rows before (30,000)")
    parser.add_argument("--concurrency", type=int, default=8, help="[zerodb] concurrency (8)")
    parser.add_argument("--batch-items", type=int, default=50, help="[delivery] batch_items (50)")


def run(options: argparse.Namespace, say: Say) -> list[Verdict]:
    """Measure as the command line asks."""
    with workplace() as place:
        rounds = anyio.run(measure, options, place.path, say)
    return [verdict(rounds)]


def verdict(rounds: Sequence[Round]) -> Verdict:
    """Whether the daemon kept up with the bare client, by the clock."""
    lanes = max(
        REFERENCE_LANES, key=lambda n: statistics.median(one.taken[n].per_second for one in rounds)
    )
    pairs = [(one.delivered, one.taken[lanes]) for one in rounds]
    ours, bare = [one for one, _ in pairs], [one for _, one in pairs]
    share = 100 * _rate(ours) / _rate(bare)
    by_processor = 100 * _server_ms(bare) / _server_ms(ours)
    rates = ", ".join(f"{one.per_second:,.0f} of {other.per_second:,.0f}" for one, other in pairs)
    told = f"{share:.0f} %: {rates} rows/s; {by_processor:.0f} % by the server's processor time"
    return at_least("percent of what the server takes in bulk", share, OF_SERVER_PERCENT, told=told)


def _rate(runs: Sequence[Run]) -> float:
    return statistics.median(run.per_second for run in runs)


def _server_ms(runs: Sequence[Run]) -> float:
    return statistics.median(run.server_ms for run in runs)
