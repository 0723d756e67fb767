"""One run: starts the systems, measures them in turn, case by case, and ends them all.

For each case the systems are measured one right after the other, and the one that begins changes
from case to case, so that a machine that slows down or speeds up does so for all of them.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import anyio
import msgspec
import psutil

from bench.bigbrand import fill, read_brands
from bench.cases import (
    BIG_BRAND,
    FIRST_SPREAD_WRITER,
    SMALL_BRAND,
    TENANTS,
    Case,
    Target,
    matrix,
    order_for,
    seeding,
)
from bench.check import check_answers
from bench.errors import BenchError
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.machine import describe_machine
from bench.measure import Measurement, measure, run_load
from bench.options import Options
from bench.ports import free_port
from bench.results import BrandRead, Results, Start
from bench.server import Server
from bench.systems import SYSTEMS, System

Say = Callable[[str], None]


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A started system with its tenants and the items to read."""

    server: Server
    target: Target
    start: Start


class Workplace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run keeps its files, and what must be ended before they go."""

    path: Path
    running: contextlib.ExitStack


def run(options: Options, say: Say) -> Results:
    """Do the whole run; `say` is told how it goes."""
    began_at, began = datetime.now(UTC), time.perf_counter()
    machine = describe_machine()
    generator = [_measure_generator(traffic) for traffic in (Traffic.CREATE, Traffic.FETCH)]
    with _workplace() as workplace:
        contenders = []
        for name in options.systems:
            say(f"starting {name} ...")
            contenders.append(_bring_up(SYSTEMS[name], options, workplace))
        measurements = list(_measure_all(contenders, options, say))
        brand_reads = _read_brands(contenders, say) if "big-brand" in options.cases else []
    return Results(
        command=options.command,
        began_at=began_at,
        took_s=time.perf_counter() - began,
        machine=machine,
        generator=generator,
        measurements=measurements,
        starts=[contender.start for contender in contenders] if "start" in options.cases else [],
        brand_reads=brand_reads,
    )


def _bring_up(system: System, options: Options, workplace: Workplace) -> Contender:
    tenants_wanted = TENANTS if "create-spread" in options.cases else FIRST_SPREAD_WRITER
    server = system.server(workplace.path, tenants_wanted)
    cold_s = server.start()
    workplace.running.callback(server.stop)
    tenants = system.provision(server.data_dir, tenants_wanted)
    server.stop()
    warm_s = server.start()
    server.settle()
    start = Start(system=system.name, cold_s=cold_s, warm_s=warm_s, idle=server.memory())
    target = _seed(system.name, Target(port=server.port, tenants=tenants))
    check_answers(system.name, target)
    _burn_in(target, options)
    server.settle()
    server.freeze()
    return Contender(server=server, target=target, start=start)


def _seed(name: str, target: Target) -> Target:
    stored = run_load(seeding(target))
    if stored.errors:
        raise BenchError(f"{name} does not store the items to read: {stored.errors}")
    return msgspec.structs.replace(target, ids=stored.ids)


def _burn_in(target: Target, options: Options) -> None:
    """A young PostgreSQL makes its log files as it goes; the first case must not pay for all."""
    case = Case(name="create", connections=64)
    run_load(order_for(case, target, seconds=options.seconds, warm_up_s=0.0, load=1))


def _measure_all(contenders: list[Contender], options: Options, say: Say) -> Iterator[Measurement]:
    loads = count(2)
    for turn, case in enumerate(matrix(options.cases, options.connections)):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            if not case.suits(contender.server.name):
                continue
            order = order_for(
                case,
                contender.target,
                seconds=options.seconds,
                warm_up_s=options.warm_up_s,
                load=next(loads),
            )
            found = measure(case, order, contender.server)
            say(f"{case.name} {case.connections} {found.system} {found.load.per_second:,.0f}/s")
            yield found


def _read_brands(contenders: list[Contender], say: Say) -> list[BrandRead]:
    """Only the daemon is asked: the promise compares it with itself."""
    for contender in contenders:
        if contender.server.name == "engarde":
            tenants = contender.target.tenants
            with contender.server.awake() as server:
                say("filling the big brand ...")
                big, small = tenants[BIG_BRAND], tenants[SMALL_BRAND]
                anyio.run(partial(fill, server.data_dir, big=big, small=small))
                server.settle()
                return read_brands(contender.target, seconds=1.0)
    return []


def _measure_generator(traffic: Traffic) -> LoadResult:
    """What the generator reaches against a server that does nothing."""
    port = free_port()
    responder = subprocess.Popen([sys.executable, "-m", "bench.load.responder", str(port)])
    try:
        _wait_listening(responder.pid, port)
        return run_load(
            LoadOrder(
                port=port,
                traffic=traffic,
                keys=["key"],
                paths=["/"],
                connections=64,
                seconds=1.0,
                warm_up_s=0.3,
            )
        )
    finally:
        responder.kill()
        responder.wait()


def _wait_listening(pid: int, port: int) -> None:
    deadline = time.perf_counter() + 10
    while time.perf_counter() < deadline:
        listening = psutil.Process(pid).net_connections(kind="tcp4")
        if any(one.laddr.port == port for one in listening):
            return
        time.sleep(0.02)
    raise BenchError("the empty responder does not listen")


@contextlib.contextmanager
def _workplace() -> Iterator[Workplace]:
    """A directory for every file of the run; nothing that works in it survives it."""
    signal.signal(signal.SIGTERM, _exit_on_signal)
    with tempfile.TemporaryDirectory(prefix="engarde-bench-") as name:
        path = Path(name).resolve()
        path.chmod(0o711)  # PostgreSQL runs as another user when the bench runs as root
        running = contextlib.ExitStack()
        try:
            yield Workplace(path=path, running=running)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient Ctrl-C would leave servers
            running.close()
            _end_leftovers(path)


def _exit_on_signal(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _end_leftovers(work_dir: Path) -> None:
    """End processes that lost their parent, such as the PostgreSQL of a daemon that crashed."""
    left = [
        process
        for process in psutil.process_iter()
        if any(str(work_dir) in argument for argument in _arguments(process))
    ]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
