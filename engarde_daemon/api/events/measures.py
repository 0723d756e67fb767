"""How telling goes, in numbers for Prometheus, read when someone looks."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde_daemon.domain.vitals import NewsVitals

_STATES = (
    ("engarde_event_listeners", "Listeners of this daemon.", "listeners"),
    ("engarde_webhook_deliveries_waiting", "Deliveries that are not done.", "deliveries_waiting"),
    ("engarde_webhook_oldest_age_seconds", "Age of the oldest of them.", "oldest_delivery_age_s"),
    ("engarde_webhooks_failing", "Webhooks that did not answer last time.", "webhooks_failing"),
    ("engarde_webhooks_disabled", "Webhooks that are switched off.", "webhooks_disabled"),
    ("engarde_webhooks_locked", "Webhooks whose key is not here.", "webhooks_locked"),
)


class NewsState(Collector):
    """Gauges and counters of listeners and webhooks; no label names a tenant."""

    def __init__(self, news: Callable[[], NewsVitals]) -> None:
        self._news = news

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        news = self._news()
        for name, text, field in _STATES:
            yield GaugeMetricFamily(name, text, value=float(getattr(news, field)))
        yield CounterMetricFamily(
            "engarde_event_listeners_cut_off",
            "Listeners that stopped reading.",
            value=news.listeners_cut_off,
        )
        attempts = CounterMetricFamily(
            "engarde_webhook_attempts", "Calls to webhooks.", labels=["outcome"]
        )
        for outcome, count in news.attempts.items():
            attempts.add_metric([outcome], count)
        yield attempts
