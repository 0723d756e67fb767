"""Everything that stands between content and its safety, each with its cause and its effect."""

from collections.abc import Iterator, Sequence

from engarde_daemon.core.health import Health, HealthReport
from engarde_daemon.domain.safety.scene import Scene, amount, counted, duration, sentence
from engarde_daemon.domain.safety.stores import ARCHIVE, ZERODB, stores_of
from engarde_daemon.protocol import DaemonState, Risk, Severity

LATE_DELIVERY_S = 30.0
LATE_ARCHIVE_S = 300.0
LATE_INDEX_S = 60.0
STAGING_TIGHT_SHARE = 0.8

_RANK = {Severity.FAULT: 0, Severity.WARNING: 1, Severity.OK: 2}
_IDLE = {
    Health.PAUSED: "An operator paused it.",
    Health.BACKING_OFF: "It crashed and rests before its next start.",
    Health.FAILED: "It crashed and is not started again.",
    Health.STOPPED: "It was stopped.",
}
_WITHOUT = {
    "ledger": "Nothing that reserves room can be written.",
    "ingest": "Nothing can be written.",
    "delivery": "Bodies wait in PostgreSQL and do not reach ZeroDB.",
    "replicator": "Versions wait in PostgreSQL and do not reach the archive.",
    "indexer": "What is new is found by search more slowly.",
    "herald": "Listeners and webhooks are told late; no event is lost.",
    "courier": "Webhooks are called late; no delivery is lost.",
    "steward": "What is scheduled is not published, and nothing is cleared away.",
    "generation": "Generation jobs stand still; other daemons go on with theirs.",
    "recovery": "Recovery jobs stand still.",
    "health": "How the stores are is not known any more.",
}
_NEEDED = frozenset({"ledger", "ingest", "health"})


def risks_of(scene: Scene) -> Sequence[Risk]:
    """All of them, the worst first."""
    found = [
        *_stores(scene),
        *_staging(scene),
        *_actors(scene),
        *_late(scene),
        *_archive(scene),
        *_books(scene),
        *_webhooks(scene),
        *_daemons(scene),
    ]
    return sorted(found, key=lambda risk: _RANK[risk.severity])


def _stores(scene: Scene) -> Iterator[Risk]:
    for store in stores_of(scene):
        if store.severity is not Severity.OK:
            yield Risk(
                severity=store.severity,
                about=store.title,
                cause=store.cause,
                effect=store.effect,
                since=store.since,
            )


def _staging(scene: Scene) -> Iterator[Risk]:
    staged, limit = scene.vitals.staged_bytes, scene.vitals.staging_limit_bytes
    if staged < limit * STAGING_TIGHT_SHARE:
        return
    full = not scene.vitals.has_room
    effect = (
        "Writes with a new body get 503 until bodies were delivered; reads and other changes go on."
        if full
        else "Once it is full, writes with a new body get 503."
    )
    yield Risk(
        severity=Severity.FAULT if full else Severity.WARNING,
        about="Staging",
        cause=f"Bodies that wait for ZeroDB fill {amount(staged)} of {amount(limit)} in PostgreSQL.",
        effect=effect,
    )


def _actors(scene: Scene) -> Iterator[Risk]:
    for actor in scene.actors.walk():
        if actor.status in _IDLE and not actor.children:
            yield _idle(actor)


def _idle(actor: HealthReport) -> Risk:
    name = actor.path.rpartition("/")[2]
    crash = actor.last_error if actor.status in (Health.BACKING_OFF, Health.FAILED) else None
    return Risk(
        severity=Severity.FAULT if name in _NEEDED else Severity.WARNING,
        about=f"Actor {name}",
        cause=" ".join(filter(None, (_IDLE[actor.status], sentence(crash or "")))),
        effect=_WITHOUT.get(name, "What it does waits for it."),
    )


def _late(scene: Scene) -> Iterator[Risk]:
    """What waits too long for a destination that is not known to be ill."""
    ill = {store.name for store in stores_of(scene) if store.severity is not Severity.OK}
    for destination, store, title, late_s in (
        ("zerodb", ZERODB, "ZeroDB", LATE_DELIVERY_S),
        ("bigquery", ARCHIVE, scene.archive_name, LATE_ARCHIVE_S),
        ("search", "", "the full-text index", LATE_INDEX_S),
    ):
        waiting = scene.waiting(destination)
        if waiting.oldest_age_s < late_s or store in ill:
            continue
        yield Risk(
            severity=Severity.WARNING,
            about=f"Backlog to {title}",
            cause=f"{sentence(counted(waiting.rows, 'version'))[:-1]} waited up to "
            f"{duration(waiting.oldest_age_s)} without a fault that is known.",
            effect="None is lost: PostgreSQL holds them until they arrive.",
            since=scene.ago(waiting.oldest_age_s),
        )


def _archive(scene: Scene) -> Iterator[Risk]:
    parked, backfill = scene.vitals.archive.parked, scene.vitals.archive.backfill
    if parked:
        yield Risk(
            severity=Severity.WARNING,
            about="Parked versions",
            cause=f"{sentence(scene.archive_name)[:-1]} refused {counted(parked, 'version')}.",
            effect="It lacks them until somebody mends the cause and retries; ZeroDB has them.",
        )
    if backfill:
        yield Risk(
            severity=Severity.WARNING,
            about="Backfill",
            cause=f"{counted(backfill, 'old version')} are still to be sent to {scene.archive_name}.",
            effect="What is not there yet could not be read or restored from it.",
        )


def _books(scene: Scene) -> Iterator[Risk]:
    if scene.vitals.drifting_figures:
        figures = counted(scene.vitals.drifting_figures, "figure")
        yield Risk(
            severity=Severity.FAULT,
            about="Quota ledger",
            cause=f"It differs from the content in {figures}; the log names them.",
            effect="Usage that tenants see and limits that hold for them may be wrong; "
            "reconcile the tenants concerned.",
        )


def _webhooks(scene: Scene) -> Iterator[Risk]:
    news = scene.news
    if news.webhooks_locked:
        yield Risk(
            severity=Severity.WARNING,
            about="Webhooks",
            cause=f"The key of {counted(news.webhooks_locked, 'webhook')} is not at hand.",
            effect="Calls to them wait until it is back ([secrets] key_file in engarde.toml).",
        )
    if news.webhooks_failing:
        yield Risk(
            severity=Severity.WARNING,
            about="Webhooks",
            cause=f"{counted(news.webhooks_failing, 'webhook')} did not answer last time.",
            effect="Calls to them are repeated ever later; no delivery is lost.",
        )


def _daemons(scene: Scene) -> Iterator[Risk]:
    for daemon in scene.others:
        if daemon.state is DaemonState.SILENT:
            yield Risk(
                severity=Severity.WARNING,
                about=f"Daemon {daemon.name}",
                cause=f"It was last heard of {duration((scene.now - daemon.last_seen).total_seconds())} "
                "ago and did not say that it stops.",
                effect="Others go on with its work once its leases have run out; nothing is lost.",
                since=daemon.last_seen,
            )
