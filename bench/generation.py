"""`python -m bench generation`: a job of a thousand pieces with a model that answers in 200 ms.

Fifty calls at once are the bound: a thousand pieces cannot take less than four seconds. What the
daemon takes beyond that, and of the processor, is its own; and whoever reads meanwhile must not
notice much.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import anyio
import httpx
import msgspec

from bench.errors import BenchError
from bench.load.model import ANSWER_S
from bench.ports import free_port
from bench.provision import make_tenants
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import Verdict, at_least, at_most
from bench.workplace import workplace
from engarde_daemon.domain.access import Role

ITEMS = 1_000
AT_ONCE = 50
WARM_UP_ITEMS = 200
OF_BOUND_PERCENT = 90.0
CPU_MS = 2.0
TIMES_IDLE = 2.0
ASK_EVERY_S = 0.02
LOOK_EVERY_S = 0.5
"""Seldom: looking costs the daemon, too. How long a job took, its own times say."""
IDLE_S = 4.0
LIMIT_S = 300.0

_START_LIMIT_S = 10.0
_JOBS = "/api/content/generation-jobs"

Say = Callable[[str], None]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one job took."""

    seconds: float
    cpu_ms: float
    postgres_ms: float


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """A job alone, and one beside which somebody reads."""

    alone: Outcome
    beside: Outcome
    idle_p99_ms: float
    busy_p99_ms: float


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    items, port = count or ITEMS, free_port()
    with workplace() as place:
        place.running.enter_context(_model(port))
        address = {"ENGARDE_GENERATION__PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{port}/v1"}
        server = SYSTEMS["engarde"].server(place.path, environ=address)
        server.start()
        place.running.callback(server.stop)
        say(f"{items:,} pieces, {AT_ONCE} at once, {ANSWER_S * 1000:.0f} ms each ...")
        found = anyio.run(partial(_measure, server, items=items))
    return _judged(found, items)


def _judged(found: Findings, items: int) -> list[Verdict]:
    bound_s = items * ANSWER_S / AT_ONCE
    share = 100 * bound_s / found.alone.seconds
    told = f"{share:.0f} %: {found.alone.seconds:.2f} s of {bound_s:.2f} s"
    times = found.busy_p99_ms / found.idle_p99_ms
    p99 = f"{times:.1f} x: idle {found.idle_p99_ms:.1f} ms, busy {found.busy_p99_ms:.1f} ms"
    return [
        at_least("percent of the model's bound", share, OF_BOUND_PERCENT, told=told),
        at_most("CPU a piece", found.alone.cpu_ms, CPU_MS, unit="ms"),
        Verdict(
            promise=f"p99 of a read beside it ≤ {TIMES_IDLE:.0f} x idle",
            measured=p99,
            is_kept=times <= TIMES_IDLE,
        ),
        Verdict(
            promise="PostgreSQL's CPU a piece, for the record",
            measured=f"{found.alone.postgres_ms:.1f} ms",
            is_kept=True,
        ),
    ]


async def _measure(server: Server, *, items: int) -> Findings:
    (tenant,) = await make_tenants(server.data_dir, 1, Role.ADMIN)
    client: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{server.port}",
        "headers": {"X-API-Key": tenant.api_key},
        "timeout": 30,
        "trust_env": False,
    }
    with anyio.fail_after(LIMIT_S):
        async with httpx.AsyncClient(**client) as http:
            await http.put("/api/credentials/openai", json={"api_key": "sk-bench"})
            await _job(http, server, WARM_UP_ITEMS)
            alone = await _job(http, server, items)
            idle: list[float] = []
            with anyio.move_on_after(IDLE_S):
                await _ask_on(http, idle)
            busy: list[float] = []
            async with anyio.create_task_group() as asking:
                asking.start_soon(_ask_on, http, busy)
                beside = await _job(http, server, items)
                asking.cancel_scope.cancel()
    return Findings(
        alone=alone, beside=beside, idle_p99_ms=_p99_ms(idle), busy_p99_ms=_p99_ms(busy)
    )


async def _job(http: httpx.AsyncClient, server: Server, items: int) -> Outcome:
    await anyio.to_thread.run_sync(server.settle)
    before = server.cpu()
    wish = {
        "target_count": items,
        "generation_params": {"model": "gpt-5.4-mini", "prompt_template": "Write no. {number}"},
        "brand_adherence": {"level": "RELAXED"},
    }
    await http.post("/api/content/generate-batch", json=wish)
    while not (job := (await http.get(f"{_JOBS}?pageSize=1")).json()["data"][0])["completed_at"]:
        await anyio.sleep(LOOK_EVERY_S)
    if job["progress"] < items:
        raise BenchError(f"the job ended as {job['status']}: {job['error_message']}")
    await anyio.to_thread.run_sync(server.settle)
    spent = server.cpu() - before
    return Outcome(
        seconds=(_time(job["completed_at"]) - _time(job["created_at"])).total_seconds(),
        cpu_ms=spent.own_s * 1000 / items,
        postgres_ms=spent.postgres_s * 1000 / items,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _ask_on(http: httpx.AsyncClient, waits_ms: list[float]) -> None:
    """Read a page now and then, and note how long each took."""
    while True:
        began = time.perf_counter()
        (await http.get("/api/content?pageSize=20")).raise_for_status()
        waits_ms.append((time.perf_counter() - began) * 1000)
        await anyio.sleep(ASK_EVERY_S)


def _p99_ms(waits_ms: list[float]) -> float:
    return sorted(waits_ms)[int(len(waits_ms) * 0.99)]


@contextmanager
def _model(port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bench.load.model", str(port)])
    try:
        _wait_listening(port)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_listening(port: int) -> None:
    deadline = time.perf_counter() + _START_LIMIT_S
    while time.perf_counter() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=2, trust_env=False)
        except httpx.ConnectError:
            time.sleep(0.02)
        else:
            return
    raise BenchError("the model does not listen")
