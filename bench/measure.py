"""One measurement: a load on one awake system, with what it cost that system."""

import os
import subprocess
import sys
import time

import msgspec
import psutil

from bench.cases import Case
from bench.errors import BenchError
from bench.load.order import LoadOrder, LoadResult
from bench.server import Server
from bench.usage import Cpu, Memory

_LOAD_LIMIT_S = 300.0


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one system did under one case.

    `cpu` is spent under the load, `cpu_after` while the work that the load left behind is done:
    a write is paid for when its delivery is. `foreign_cores` is what processes that are no part of
    the run took meanwhile: where it is not near 0, the machine was shared.
    """

    system: str
    case: str
    connections: int
    load: LoadResult
    cpu: Cpu
    cpu_after: Cpu
    settled_s: float
    memory: Memory
    foreign_cores: float

    @property
    def own_cpu_ms(self) -> float:
        """CPU time of the serving process per request, the work left behind included."""
        return self._per_request_ms(self.cpu.own_s + self.cpu_after.own_s)

    @property
    def own_cpu_after_ms(self) -> float:
        """The part of `own_cpu_ms` that was spent after the load had ended."""
        return self._per_request_ms(self.cpu_after.own_s)

    @property
    def postgres_cpu_ms(self) -> float:
        """CPU time of PostgreSQL per request, the work left behind included."""
        return self._per_request_ms(self.cpu.postgres_s + self.cpu_after.postgres_s)

    def _per_request_ms(self, seconds: float) -> float:
        return seconds * 1000 / max(self.load.requests_with_warm_up, 1)


def run_load(order: LoadOrder) -> LoadResult:
    """Run the generator in a process of its own.

    Raises:
        BenchError: The generator failed; the message is its own.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(order),
        capture_output=True,
        timeout=_LOAD_LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"the load generator failed: {done.stderr.decode()[-1000:]}")
    return msgspec.json.decode(done.stdout, type=LoadResult)


def measure(case: Case, order: LoadOrder, server: Server) -> Measurement:
    """Put one load on a server and count what it costs, until the server is quiet again."""
    with server.awake():
        before, clock = server.cpu(), _Clock()
        load = run_load(order)
        loaded, memory = server.cpu(), server.memory()
        foreign_cores = clock.foreign_cores((loaded - before).total_s)
        settled_s = server.settle()
        settled = server.cpu()
    return Measurement(
        system=server.name,
        case=case.name,
        connections=case.connections,
        load=load,
        cpu=loaded - before,
        cpu_after=settled - loaded,
        settled_s=settled_s,
        memory=memory,
        foreign_cores=foreign_cores,
    )


class _Clock:
    """Measures what the whole machine and the bench itself spend from now on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._machine_s, self._bench_s = _machine_s(), _bench_s()

    def foreign_cores(self, server_s: float) -> float:
        known_s = server_s + _bench_s() - self._bench_s
        foreign_s = _machine_s() - self._machine_s - known_s
        return max(0.0, foreign_s / (time.perf_counter() - self._began))


def _machine_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def _bench_s() -> float:
    """The bench and the load generators it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
