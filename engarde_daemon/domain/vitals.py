"""How the daemon is, as far as its promises depend on it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """What waits for one destination."""

    rows: int
    oldest_age_s: float


class NewsVitals(msgspec.Struct, frozen=True, kw_only=True):
    """How telling goes: who listens here, and what waits for webhooks anywhere."""

    listeners: int
    listeners_cut_off: int
    deliveries_waiting: int
    oldest_delivery_age_s: float
    webhooks_failing: int
    webhooks_disabled: int
    webhooks_locked: int
    attempts: Mapping[str, int]


class StoreVitals(msgspec.Struct, frozen=True, kw_only=True):
    """How a store outside is treated, since when, and why; `steps` counts the ways into states.

    `failures` are those in a row up to now, and `failure` is what the last of them met. `latency_s`
    is what the last call took that did not fail.
    """

    state: str
    breaker: str
    lasts_s: float
    reason: str
    steps: Mapping[str, int]
    failures: int = 0
    failure: str = ""
    latency_s: float | None = None


class ArchiveVitals(msgspec.Struct, frozen=True, kw_only=True):
    """How replication goes; `trouble` is None as long as the archive takes what it is given."""

    trouble: str | None = None
    parked: int = 0
    backfill: int = 0


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the stores; `postgres` is None as long as it answers, else why it does not.

    `since` says when the state of each store was last seen to change.
    """

    postgres: str | None = "not asked yet"
    since: Mapping[str, datetime] = MappingProxyType({})
    staged_bytes: int = 0
    staging_limit_bytes: int = 0
    waiting: Mapping[str, Waiting] = MappingProxyType({})
    pending_reservations: int = 0
    archive: ArchiveVitals = ArchiveVitals()
    drifting_figures: int = 0
    stores: Mapping[str, StoreVitals] = MappingProxyType({})

    @property
    def has_room(self) -> bool:
        """Whether there is room to stage more bodies."""
        return self.staged_bytes < self.staging_limit_bytes

    @property
    def unready(self) -> str | None:
        """Why a write cannot be promised, or None when it can."""
        if self.postgres is not None:
            return self.postgres
        if not self.has_room:
            return (
                "the staging limit is reached: bodies wait for ZeroDB ([delivery] in engarde.toml)"
            )
        return None
