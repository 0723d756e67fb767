"""How the daemon itself is, in numbers for Prometheus: its loop, its actors, its connections.

Utilisation, saturation and errors of whatever has a bound (the USE method): an actor has a mailbox,
a pool has connections, the event loop has one thread.

https://www.brendangregg.com/usemethod.html
"""

from collections.abc import Callable, Iterator

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde_daemon.core import HealthReport
from engarde_daemon.domain.vitals import PoolVitals, Vitals

_ACTOR_GAUGES: tuple[tuple[str, str, Callable[[HealthReport], float]], ...] = (
    ("engarde_mailbox_capacity", "Messages that may queue.", lambda actor: actor.capacity),
    ("engarde_mailbox_waiting", "Senders waiting for room.", lambda actor: actor.waiting),
    (
        "engarde_mailbox_oldest_age_seconds",
        "Age of the oldest message.",
        lambda actor: actor.oldest_message_age_s,
    ),
    ("engarde_actor_busy_seconds", "Time spent on the present batch.", lambda actor: actor.busy_s),
    (
        "engarde_actor_heartbeat_age_seconds",
        "Time since the last sign of life; 0 at rest.",
        lambda actor: actor.heartbeat_age_s,
    ),
)
_ACTOR_COUNTERS: tuple[tuple[str, str, Callable[[HealthReport], int]], ...] = (
    ("engarde_actor_messages", "Messages worked off.", lambda actor: actor.processed),
    ("engarde_actor_batches", "Batches they came in.", lambda actor: actor.turns),
    ("engarde_actor_expired", "Requests nobody waited for any more.", lambda actor: actor.expired),
)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What shows how the process is, each read when someone looks."""

    health: Callable[[], HealthReport]
    vitals: Callable[[], Vitals]
    pools: Callable[[], tuple[PoolVitals, ...]]
    loop_lag_s: Callable[[], float]
    version: str


class ProcessState(Collector):
    """Gauges and counters of one daemon; no label names a tenant."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        condition = self._condition
        build = GaugeMetricFamily("engarde_build_info", "Always 1.", labels=["version"])
        build.add_metric([condition.version], 1.0)
        yield build
        yield from _promises(condition.vitals())
        yield GaugeMetricFamily(
            "engarde_event_loop_lag_seconds",
            "The longest of the last 30 s by which the loop came late.",
            value=condition.loop_lag_s(),
        )
        yield from _pools(condition.pools())
        yield from _actors(condition.health())


def _promises(vitals: Vitals) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "engarde_ready", "Whether a write can be promised.", value=float(vitals.unready is None)
    )
    yield GaugeMetricFamily(
        "engarde_staging_limit_bytes",
        "Beyond it writes are refused.",
        value=float(vitals.staging_limit_bytes),
    )
    yield GaugeMetricFamily(
        "engarde_archive_lease_epoch",
        "How often the right to write to the archive changed hands, as this daemon last had it.",
        value=float(vitals.archive.epoch),
    )


def _pools(pools: tuple[PoolVitals, ...]) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        "engarde_pool_connections", "Connections to PostgreSQL.", labels=["pool", "state"]
    )
    most = GaugeMetricFamily(
        "engarde_pool_connections_max", "How many there may be.", labels=["pool"]
    )
    for pool in pools:
        used.add_metric([pool.name, "busy"], pool.busy)
        used.add_metric([pool.name, "idle"], pool.idle)
        most.add_metric([pool.name], pool.most)
    yield from (used, most)


def _actors(health: HealthReport) -> Iterator[Metric]:
    actors = [report for report in health.walk() if report.capacity]
    for name, text, gauge_of in _ACTOR_GAUGES:
        gauge = GaugeMetricFamily(name, text, labels=["actor"])
        for actor in actors:
            gauge.add_metric([actor.path], float(gauge_of(actor)))
        yield gauge
    for name, text, count_of in _ACTOR_COUNTERS:
        counter = CounterMetricFamily(name, text, labels=["actor"])
        for actor in actors:
            counter.add_metric([actor.path], float(count_of(actor)))
        yield counter
