"""One or several daemons on the same stores, and the loads that are put on all of them at once."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import anyio
import msgspec

from bench.curves import Point, Step
from bench.errors import BenchError
from bench.filling import tidy
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.ports import free_port
from bench.server import Server
from bench.systems import SYSTEMS
from bench.tenants import Tenant
from bench.workplace import Workplace
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.config.stores import Storage

SERIALS_PER_LOAD = 10**9
WARM_UP_S = 1.0
# Four daemons share the fifty connections of one embedded PostgreSQL.
FEW_CONNECTIONS = {
    "ENGARDE_POSTGRES__READER_CONNECTIONS": "4",
    "ENGARDE_POSTGRES__WRITER_CONNECTIONS": "4",
}


class Site:
    """Daemons under measurement, and the loads that are put on them."""

    def __init__(self, place: Workplace, *, connections: int, seconds: float) -> None:
        self._place = place
        self._connections = connections
        self._seconds = seconds
        self._loads = count(1)
        self._servers: list[Server] = []

    @property
    def data_dir(self) -> Path:
        """The stores of all of them."""
        return self._servers[0].data_dir

    def start(self, environ: dict[str, str] | None = None) -> None:
        """Start the first daemon, on stores of its own."""
        self._add(SYSTEMS["engarde"].server(self._place.path, environ=environ))

    def start_another(self) -> None:
        """Start one more, on the stores of the first."""
        port, root = free_port(), Storage(data_dir=str(self.data_dir)).postgres_root
        command = [*SYSTEMS["engarde"].command, "--data-dir", str(self.data_dir)]
        environ = {**FEW_CONNECTIONS, "ENGARDE_POSTGRES__DSN": EmbeddedPostgres(root).dsn()}
        name = f"engarde-{len(self._servers) + 1}"
        self._add(
            Server(
                name,
                [*command, "--port", str(port)],
                data_dir=self.data_dir,
                port=port,
                environ=environ,
            )
        )

    def _add(self, server: Server) -> None:
        server.start()
        self._place.running.callback(server.stop)
        self._servers.append(server)

    def grown(self, at: int, began: float, loads: dict[str, LoadOrder]) -> Step:
        """Measure everything at one size, which has been growing since `began`."""
        disk_bytes = anyio.run(tidy, self.data_dir)
        grown_s = time.perf_counter() - began
        points = [self._point(case, order) for case, order in loads.items()]
        return Step(at=at, grown_s=grown_s, disk_bytes=disk_bytes, points=points)

    def _point(self, case: str, order: LoadOrder) -> Point:
        for server in self._servers:
            server.settle()
        seen = run_load(order)
        return Point(
            case=case,
            per_second=seen.per_second,
            p50_ms=seen.p50_ms,
            p99_ms=seen.p99_ms,
            failed=sum(seen.errors.values()),
        )

    def fetching(self, callers: Sequence[Tenant], paths: Sequence[str]) -> LoadOrder:
        """The load of all callers who ask for these paths in turn."""
        return self._order(Traffic.FETCH, callers, paths=list(paths), in_turn=len(callers) > 1)

    def creating(self, callers: Sequence[Tenant]) -> LoadOrder:
        """The load of all callers who write in turn."""
        return self._order(Traffic.CREATE, callers, in_turn=True)

    def _order(self, traffic: Traffic, callers: Sequence[Tenant], **more: object) -> LoadOrder:
        order = LoadOrder(
            port=self._servers[0].port,
            other_ports=[server.port for server in self._servers[1:]],
            traffic=traffic,
            keys=[caller.api_key for caller in callers],
            connections=self._connections,
            seconds=self._seconds,
            warm_up_s=WARM_UP_S,
            first_serial=next(self._loads) * SERIALS_PER_LOAD,
        )
        return msgspec.structs.replace(order, **more)

    def store(self, callers: Sequence[Tenant], items: int) -> LoadResult:
        """Write so many items through the API, the callers in turn, and answer with their ids.

        Raises:
            BenchError: The daemon refuses one.
        """
        connections = min(self._connections, items)
        order = msgspec.structs.replace(
            self.creating(callers),
            connections=connections,
            requests_each=-(-items // connections),
            collects_ids=True,
        )
        stored = run_load(order)
        if stored.errors:
            raise BenchError(f"the daemon does not store the items to read: {stored.errors}")
        return stored
