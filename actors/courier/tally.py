"""How the courier's work goes, for metrics."""

from collections import Counter
from collections.abc import Mapping

from engarde_daemon.ports.webhooks import DeliveryState, WebhookBacklog

_NAMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "to be retried",
    DeliveryState.FAILED: "given up",
}


class Tally:
    """Outlives the courier, whose restarts must not turn counters back."""

    def __init__(self) -> None:
        self.backlog = WebhookBacklog()
        self._attempts: Counter[str] = Counter()

    @property
    def attempts(self) -> Mapping[str, int]:
        """How often a delivery ended in which way."""
        return self._attempts

    def note(self, state: DeliveryState, *, in_time: bool) -> None:
        """Count one attempt; one whose lease had run out will be made again."""
        self._attempts[_NAMES[state] if in_time else "too late"] += 1
