"""How a daemon and everything around it is at one moment: what an overview shows.

Moments are in UTC. Words are for people and may change; whoever decides something goes by the
enumerations and figures beside them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """Whether somebody has to do something."""

    OK = "ok"
    WARNING = "warning"
    """A promise still holds, but something that it rests on does not."""
    FAULT = "fault"
    """A promise does not hold for somebody, now."""


class StoreState(StrEnum):
    """How far a store is trusted."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It fails now and then, or refuses some of what it is given."""
    FAILED_OVER = "failed_over"
    """It is not asked; others stand in for it."""
    RECOVERING = "recovering"
    """It answers again and takes what waited for it; others still stand in."""
    AWAY = "away"
    """It does not answer."""


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """A store: `postgres`, `zerodb` or `archive`.

    `cause` and `effect` are empty while it is healthy. `latency_s` is what the last look at it
    took, None where none succeeded yet; `since` is when the present state began, as this daemon
    knows.
    """

    name: str
    title: str
    state: StoreState
    severity: Severity
    since: datetime
    latency_s: float | None
    cause: str
    effect: str


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What callers of this daemon did since the snapshot before; operators' own calls are left out.

    Errors are answers of 500 and above.
    """

    reads_per_s: float
    writes_per_s: float
    errors_per_s: float


class BacklogView(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, on the way to `delivery`, `archive`, `index` or `webhooks`.

    `parked` rows were refused and wait for an operator. `size_bytes` is None where nobody counts.
    """

    queue: str
    title: str
    rows: int
    oldest_age_s: float
    parked: int = 0
    size_bytes: int | None = None
    limit_bytes: int | None = None


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stands between content and its safety, with its cause and its effect."""

    severity: Severity
    about: str
    cause: str
    effect: str
    since: datetime | None = None


class Safety(msgspec.Struct, frozen=True, kw_only=True):
    """Whether content is safe, in one sentence, and all that speaks against it, worst first.

    `missing` says how many of the versions `zerodb` and `archive` lack; `since` is when the oldest
    of them was written.
    """

    severity: Severity
    words: str
    versions: int
    missing: Mapping[str, int] = {}
    since: datetime | None = None
    risks: Sequence[Risk] = ()


class ActorView(msgspec.Struct, frozen=True, kw_only=True):
    """An actor or supervisor; `path` shows its place in the tree, parents come before children.

    `last_error` is the kind of its last error; `/api/admin/actors` tells the rest.
    """

    name: str
    path: str
    kind: str
    status: str
    restarts: int
    last_error: str | None
    depth: int
    capacity: int
    waiting: int
    busy_s: float
    oldest_message_age_s: float
    processed: int


class DaemonState(StrEnum):
    """Whether a daemon is there."""

    RUNNING = "running"
    SILENT = "silent"
    """It said that it lives, then no more, and not that it stops: it died, or cannot be heard."""
    STOPPED = "stopped"


class DaemonView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the daemons on this database, with its actors."""

    id: str
    name: str
    address: str
    version: str
    pid: int
    state: DaemonState
    started_at: datetime
    last_seen: datetime
    uptime_s: float
    actors: Sequence[ActorView]


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job; `kind` is `generation`, `restore`, `verify`, `migrate` or `import`.

    `tenant_id` is None where it is about all tenants, `cost_usd` where nobody knows.
    """

    id: str
    kind: str
    tenant_id: str | None
    state: str
    done: int
    total: int
    failed: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    phase: str = ""
    cost_usd: float | None = None
    error: str | None = None


class TenantView(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant and how full its plan is; a limit of None is none."""

    tenant_id: str
    name: str
    plan: str
    level: str
    used_bytes: int
    pending_bytes: int
    limit_bytes: int | None


class TenantsView(msgspec.Struct, frozen=True, kw_only=True):
    """How many tenants are at which level, and those nearest to their limits."""

    total: int
    levels: Mapping[str, int]
    fullest: Sequence[TenantView]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment.

    What comes from PostgreSQL (`others`, `jobs`, `tenants` and the figures of `safety`) is as of
    `known_at`, which stays behind while PostgreSQL does not answer; None if it never did.
    """

    at: datetime
    known_at: datetime | None
    daemon: DaemonView
    safety: Safety
    stores: Sequence[StoreView]
    rates: Rates
    backlog: Sequence[BacklogView]
    others: Sequence[DaemonView]
    jobs: Sequence[JobView]
    tenants: TenantsView
