"""`python -m bench outage`: ZeroDB takes everything and answers nothing, while people go on writing.

The same load runs twice, before the outage and in it, at a fixed rate: what an outage leaves behind
is then the same on every machine, and drains through a fake of limited speed in reasonable time.
ZeroDB is the strict fake of the hosted one, in this process; what its part of the machine costs is
in the figures of the calm.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import msgspec
from anyio import to_thread

from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.targets import Verdict, at_most
from bench.verifying import differences
from bench.workplace import workplace
from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from engarde_daemon.testing.zerodb_faults import Fault
from tests.support.running import Daemon, cleared_away_after

OUTAGE_S = 20
WARM_UP_S = 5.0
CLIENTS = 8
WRITES_PER_S = 100.0
PAGES_PER_S = 100.0
BODY_BYTES = 1024
TIMES_NORMAL = 2.0
OPEN_WITHIN_S = 10.0
DRAINED_WITHIN_S = 300.0
LOOK_S = 0.05
FOR_EVER = 10**9
PAGE = "/api/content?page=1&pageSize=20"

_WAITING = "select exists (select from engarde.outbox where destination = 'zerodb')"

Say = Callable[[str], None]


class Seen(msgspec.Struct):
    """What a run showed."""

    writes: list[LoadResult] = []
    pages: list[LoadResult] = []
    left_alone_after_s: float = float("inf")
    drained_after_s: float = float("inf")
    differences: int = -1


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it; `count` is the seconds of the outage."""
    with workplace() as place:
        seen = anyio.run(partial(_play, place.path, say, seconds=float(count or OUTAGE_S)))
    calm, away = seen.writes
    return [
        _no_slower("writes", calm, away),
        _no_slower("list pages", *seen.pages),
        at_most("ZeroDB is left alone", seen.left_alone_after_s, OPEN_WITHIN_S, unit="s"),
        at_most("the backlog is gone", seen.drained_after_s, DRAINED_WITHIN_S, unit="s"),
        at_most("differences that verify finds", seen.differences, 0, unit="rows"),
    ]


def _no_slower(what: str, calm: LoadResult, away: LoadResult) -> Verdict:
    times = away.p99_ms / calm.p99_ms
    failed = f", failed: {away.errors}" if away.errors else ""
    return Verdict(
        promise=f"p99 of {what} in the outage ≤ {TIMES_NORMAL:.0f} x normal",
        measured=f"{times:.2f} x; {calm.p99_ms:.1f} then {away.p99_ms:.1f} ms, "
        f"{calm.per_second:,.0f} then {away.per_second:,.0f}/s{failed}",
        is_kept=times <= TIMES_NORMAL and not away.errors,
    )


async def _play(folder: Path, say: Say, *, seconds: float) -> Seen:
    seen = Seen()
    async with ZeroDBCloud() as cloud:
        environ = {
            "ENGARDE_ZERODB__MODE": "cloud",
            "ENGARDE_ZERODB__BASE_URL": cloud.base_url,
            "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
            "ENGARDE_ZERODB__API_KEY": cloud.api_key,
        }
        async with cleared_away_after(Daemon(folder / "data", environ=environ)) as daemon:
            await daemon.start()
            say("warming up ...")
            await _load(daemon, Seen(), seconds=WARM_UP_S)
            say("calm ...")
            await _load(daemon, seen, seconds=seconds)
            say("ZeroDB is a black hole ...")
            cloud.faults.add(Fault.BLACK_HOLE, count=FOR_EVER)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_watch, daemon, seen)
                await _load(daemon, seen, seconds=seconds)
            cloud.faults.clear()
            say("ZeroDB is back; the backlog drains ...")
            seen.drained_after_s = await _drained(daemon)
            seen.differences = await to_thread.run_sync(
                differences, daemon.data_dir, daemon.environ
            )
    return seen


async def _load(daemon: Daemon, seen: Seen, *, seconds: float) -> None:
    """Write and list, one after the other, so that neither is the other's load."""
    shared: dict[str, Any] = {
        "port": daemon.port,
        "keys": [daemon.credentials.api_key],
        "connections": CLIENTS,
        "warm_up_s": 1.0,
    }
    write = LoadOrder(
        traffic=Traffic.CREATE,
        seconds=seconds,
        rate_per_s=WRITES_PER_S,
        body_bytes=BODY_BYTES,
        **shared,
    )
    page = LoadOrder(
        traffic=Traffic.FETCH,
        seconds=seconds / 2,
        rate_per_s=PAGES_PER_S,
        paths=[PAGE],
        **shared,
    )
    seen.writes.append(await to_thread.run_sync(run_load, write))
    seen.pages.append(await to_thread.run_sync(run_load, page))


async def _watch(daemon: Daemon, seen: Seen) -> None:
    async with daemon.client(daemon.credentials.operator_key) as http:

        async def is_left_alone() -> bool:
            shown = (await http.get("/api/admin/recovery")).json()
            return bool(shown["stores"]["zerodb"]["state"] != "healthy")

        seen.left_alone_after_s = await _until(is_left_alone)


async def _drained(daemon: Daemon) -> float:
    link = await asyncpg.connect(daemon.dsn, timeout=10)
    try:

        async def nothing_waits() -> bool:
            return not await link.fetchval(_WAITING)

        return await _until(nothing_waits)
    finally:
        link.terminate()


async def _until(is_so: Callable[[], Awaitable[bool]]) -> float:
    """How long it takes until something is so; infinity where it takes too long."""
    began = time.perf_counter()
    with anyio.move_on_after(DRAINED_WITHIN_S):
        while not await is_so():
            await anyio.sleep(LOOK_S)
        return time.perf_counter() - began
    return float("inf")
