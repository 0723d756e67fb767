"""Scenes in which one thing is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from engarde_daemon.core.health import Health, HealthReport
from engarde_daemon.domain.safety import Scene
from engarde_daemon.domain.vitals import ArchiveVitals, NewsVitals, StoreVitals, Vitals, Waiting
from engarde_daemon.protocol import DaemonState, DaemonView

NOW = datetime(2027, 5, 1, 12, 0, tzinfo=UTC)
GB = 1024**3
WELL = StoreVitals(state="healthy", breaker="closed", lasts_s=9.0, reason="", steps={})
NEWS = NewsVitals(
    listeners=0,
    listeners_cut_off=0,
    deliveries_waiting=0,
    oldest_delivery_age_s=0.0,
    webhooks_failing=0,
    webhooks_disabled=0,
    webhooks_locked=0,
    attempts={},
)
VITALS = Vitals(postgres=None, staging_limit_bytes=2 * GB, stores={"zerodb": WELL, "archive": WELL})


def report(path: str = "root", status: Health = Health.RUNNING, **more: Any) -> HealthReport:
    """How an actor is."""
    said = {"restarts": 0, "last_error": None, "heartbeat_age_s": 0.0, **more}
    return HealthReport(path=path, status=status, **said)


def scene(**more: Any) -> Scene:
    """A scene in which all is well, but for what is named; vitals are given by their fields."""
    fields = Vitals.__struct_fields__
    vitals = {name: more.pop(name) for name in list(more) if name in fields}
    known = {"now": NOW, "news": NEWS, "versions": 12_345, "actors": report(), **more}
    return Scene(vitals=msgspec.structs.replace(VITALS, **vitals), **known)


def zerodb(**ill: Any) -> dict[str, StoreVitals]:
    """Stores of which ZeroDB is ill."""
    return {"zerodb": msgspec.structs.replace(WELL, **ill), "archive": WELL}


def archive(**ill: Any) -> dict[str, StoreVitals]:
    """Stores of which the archive is ill."""
    return {"zerodb": WELL, "archive": msgspec.structs.replace(WELL, **ill)}


def both(**ill: Any) -> dict[str, StoreVitals]:
    """Stores that are all ill in the same way."""
    store = msgspec.structs.replace(WELL, **ill)
    return {"zerodb": store, "archive": store}


def neighbour(state: DaemonState, silent_s: float = 0.0) -> DaemonView:
    """Another daemon, last heard of a while ago."""
    return DaemonView(
        id="2",
        name="host2",
        address="127.0.0.1:8701",
        version="1",
        pid=2,
        state=state,
        started_at=NOW - timedelta(hours=1),
        last_seen=NOW - timedelta(seconds=silent_s),
        uptime_s=3600.0,
        actors=(),
    )


LATE = {"zerodb": Waiting(7, 3_700.0)}
REPLICATION = ArchiveVitals(trouble="BigQuery answered 500.", parked=0, backfill=0)
