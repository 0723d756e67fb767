"""`python -m bench carrying`: delivery and replication at once, while people go on reading.

A daemon with a real zerodb-local server and a BigQuery emulator takes content in while whoever
carries it on is paused. Then that is let go: replication alone, delivery alone, and in a second
round both, beside readers who ask half as often as the daemon could answer. Servers and readers
share the machine with the daemon.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import anyio
import asyncpg
import msgspec
from anyio import to_thread

from bench.archive_bigquery import BATCH_ROWS, bare_rate, batches_of
from bench.bulk import create_in_bulk
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.targets import Verdict, at_least
from bench.tenants import Tenant
from bench.workplace import workplace
from engarde_daemon.adapters.bigquery.archive import Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from tests.support.bigquery_emulator import BigQueryEmulator, running_emulator
from tests.support.running import Daemon, cleared_away_after
from tests.support.zerodb_local import LocalServer, running_server

VERSIONS = 6_000
CLIENTS = 8
CALM_S = 4.0
OF_CAPACITY = 0.5
KEPT_PERCENT = OF_BARE_PERCENT = 80.0
LIMIT_S = 600.0
LOOK_S = 0.05
PAGE = "/api/content?page=1&pageSize=20"
CARRIERS = {"zerodb": "delivery", "bigquery": "replicator"}
_INDEXING = "select exists (select from engarde.outbox where destination = 'search')"
_WAITING = "select destination, count(*) as rows from engarde.outbox group by 1"

Say = Callable[[str], None]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Versions a second by where they were carried to, and what readers saw."""

    bare: float
    alone: dict[str, float]
    beside: dict[str, float]
    calm: LoadResult
    busy: LoadResult


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    versions = -(-(count or VERSIONS) // BATCH_ROWS) * BATCH_ROWS
    with workplace() as place:
        found = anyio.run(partial(_play, place.path, say, versions=versions))
    answered = found.busy.per_second / found.calm.per_second * 100
    readers = (
        f"{answered:.0f} %: {found.busy.per_second:,.0f} of {found.calm.per_second:,.0f}/s, "
        f"p99 {found.calm.p99_ms:.0f} then {found.busy.p99_ms:.0f} ms"
    )
    bare = found.alone["bigquery"] / found.bare * 100
    told = f"{bare:.0f} %: {found.alone['bigquery']:,.0f} of {found.bare:,.0f} rows/s"
    return [
        at_least(
            "percent of the bare client that replication reaches", bare, OF_BARE_PERCENT, told=told
        ),
        at_least("percent of the readers' rate that is left", answered, KEPT_PERCENT, told=readers),
        *(_kept(found, destination, carrier) for destination, carrier in CARRIERS.items()),
    ]


def _kept(found: Found, destination: str, carrier: str) -> Verdict:
    alone, beside = found.alone[destination], found.beside[destination]
    share = beside / alone * 100
    told = f"{share:.0f} %: {beside:,.0f} of {alone:,.0f} versions/s"
    return at_least(
        f"percent of the rate of {carrier} that is left", share, KEPT_PERCENT, told=told
    )


async def _play(folder: Path, say: Say, *, versions: int) -> Found:
    async with running_server() as zerodb, running_emulator() as emulator:
        place = emulator.place()
        environ = _environ(zerodb, emulator, place)
        async with cleared_away_after(Daemon(folder / "data", environ=environ)) as daemon:
            await daemon.start()
            link = await asyncpg.connect(daemon.dsn, timeout=10)
            try:
                carriage = Carriage(daemon, link, versions)
                return await _measure(carriage, say, bare=await _bare(emulator, versions))
            finally:
                link.terminate()


async def _measure(carriage: "Carriage", say: Say, *, bare: float) -> Found:
    say(f"the bare client: {bare:,.0f} rows/s; each alone ...")
    await carriage.load_up()
    alone = await carriage.carry("bigquery") | await carriage.carry("zerodb")
    say(f"{alone}; readers alone ...")
    able = await carriage.readers(seconds=CALM_S)
    rate = able.per_second * OF_CAPACITY
    calm = await carriage.readers(seconds=CALM_S, rate_per_s=rate)
    say(f"{calm.per_second:,.0f} pages a second; all of it at once ...")
    await carriage.load_up()
    busy: list[LoadResult] = []
    # As long as each alone took, one after the other: so long both are at work, or nearly.
    seconds = sum(carriage.versions / one for one in alone.values())

    async def read() -> None:
        busy.append(await carriage.readers(seconds=seconds, rate_per_s=rate))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        beside = await carriage.carry("bigquery", "zerodb")
    return Found(bare=bare, alone=alone, beside=beside, calm=calm, busy=busy[0])


def _environ(zerodb: LocalServer, emulator: BigQueryEmulator, place: Place) -> dict[str, str]:
    return {
        "ENGARDE_ZERODB__MODE": "local",
        "ENGARDE_ZERODB__BASE_URL": zerodb.base_url,
        "ENGARDE_ZERODB__PROJECT_ID": zerodb.new_project(),
        "ENGARDE_BIGQUERY__MODE": "bigquery",
        "ENGARDE_BIGQUERY__PROJECT": place.project,
        "ENGARDE_BIGQUERY__DATASET": place.dataset,
        "ENGARDE_BIGQUERY__ENDPOINT": emulator.endpoint,
        "ENGARDE_BIGQUERY__WRITE_ENDPOINT": place.write_endpoint,
        "ENGARDE_BIGQUERY__ANONYMOUS": "true",
    }


async def _bare(emulator: BigQueryEmulator, versions: int) -> float:
    """What Google's bare client reaches, into a dataset of its own; the second time counts."""
    place, batches = emulator.place(), batches_of(versions)
    async with opened(place, bounds=Bounds(timeout_s=120.0), pace=WritePace()) as archive:
        await archive.prepare()
    await bare_rate(place, batches)
    return await bare_rate(place, batches)


class Carriage:
    """A daemon whose carriers are held until they are told to go."""

    def __init__(self, daemon: Daemon, link: asyncpg.Connection, versions: int) -> None:
        self.versions = versions
        self._daemon = daemon
        self._link = link

    async def load_up(self) -> None:
        """Take content in that nobody carries on, and let it be indexed before anything is timed."""
        await self._steer("pause", CARRIERS.values())
        given = self._daemon.credentials
        tenant = Tenant(
            tenant_id=given.tenant_id,
            brand_id=given.brand_id,
            user_id=given.user_id,
            api_key=given.api_key,
        )
        await to_thread.run_sync(create_in_bulk, self._daemon.port, tenant, self.versions)
        with anyio.fail_after(LIMIT_S):
            while await self._link.fetchval(_INDEXING):
                await anyio.sleep(LOOK_S)

    async def carry(self, *destinations: str) -> dict[str, float]:
        """Let the carriers of these go, and answer the versions a second of each."""
        began = time.perf_counter()
        await self._steer("resume", [CARRIERS[one] for one in destinations])
        took_s: dict[str, float] = {}
        with anyio.fail_after(LIMIT_S):
            while len(took_s) < len(destinations):
                await anyio.sleep(LOOK_S)
                waiting = {row["destination"] for row in await self._link.fetch(_WAITING)}
                for one in destinations:
                    if one not in waiting:
                        took_s.setdefault(one, time.perf_counter() - began)
        return {one: self.versions / seconds for one, seconds in took_s.items()}

    async def readers(self, *, seconds: float, rate_per_s: float = 0.0) -> LoadResult:
        """Read pages for a while, at a rate or without pause."""
        order = LoadOrder(
            port=self._daemon.port,
            traffic=Traffic.FETCH,
            keys=[self._daemon.credentials.api_key],
            paths=[PAGE],
            connections=CLIENTS,
            seconds=seconds,
            warm_up_s=0.5,
            rate_per_s=rate_per_s,
        )
        return await to_thread.run_sync(run_load, order)

    async def _steer(self, how: str, actors: Iterable[str]) -> None:
        async with self._daemon.client(self._daemon.credentials.operator_key) as http:
            for actor in actors:
                answer = await http.post(f"/api/admin/actors/{actor}/{how}")
                answer.raise_for_status()
