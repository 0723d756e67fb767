"""What a daemon says in the states that an operator meets.

Owns the fixed moment: every scene is of the same second, so that pictures of it never differ.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from engarde_daemon.protocol import (
    ActorView,
    BacklogView,
    DaemonState,
    DaemonView,
    FeedEvent,
    JobView,
    LogLevel,
    LogPage,
    LogRecord,
    Rates,
    Risk,
    Safety,
    Severity,
    Snapshot,
    StoreState,
    StoreView,
    TenantsView,
)
from tui.feed import Linked, News, Parked, Standing

NOW = datetime(2026, 11, 23, 9, 41, 7, tzinfo=UTC)
VERSIONS = 12_345
GB = 1024**3

_FIRST = "storage ledger ingest"
_PIPELINES = """delivery replicator indexer herald courier postmaster auditor registrar scribe
shelver generation foreman custodian curator recovery steward"""
_LAST = "health edge"
_BUSY = {"ingest": (3, 256), "delivery": (1, 2), "replicator": (0, 2), "auditor": (41, 512)}


def ago(**lengths: float) -> datetime:
    """A moment before the scene."""
    return NOW - timedelta(**lengths)


def actor(name: str, path: str, **changes: object) -> ActorView:
    """An actor that is well."""
    depth, capacity = _BUSY.get(name, (0, 64))
    view = ActorView(
        name=name, path=path, kind="actor", status="running", restarts=0, last_error=None,
        depth=depth, capacity=capacity, waiting=0, busy_s=0.0, oldest_message_age_s=0.0,
        processed=sum(name.encode()) * 97,
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def supervisor(name: str, path: str) -> ActorView:
    """A supervisor whose actors are well."""
    return actor(name, path, kind="supervisor", depth=0, capacity=0, processed=0)


def actors(**changed: dict[str, object]) -> list[ActorView]:
    """The tree; `changed` says what is otherwise with whom."""
    return [
        supervisor("root", "root"),
        *_below("root", _FIRST, changed),
        supervisor("pipelines", "root/pipelines"),
        *_below("root/pipelines", _PIPELINES, changed),
        *_below("root", _LAST, changed),
    ]


def _below(path: str, names: str, changed: dict[str, dict[str, object]]) -> list[ActorView]:
    return [actor(name, f"{path}/{name}", **changed.get(name, {})) for name in names.split()]


def daemon(number: int = 1, **changes: object) -> DaemonView:
    """One of the daemons."""
    view = DaemonView(
        id=f"d{number}", name=f"content-{number}", address=f"10.0.0.{number}:8700",
        version="0.1.0", pid=4000 + number, state=DaemonState.RUNNING, started_at=ago(days=3, hours=4),
        last_seen=NOW, uptime_s=3 * 86_400 + 4 * 3600, actors=actors(),
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def store(name: str, title: str, answers_in_s: float, **changes: object) -> StoreView:
    """A store that is well."""
    view = StoreView(
        name=name, title=title, state=StoreState.HEALTHY, severity=Severity.OK,
        since=ago(days=3, hours=4), latency_s=answers_in_s, cause="", effect="",
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def stores(**changed: dict[str, object]) -> list[StoreView]:
    """The three stores; `changed` says what is otherwise with which."""
    known = (
        ("postgres", "PostgreSQL", 0.0008),
        ("zerodb", "ZeroDB", 0.0046),
        ("archive", "Archive", 0.118),
    )
    return [store(name, title, latency, **changed.get(name, {})) for name, title, latency in known]


def backlog(**changed: dict[str, object]) -> list[BacklogView]:
    """The queues; `changed` says what waits where."""
    known = {
        "delivery": BacklogView(
            queue="delivery",
            title="to ZeroDB",
            rows=0,
            oldest_age_s=0,
            size_bytes=0,
            limit_bytes=2 * GB,
        ),
        "archive": BacklogView(queue="archive", title="to the archive", rows=0, oldest_age_s=0),
        "index": BacklogView(queue="index", title="to the full-text index", rows=0, oldest_age_s=0),
        "webhooks": BacklogView(queue="webhooks", title="to webhooks", rows=0, oldest_age_s=0),
    }
    return [msgspec.structs.replace(view, **changed.get(name, {})) for name, view in known.items()]


def jobs() -> list[JobView]:
    """Some of every kind and state."""
    return [
        JobView(
            id="7d1f", kind="generation", tenant_id="acme", state="running", done=6_120, total=10_000,
            failed=0, created_at=ago(minutes=12), started_at=ago(minutes=12), cost_usd=18.42,
        ),
        JobView(
            id="5c02", kind="import", tenant_id="globex", state="running", done=840, total=1_200, failed=3,
            created_at=ago(minutes=3), started_at=ago(minutes=3), phase="meta",
        ),
        JobView(
            id="41aa", kind="generation", tenant_id="initech", state="failed", done=38, total=50, failed=12,
            created_at=ago(hours=1), started_at=ago(hours=1), finished_at=ago(minutes=52), cost_usd=0.3371,
            error="the provider refuses the key: billing is disabled",
        ),
        JobView(
            id="32e9", kind="verify", tenant_id=None, state="completed", done=VERSIONS, total=VERSIONS,
            failed=0, created_at=ago(hours=7), started_at=ago(hours=7), finished_at=ago(hours=6, minutes=51),
        ),
        JobView(
            id="2b70", kind="generation", tenant_id="acme", state="cancelled", done=120, total=500, failed=0,
            created_at=ago(hours=9), started_at=ago(hours=9), finished_at=ago(hours=8, minutes=58), cost_usd=0.81,
        ),
    ]  # fmt: skip


def parked() -> list[Parked]:
    """One that was put off, and one that was refused."""
    return [
        Parked(
            queue="to ZeroDB", tenant_id="acme", content_id="01a20506-e2c2-75db-bf6a-a94a82058695",
            version=3, reason="ZeroDB answered 503.", since=ago(minutes=14), attempts=4,
        ),
        Parked(
            queue="to the archive", tenant_id="globex", content_id="01a20506-e2c2-75db-bf6a-a94a82058701",
            version=1, reason="BigQuery refuses the row: `tags` is longer than 10,485,760 bytes.",
            since=ago(hours=2),
        ),
    ]  # fmt: skip


def event(seconds_ago: float, kind: str, text: str, **more: object) -> FeedEvent:
    """Something that happened."""
    view = FeedEvent(
        at=ago(seconds=seconds_ago), source="tenants", type=kind, severity=Severity.OK, text=text
    )
    return msgspec.structs.replace(view, **more)


def everyday() -> list[FeedEvent]:
    """What happens on a quiet morning, the oldest first."""
    return [
        event(341, "stores.zerodb.healthy", "ZeroDB is healthy", source="stores", subject="zerodb"),
        event(262, "generation.job.started", "A job of 10,000 pieces began", source="tenants", subject="7d1f", tenant_id="acme"),
        event(181, "quota.level.reached", "Initech Marketing reached the level warning", severity=Severity.WARNING, source="tenants", subject="initech", tenant_id="initech"),
        event(95, "imports.job.started", "An import from meta began", source="tenants", subject="5c02", tenant_id="globex"),
        event(44, "content.item.published", "An item was published as planned", source="tenants", tenant_id="acme"),
        event(9, "content.item.created", "120 items were created in bulk", source="tenants", tenant_id="globex"),
    ]  # fmt: skip


def log_line(
    seconds: float, event: str, *, level: LogLevel = LogLevel.INFO, **fields: str
) -> LogRecord:
    """Something that was logged so long ago."""
    at = ago(seconds=seconds)
    return LogRecord(number=int(10_000 - seconds), at=at, level=level, event=event, fields=fields)


def log() -> LogPage:
    """What the daemon logged on a morning on which ZeroDB went away for a while."""
    crash = "Traceback (most recent call last):\n  ...\nReadError: the connection broke"
    lines = [
        log_line(410, "zerodb.probe.failed", level=LogLevel.WARNING, reason="no answer within 2 s"),
        log_line(402, "crashed", level=LogLevel.ERROR, actor="root/pipelines/delivery", delay_s="0.1", exception=crash),
        log_line(401, "started", actor="root/pipelines/delivery", delay_s="0.0"),
        log_line(341, "zerodb.state.changed", state="healthy"),
        log_line(120, "settings.reloaded", changed="limits.requests_per_min_tenant"),
    ]  # fmt: skip
    return LogPage(data=lines, cursor="5b1c9e2f.9880")


_HEALTHY = Safety(
    severity=Severity.OK,
    words=f"All {VERSIONS:,} versions are in ZeroDB and the archive.",
    versions=VERSIONS,
    missing={"zerodb": 0, "archive": 0},
)


def snapshot(**changes: object) -> Snapshot:
    """A morning on which all is well."""
    view = Snapshot(
        at=NOW, known_at=NOW, daemon=daemon(), safety=_HEALTHY, stores=stores(),
        rates=Rates(reads_per_s=1204.0, writes_per_s=132.0, errors_per_s=0.0), backlog=backlog(),
        others=[], jobs=jobs(),
        tenants=TenantsView(
            total=214, levels={"normal": 202, "warning": 8, "critical": 3, "exceeded": 1}, fullest=[]
        ),
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def degraded() -> Snapshot:
    """ZeroDB is slow and fails now and then."""
    cause = "4 of the last 20 calls had no answer within 2 s"
    effect = "Bodies wait in PostgreSQL; reads take them from there or from the archive."
    return snapshot(
        safety=Safety(
            severity=Severity.WARNING,
            words="Nothing is lost: 318 versions are not in ZeroDB yet, all of them are in PostgreSQL.",
            versions=VERSIONS, missing={"zerodb": 318, "archive": 41}, since=ago(seconds=38),
            risks=[Risk(severity=Severity.WARNING, about="ZeroDB", cause=cause, effect=effect, since=ago(seconds=41))],
        ),
        stores=stores(zerodb={"state": StoreState.DEGRADED, "severity": Severity.WARNING, "since": ago(seconds=41), "latency_s": 1.74, "cause": cause, "effect": effect}),
        backlog=backlog(
            delivery={"rows": 318, "oldest_age_s": 38.0, "size_bytes": 14_680_064},
            archive={"rows": 41, "oldest_age_s": 2.0},
        ),
        rates=Rates(reads_per_s=1190.0, writes_per_s=128.0, errors_per_s=0.0),
    )  # fmt: skip


def failed_over() -> Snapshot:
    """ZeroDB is away, the archive refuses rows, and staging fills."""
    cause = "no answer since 09:28:40: connection refused"
    effect = (
        "Reads come from the archive and from staged bodies. Writes go on until 2 GiB are staged."
    )
    return snapshot(
        safety=Safety(
            severity=Severity.FAULT,
            words="9,120 versions are in PostgreSQL alone: their bodies wait for ZeroDB.",
            versions=VERSIONS, missing={"zerodb": 9_120, "archive": 12}, since=ago(minutes=12),
            risks=[
                Risk(severity=Severity.FAULT, about="ZeroDB", cause=cause, effect=effect, since=ago(minutes=12)),
                Risk(severity=Severity.WARNING, about="Staging", cause="1.6 GiB of 2 GiB are taken", effect="At the limit, writes with a body are answered with 503."),
                Risk(severity=Severity.WARNING, about="Archive", cause="3 rows were refused and parked", effect="Their versions are safe in PostgreSQL and ZeroDB, and missing in the archive."),
            ],
        ),
        stores=stores(
            zerodb={"state": StoreState.FAILED_OVER, "severity": Severity.FAULT, "since": ago(minutes=12, seconds=27), "latency_s": None, "cause": cause, "effect": effect},
            archive={"state": StoreState.DEGRADED, "severity": Severity.WARNING, "since": ago(minutes=4), "cause": "3 rows were refused", "effect": "They wait for an operator."},
        ),
        backlog=backlog(
            delivery={"rows": 9_120, "oldest_age_s": 747.0, "size_bytes": 1_717_986_918},
            archive={"rows": 12, "oldest_age_s": 4.0, "parked": 3},
        ),
        rates=Rates(reads_per_s=1102.0, writes_per_s=121.0, errors_per_s=0.4),
        daemon=daemon(actors=actors(
            delivery={"status": "paused", "restarts": 2, "last_error": "ZeroDbUnreachable", "depth": 2, "oldest_message_age_s": 747.0},
        )),
    )  # fmt: skip


def recovering() -> Snapshot:
    """ZeroDB is back and takes what waited."""
    cause = "it answers again; 2,310 bodies still wait for it"
    effect = "Until they have arrived and samples are right, the archive goes on to stand in."
    restore = JobView(
        id="8e11", kind="restore", tenant_id=None, state="running", phase="comparing", done=7_800,
        total=VERSIONS, failed=0, created_at=ago(minutes=2), started_at=ago(minutes=2),
    )  # fmt: skip
    return snapshot(
        safety=Safety(
            severity=Severity.WARNING,
            words="2,310 versions are on their way to ZeroDB; all others are where they must be.",
            versions=VERSIONS, missing={"zerodb": 2_310, "archive": 0}, since=ago(minutes=14),
            risks=[Risk(severity=Severity.WARNING, about="ZeroDB", cause=cause, effect=effect, since=ago(seconds=50))],
        ),
        stores=stores(zerodb={"state": StoreState.RECOVERING, "severity": Severity.WARNING, "since": ago(seconds=50), "cause": cause, "effect": effect}),
        backlog=backlog(delivery={"rows": 2_310, "oldest_age_s": 858.0, "size_bytes": 94_371_840}),
        jobs=[restore, *jobs()],
    )  # fmt: skip


def empty() -> Snapshot:
    """A daemon that was started a moment ago, and nobody has used it."""
    return snapshot(
        safety=Safety(severity=Severity.OK, words="There is nothing stored yet.", versions=0),
        stores=[msgspec.structs.replace(view, since=ago(seconds=8)) for view in stores()],
        daemon=daemon(started_at=ago(seconds=8), uptime_s=8.0),
        rates=Rates(reads_per_s=0.0, writes_per_s=0.0, errors_per_s=0.0),
        jobs=[], tenants=TenantsView(total=1, levels={"normal": 1}, fullest=[]),
    )  # fmt: skip


def lately(last: Snapshot, *, seconds: int = 200, role: str = "operator") -> list[News]:
    """The minutes that led to a scene, with rates that go up and down as they do."""
    told: list[News] = [Linked(role)]
    for second in range(seconds, -1, -1):
        wave = (
            1 + 0.3 * math.sin(second / 17) + 0.2 * math.sin(second / 3.7) + 0.2 * math.sin(second)
        )
        grown = (seconds - second) / seconds
        told.append(
            msgspec.structs.replace(
                last,
                rates=Rates(
                    reads_per_s=last.rates.reads_per_s * (wave if second else 1),
                    writes_per_s=last.rates.writes_per_s * (wave if second else 1),
                    errors_per_s=last.rates.errors_per_s * (second % 9 == 0),
                ),
                backlog=[
                    msgspec.structs.replace(view, rows=round(view.rows * grown))
                    for view in last.backlog
                ],
            )
        )
    return told


_NAMES = (
    "Acme Retail", "Globex Europe", "Initech Marketing", "Umbrella Health", "Hooli Ads",
    "Stark Outdoor", "Wayne Finance", "Wonka Sweets", "Tyrell Motors", "Cyberdyne Home",
)  # fmt: skip
_PLANS = (("free", 1), ("starter", 10), ("growth", 50), ("business", 200))


def tenants(number: int = 214) -> Sequence[Standing]:
    """Tenants of all plans and levels."""
    return [_tenant(place) for place in range(number)]


def _tenant(place: int) -> Standing:
    plan, limit = _PLANS[place * 7 % 4]
    part = 1.04 if place == 2 else (0.93 * ((place * 37 + 11) % 100) / 100) ** 1.5
    used = int(limit * GB * part)
    name = _NAMES[place % 10] + (f" {place // 10}" if place >= 10 else "")
    return Standing(
        tenant_id=f"{place:08x}-0000-4000-8000-000000000000", name=name, plan=plan,
        items=used // 48_211, media_files=used // 9_000_000, used_bytes=used, pending_bytes=0,
        limit_bytes=limit * GB, level=_level(part),
    )  # fmt: skip


def _level(part: float) -> str:
    for level, least in (("exceeded", 1.0), ("critical", 0.85), ("warning", 0.7)):
        if part >= least:
            return level
    return "normal"
