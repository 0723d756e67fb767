"""The load generator's own ceiling, so that a reader sees that it is not what was measured."""

import subprocess
import sys
import time

import psutil

from bench.errors import BenchError
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.ports import free_port

CLIENTS = 64
_START_LIMIT_S = 10.0


def measure_generator() -> list[LoadResult]:
    """Load a server that does nothing, with writes and with reads.

    Raises:
        BenchError: The empty server does not start.
    """
    port = free_port()
    responder = subprocess.Popen([sys.executable, "-m", "bench.load.responder", str(port)])
    try:
        _wait_listening(responder.pid, port)
        return [run_load(_order(port, traffic)) for traffic in (Traffic.CREATE, Traffic.FETCH)]
    finally:
        responder.kill()
        responder.wait()


def _order(port: int, traffic: Traffic) -> LoadOrder:
    return LoadOrder(
        port=port,
        traffic=traffic,
        keys=["key"],
        paths=["/"],
        connections=CLIENTS,
        seconds=1.0,
        warm_up_s=0.3,
    )


def _wait_listening(pid: int, port: int) -> None:
    deadline = time.perf_counter() + _START_LIMIT_S
    while time.perf_counter() < deadline:
        listening = psutil.Process(pid).net_connections(kind="tcp4")
        if any(one.laddr.port == port for one in listening):
            return
        time.sleep(0.02)
    raise BenchError("the empty responder does not listen")
