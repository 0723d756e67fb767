"""What is known at one moment, and the small words that all sentences share."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from engarde_daemon.core.health import HealthReport
from engarde_daemon.domain.breaker import BreakerState
from engarde_daemon.domain.failover import ZeroDBState
from engarde_daemon.domain.vitals import NewsVitals, StoreVitals, Vitals, Waiting
from engarde_daemon.protocol import DaemonView

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_NOTHING = Waiting(0, 0.0)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon knows of itself, its stores and its neighbours.

    `archive_name` is what the archive is called in a sentence.

    `versions` counts all there are, as of the last look at PostgreSQL that succeeded.
    """

    now: datetime
    vitals: Vitals
    news: NewsVitals
    versions: int
    actors: HealthReport
    others: Sequence[DaemonView] = ()
    postgres_latency_s: float | None = None
    archive_name: str = "the archive"

    @property
    def zerodb(self) -> StoreVitals | None:
        """How ZeroDB is treated; None before it was first looked at."""
        return self.vitals.stores.get("zerodb")

    @property
    def archive_store(self) -> StoreVitals | None:
        """How the archive is treated; None before it was first looked at."""
        return self.vitals.stores.get("archive")

    @property
    def zerodb_serves(self) -> bool:
        """Whether bodies can be read from ZeroDB."""
        store = self.zerodb
        return store is None or store.state in (ZeroDBState.HEALTHY, ZeroDBState.RECOVERING)

    @property
    def archive_serves(self) -> bool:
        """Whether the archive can stand in for ZeroDB."""
        store = self.archive_store
        return store is None or store.breaker == BreakerState.CLOSED

    def waiting(self, destination: str) -> Waiting:
        """What waits for a destination."""
        return self.vitals.waiting.get(destination, _NOTHING)

    def since(self, name: str) -> datetime:
        """When the present state of a store began."""
        return self.vitals.since.get(name, self.now)

    def ago(self, age_s: float) -> datetime:
        """The moment that is so long ago."""
        return self.now - timedelta(seconds=age_s)


def counted(number: int, noun: str) -> str:
    """A number with its noun, `1 version` and `12,345 versions`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def amount(size_bytes: float) -> str:
    """A size in the unit that one reads most easily."""
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:
        size_bytes, unit = size_bytes / 1024, unit + 1
    return f"{size_bytes:.{1 if unit else 0}f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """A stretch of time in its largest unit, rounded down."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds)} s"


def sentence(text: str) -> str:
    """A cause from anywhere as a sentence of its own, without what it advises a caller to do."""
    told = text.strip().removesuffix("Please try again.").rstrip(" .")
    return f"{told[:1].upper()}{told[1:]}." if told else ""
