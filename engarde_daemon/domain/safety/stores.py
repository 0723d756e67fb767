"""Each store: how far it is trusted, why not further, and what follows for whoever uses it."""

from collections.abc import Sequence

import msgspec

from engarde_daemon.domain.breaker import BreakerState
from engarde_daemon.domain.failover import ZeroDBState
from engarde_daemon.domain.safety.scene import Scene, amount, counted, sentence
from engarde_daemon.domain.vitals import StoreVitals
from engarde_daemon.protocol import Severity, StoreState, StoreView

POSTGRES = "postgres"
ZERODB = "zerodb"
ARCHIVE = "archive"

_POSTGRES_AWAY = (
    "Nothing can be read or written: requests get 503 until it answers. "
    "What was acknowledged is committed in it."
)
_STANDS_IN = {
    ZeroDBState.HEALTHY: StoreState.DEGRADED,  # in spite of its last calls
    ZeroDBState.DEGRADED: StoreState.DEGRADED,
    ZeroDBState.FAILED_OVER: StoreState.FAILED_OVER,
    ZeroDBState.RECOVERING: StoreState.RECOVERING,
}


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    state: StoreState = StoreState.HEALTHY
    severity: Severity = Severity.OK
    cause: str = ""
    effect: str = ""


def stores_of(scene: Scene) -> Sequence[StoreView]:
    """Every store that was looked at, PostgreSQL first."""
    found = {POSTGRES: _postgres(scene)}
    if scene.zerodb is not None:
        found[ZERODB] = _zerodb(scene, scene.zerodb)
    if scene.archive_store is not None:
        found[ARCHIVE] = _archive(scene, scene.archive_store)
    return [_view(scene, name, words) for name, words in found.items()]


def _view(scene: Scene, name: str, words: _Words) -> StoreView:
    vitals = scene.vitals.stores.get(name)
    return StoreView(
        name=name,
        title={POSTGRES: "PostgreSQL", ZERODB: "ZeroDB", ARCHIVE: _title(scene.archive_name)}[name],
        state=words.state,
        severity=words.severity,
        since=scene.since(name),
        latency_s=scene.postgres_latency_s if vitals is None else vitals.latency_s,
        cause=words.cause,
        effect=words.effect,
    )


def _title(called: str) -> str:
    title = called.removeprefix("the ")
    return f"{title[:1].upper()}{title[1:]}"


def _postgres(scene: Scene) -> _Words:
    trouble = scene.vitals.postgres
    if trouble is None:
        return _Words()
    return _Words(
        state=StoreState.AWAY,
        severity=Severity.FAULT,
        cause=sentence(trouble),
        effect=_POSTGRES_AWAY,
    )


def _zerodb(scene: Scene, store: StoreVitals) -> _Words:
    if store.state == ZeroDBState.HEALTHY and not store.failures:
        return _Words()
    readable = scene.archive_serves or store.state in (ZeroDBState.HEALTHY, ZeroDBState.RECOVERING)
    return _Words(
        state=_STANDS_IN[ZeroDBState(store.state)],
        severity=Severity.WARNING if readable else Severity.FAULT,
        cause=_cause(store),
        effect=_without_zerodb(scene, store),
    )


def _cause(store: StoreVitals) -> str:
    """Why it is not trusted: the step that was taken, and what the last call met."""
    if store.state == ZeroDBState.RECOVERING:
        return sentence(store.reason)
    if store.breaker == BreakerState.HELD_OPEN:
        return "An operator ordered that it is not asked."
    if store.state == ZeroDBState.HEALTHY:
        return f"{counted(store.failures, 'call')} in a row failed: {sentence(store.failure)}"
    return " ".join(filter(None, (sentence(store.reason), sentence(store.failure))))


def _without_zerodb(scene: Scene, store: StoreVitals) -> str:
    staged, limit = amount(scene.vitals.staged_bytes), amount(scene.vitals.staging_limit_bytes)
    writes = f"Writes go on, their bodies wait in PostgreSQL ({staged} of {limit} in use)."
    if store.state == ZeroDBState.RECOVERING:
        return (
            "It takes what waited for it. Until nothing waits and sampled rows are right, "
            f"bodies are read from PostgreSQL and {scene.archive_name} first."
        )
    if scene.archive_serves:
        return f"{writes} Bodies are read from PostgreSQL and {scene.archive_name} in its place."
    return (
        f"{writes} {sentence(scene.archive_name)[:-1]} does not answer either: bodies that are neither "
        "cached nor in PostgreSQL cannot be read (503)."
    )


def _archive(scene: Scene, store: StoreVitals) -> _Words:
    trouble = scene.vitals.archive.trouble
    if store.breaker == BreakerState.CLOSED and trouble is None:
        return _Words()
    away = store.breaker != BreakerState.CLOSED
    cause = trouble or ": ".join(filter(None, (store.reason, store.failure)))
    return _Words(
        state=StoreState.AWAY if away else StoreState.DEGRADED,
        severity=Severity.WARNING if scene.zerodb_serves else Severity.FAULT,
        cause=sentence(cause),
        effect=_without_archive(scene),
    )


def _without_archive(scene: Scene) -> str:
    waiting = counted(scene.waiting("bigquery").rows, "version")
    lost = f"Nothing is lost: {waiting} wait{'s' if waiting == '1 version' else ''} in PostgreSQL."
    if scene.zerodb_serves:
        return f"{lost} Reads and writes go on, but nothing could stand in for ZeroDB now."
    return f"{lost} ZeroDB does not serve either: what only these two hold cannot be read (503)."
