"""Numbers for Prometheus: rates, errors and durations of routes, and the state of the daemon.

Owns the names of the metrics. No label ever holds a tenant or anything a caller chose.
"""

from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde_daemon.api.traffic import Traffic
from engarde_daemon.core import HealthReport
from engarde_daemon.domain.vitals import ArchiveVitals, Vitals

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Measures:
    """What happened and how things stand, ready to be scraped."""

    def __init__(
        self,
        traffic: Traffic,
        health: Callable[[], HealthReport],
        vitals: Callable[[], Vitals],
        *others: Collector,
    ) -> None:
        self._traffic = traffic
        self._registry = CollectorRegistry()
        for collector in (_State(health, vitals), *others):
            self._registry.register(collector)
        self._requests = Counter(
            "engarde_http_requests", "Requests answered.", ["method", "route", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._durations = Histogram(
            "engarde_http_request_duration_seconds", "Time to answer.", ["method", "route"],
            buckets=_BUCKETS_S, registry=self._registry,
        )  # fmt: skip
        self._in_flight = Gauge(
            "engarde_http_requests_in_flight", "Requests being answered.", registry=self._registry
        )
        self._replays = Counter(
            "engarde_idempotent_replays", "Creations that were repeated and not done again.",
            registry=self._registry,
        )  # fmt: skip
        ProcessCollector(registry=self._registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def began(self) -> None:
        """Count one request that came."""
        self._in_flight.inc()

    def replayed(self) -> None:
        """Count one creation that had been done before."""
        self._replays.inc()

    def request(self, method: str, route: str, *, status: int, took_s: float) -> None:
        """Count one answered request."""
        self._in_flight.dec()
        children = self._children.get((method, route, status))
        if children is None:
            children = (
                self._requests.labels(method, route, str(status)),
                self._durations.labels(method, route),
            )
            self._children[method, route, status] = children
        self._traffic.note(method, route, status)
        children[0].inc()
        children[1].observe(took_s)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _State(Collector):
    """Gauges that are read when someone looks."""

    def __init__(self, health: Callable[[], HealthReport], vitals: Callable[[], Vitals]) -> None:
        self._health = health
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        vitals = self._vitals()
        yield _gauge("engarde_staged_bytes", "Bytes that wait in PostgreSQL.", vitals.staged_bytes)
        yield _gauge(
            "engarde_reservations_pending", "Promises of room.", vitals.pending_reservations
        )
        yield _gauge(
            "engarde_quota_drift", "Figures on which the ledger is wrong.", vitals.drifting_figures
        )
        yield _gauge("engarde_postgres_up", "Whether PostgreSQL answers.", vitals.postgres is None)
        yield from _archive(vitals.archive)
        yield from self._outbox(vitals)
        yield from self._actors()

    def _outbox(self, vitals: Vitals) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "engarde_outbox_rows", "Versions that wait.", labels=["destination"]
        )
        age = GaugeMetricFamily(
            "engarde_outbox_oldest_age_seconds", "Age of the oldest.", labels=["destination"]
        )
        for destination, waiting in vitals.waiting.items():
            rows.add_metric([destination], waiting.rows)
            age.add_metric([destination], waiting.oldest_age_s)
        yield from (rows, age)

    def _actors(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("engarde_mailbox_depth", "Messages queued.", labels=["actor"])
        restarts = GaugeMetricFamily("engarde_actor_restarts", "Restarts so far.", labels=["actor"])
        for actor in self._health().walk():
            depth.add_metric([actor.path], actor.depth)
            restarts.add_metric([actor.path], actor.restarts)
        yield from (depth, restarts)


def _archive(archive: ArchiveVitals) -> Iterator[Metric]:
    yield _gauge("engarde_archive_up", "Whether the archive takes rows.", archive.trouble is None)
    yield _gauge("engarde_archive_parked_rows", "Rows that were refused.", archive.parked)
    yield _gauge("engarde_archive_backfill_rows", "Old versions to be sent.", archive.backfill)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))
