"""`python -m bench carrying`: delivery and replication at once, while people go on reading.

A daemon with a real zerodb-local server and a BigQuery emulator takes content in while whoever
carries it on is paused. Then that is let go, once for nothing but to have rows for the bare client
that cost the emulator as much as the daemon's own: replication alone, delivery alone, and in a last
round both, beside readers who ask half as often as the daemon could answer: these are not to lose
more than a fifth, and what is carried gives way to them. The servers have processors of their own;
readers share theirs with the daemon.
"""

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import asyncpg
import msgspec

from bench.apart import processors_apart
from bench.archive_bigquery import BATCH_ROWS, bare_rate
from bench.carriage import CARRIERS, Carriage
from bench.load.order import LoadResult
from bench.targets import Verdict, at_least
from bench.workplace import workplace
from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.archive import Span
from tests.support.bigquery_emulator import BigQueryEmulator, running_emulator
from tests.support.running import Daemon, cleared_away_after
from tests.support.zerodb_local import LocalServer, running_server

VERSIONS = 20_000
CALM_S = 4.0
OF_CAPACITY = 0.5
KEPT_PERCENT = OF_BARE_PERCENT = 80.0
ALWAYS = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

Say = Callable[[str], None]


class Bare:
    """Google's bare client with rows that a daemon archived, into datasets of its own."""

    def __init__(self, emulator: BigQueryEmulator, daemon_place: Place) -> None:
        self._emulator = emulator
        self._daemon_place = daemon_place
        self._batches: list[Sequence[ContentSnapshot]] = []

    async def learn(self) -> None:
        """Read what the daemon archived."""
        async with _archive(self._daemon_place) as archive:
            rows = [row async for page in archive.scan(ALWAYS) for row in page]
        self._batches = [rows[at : at + BATCH_ROWS] for at in range(0, len(rows), BATCH_ROWS)]

    async def rate(self) -> float:
        """The rows a second that it reaches; the second time counts."""
        place = self._emulator.place()
        async with _archive(place) as archive:
            await archive.prepare()
        await bare_rate(place, self._batches)
        return await bare_rate(place, self._batches)


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
        f"p99 {found.calm.p99_ms:.0f} then {found.busy.p99_ms:.0f} ms; beside them {_beside(found)}"
    )
    bare = found.alone["bigquery"] / found.bare * 100
    told = f"{bare:.0f} %: {found.alone['bigquery']:,.0f} of {found.bare:,.0f} rows/s"
    return [
        at_least(
            "percent of the bare client that replication reaches", bare, OF_BARE_PERCENT, told=told
        ),
        at_least("percent of the readers' rate that is left", answered, KEPT_PERCENT, told=readers),
    ]


def _beside(found: Found) -> str:
    """What gave way to readers, by how much."""
    return ", ".join(
        f"{carrier} {found.beside[destination]:,.0f} of {found.alone[destination]:,.0f}/s"
        for destination, carrier in CARRIERS.items()
    )


async def _play(folder: Path, say: Say, *, versions: int) -> Found:
    with processors_apart() as leave_to_servers:
        async with running_server() as zerodb, running_emulator() as emulator:
            leave_to_servers()
            place = emulator.place()
            environ = _environ(zerodb, emulator, place)
            async with cleared_away_after(Daemon(folder / "data", environ=environ)) as daemon:
                await daemon.start()
                return await _watched(daemon, versions, say, bare=Bare(emulator, place))


async def _watched(daemon: Daemon, versions: int, say: Say, *, bare: Bare) -> Found:
    link = await asyncpg.connect(daemon.dsn, timeout=10)
    try:
        return await _measure(Carriage(daemon, link, versions), say, bare=bare)
    finally:
        link.terminate()


async def _measure(carriage: Carriage, say: Say, *, bare: Bare) -> Found:
    await carriage.load_up()
    await carriage.carry(*CARRIERS)
    await bare.learn()
    await carriage.load_up()
    # Before and after, since the speed of the machine changes within minutes.
    bare_rates = [await bare.rate()]
    alone = await carriage.carry("bigquery")
    bare_rates.append(await bare.rate())
    say(f"the bare client: {bare_rates} rows/s")
    alone |= await carriage.carry("zerodb")
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
    return Found(
        bare=statistics.mean(bare_rates), alone=alone, beside=beside, calm=calm, busy=busy[0]
    )


def _archive(place: Place) -> AbstractAsyncContextManager[BigQueryArchive]:
    return opened(place, bounds=Bounds(timeout_s=120.0), pace=WritePace())


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
