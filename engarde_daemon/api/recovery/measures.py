"""How the stores outside are treated, in numbers for Prometheus, read when someone looks."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde_daemon.domain.breaker import BreakerState
from engarde_daemon.domain.failover import ZeroDBState
from engarde_daemon.domain.vitals import Vitals


class StoreState(Collector):
    """Which state each store is in (1 for that, 0 for all others), and how often it came there."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        labels = ["store", "state"]
        breaker = GaugeMetricFamily("engarde_breaker_state", "Who may ask a store.", labels=labels)
        trust = GaugeMetricFamily("engarde_store_state", "How far it is trusted.", labels=labels)
        steps = CounterMetricFamily("engarde_store_steps", "Steps into a state.", labels=labels)
        for name, store in self._vitals().stores.items():
            for state in BreakerState:
                breaker.add_metric([name, state], float(store.breaker == state))
            for trusted in ZeroDBState:
                trust.add_metric([name, trusted], float(store.state == trusted))
            for reached, count in store.steps.items():
                steps.add_metric([name, reached], count)
        yield from (breaker, trust, steps)
