"""`python -m bench soak`: a working day's mix of requests for half an hour, at a steady rate.

Requests are due at fixed times and count from when they were due, so that a daemon that stalls
cannot hide it. While they go on, memory, descriptors and backlog are looked at every few seconds;
afterwards the daemon must finish what it owes, verify its stores, and call itself in order.
"""

import argparse
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import asyncpg
import msgspec
from anyio import to_thread

from bench.errors import BenchError
from bench.filling import Say
from bench.keeping import RESULTS
from bench.machine import describe_machine
from bench.mixture import FIRST_ITEMS, Client, caller
from bench.provision import database_of, make_tenants
from bench.server import Server
from bench.steadiness import Sample, Soak, judge, keep
from bench.systems import SYSTEMS
from bench.targets import Verdict
from bench.tenants import Tenant
from bench.verifying import differences, faults
from bench.workplace import workplace
from engarde_daemon.domain.access import Role

LOOK_EVERY_S = 5.0
SAY_EVERY = 12
DRAIN_LIMIT_S = 300.0
_OWED = """
select count(*) as backlog, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as lag_s
from engarde.outbox
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("--minutes", type=float, default=30.0, help="(30)")
    parser.add_argument("--rate", type=float, default=150.0, help="requests a second (150)")
    parser.add_argument(
        "--warm-up-share",
        type=float,
        default=0.33,
        help="how much of the time passes before memory must stay flat (0.33)",
    )
    parser.add_argument("--into", type=Path, default=RESULTS, help="where to keep what was found")


def run(options: argparse.Namespace, say: Say) -> list[Verdict]:
    """Soak a daemon of its own."""
    soak = Soak(
        command=options.command,
        began_at=datetime.now(UTC),
        machine=describe_machine(),
        rate_per_s=options.rate,
        warm_up_share=options.warm_up_share,
    )
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        (tenant,) = anyio.run(make_tenants, server.data_dir, 1, Role.ADMIN)
        samples = anyio.run(partial(_play, server, tenant, say, options=options))
        soak = msgspec.structs.replace(
            soak,
            samples=samples,
            drained_after_s=anyio.run(_drain, server),
            differences=differences(server.data_dir),
            faults=faults(server.data_dir),
        )
    keep(soak, options.into)
    return judge(soak)


async def _play(
    server: Server, tenant: Tenant, say: Say, *, options: argparse.Namespace
) -> list[Sample]:
    async with caller(server.port, tenant) as http, database_of(server.data_dir) as link:
        client = Client(http)
        for _ in range(FIRST_ITEMS):
            await client.create()
        watch = Watch(server, link, client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(client.go_on, rate_per_s=options.rate))
            await watch.look_on(options.minutes * 60, say)
            tasks.cancel_scope.cancel()
    return watch.samples


class Watch:
    """Looks at the daemon every few seconds."""

    def __init__(self, server: Server, link: asyncpg.Connection, client: Client) -> None:
        self._server = server
        self._link = link
        self._client = client
        self.samples: list[Sample] = []

    async def look_on(self, seconds: float, say: Say) -> None:
        """Look until the time is over."""
        self._client.take_notes()
        began = looked = time.perf_counter()
        for number in range(1, max(1, int(seconds / LOOK_EVERY_S)) + 1):
            await anyio.sleep(max(0.0, began + number * LOOK_EVERY_S - time.perf_counter()))
            now = time.perf_counter()
            self.samples.append(await self._look(at_s=now - began, over_s=now - looked))
            looked = now
            if number % SAY_EVERY == 0:
                say(self.samples[-1].told())

    async def _look(self, *, at_s: float, over_s: float) -> Sample:
        waits_ms, failures = self._client.take_notes()
        memory = await to_thread.run_sync(self._server.memory)
        owed = await self._link.fetchrow(_OWED)
        if not waits_ms:
            raise BenchError(f"nobody was answered for {over_s:.0f} seconds")
        return Sample(
            at_s=at_s,
            per_second=len(waits_ms) / over_s,
            p50_ms=waits_ms[len(waits_ms) // 2],
            p99_ms=waits_ms[int(len(waits_ms) * 0.99)],
            own_mb=memory.own_mb,
            postgres_mb=memory.postgres_mb,
            descriptors=self._server.descriptors(),
            backlog=owed["backlog"],
            lag_s=owed["lag_s"],
            failures=failures,
        )


async def _drain(server: Server) -> float:
    """Wait until nothing is owed to any store, and answer how long that took."""
    began = time.perf_counter()
    async with database_of(server.data_dir) as link:
        with anyio.move_on_after(DRAIN_LIMIT_S):
            while (await link.fetchrow(_OWED))["backlog"]:
                await anyio.sleep(LOOK_EVERY_S / 10)
            return time.perf_counter() - began
    return float("inf")
