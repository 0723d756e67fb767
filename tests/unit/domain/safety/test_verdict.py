"""One sentence says whether content is safe, and the risks say what speaks against it."""

from datetime import timedelta

import msgspec
import pytest

from engarde_daemon.core.health import Health
from engarde_daemon.domain.safety import backlog_of, risks_of, safety_of
from engarde_daemon.domain.vitals import ArchiveVitals, Waiting
from engarde_daemon.protocol import DaemonState, Risk, Severity
from tests.unit.domain.safety.scenes import (
    GB,
    NEWS,
    NOW,
    REPLICATION,
    neighbour,
    report,
    scene,
    zerodb,
)

ACTOR = "root/pipelines/"


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (0, "No version was written yet."),
        (1, "The only version is in ZeroDB and the archive."),
        (12_345, "All 12,345 versions are in ZeroDB and the archive."),
    ],
)
def test_what_is_everywhere_is_safe(versions: int, words: str):
    """And nothing has to be done."""
    safety = safety_of(scene(versions=versions))

    assert (safety.severity, safety.words, safety.since) == (Severity.OK, words, None)


def test_what_is_on_its_way_is_counted():
    """With the age of the oldest, and who has it meanwhile."""
    waiting = {"zerodb": Waiting(7, 3.0), "bigquery": Waiting(5, 9.0)}
    safety = safety_of(scene(waiting=waiting))

    assert safety.severity is Severity.OK
    assert safety.missing == {"zerodb": 7, "archive": 5}
    assert safety.since == NOW - timedelta(seconds=9)
    assert safety.words == (
        "Of 12,345 versions, 7 not in ZeroDB yet and 5 not in the archive yet, the oldest "
        "for 9 s. None is lost: PostgreSQL or ZeroDB has what they need."
    )


def test_what_zerodb_alone_lacks_postgres_has():
    """A row that has just come has no age worth telling."""
    safety = safety_of(scene(waiting={"zerodb": Waiting(1_000, 0.0)}))

    assert safety.words == (
        "Of 12,345 versions, 1,000 not in ZeroDB yet. None is lost: PostgreSQL has what they need."
    )


def test_parked_and_old_versions_are_missing_from_the_archive():
    """Though nothing waits for it in the outbox."""
    safety = safety_of(scene(archive=ArchiveVitals(parked=2, backfill=40)))

    assert safety.missing == {"zerodb": 0, "archive": 42}
    assert "42 not in the archive yet." in safety.words


def test_while_postgres_is_away_the_last_look_counts():
    """And is told to be that."""
    assert safety_of(scene(postgres="away")).words == (
        "PostgreSQL does not answer. When it was last asked: "
        "All 12,345 versions are in ZeroDB and the archive."
    )


def test_before_the_first_look_nothing_can_be_told():
    """No number is made up."""
    safety = safety_of(scene(postgres="away", versions=0))

    assert safety.words == "PostgreSQL does not answer: what is safe cannot be told."
    assert safety.severity is Severity.FAULT


LOCKED = msgspec.structs.replace(NEWS, webhooks_locked=1)
FAILING = msgspec.structs.replace(NEWS, webhooks_failing=2)


@pytest.mark.parametrize(
    ("wrong", "severity", "about", "cause", "effect"),
    [
        (
            {"staged_bytes": int(1.8 * GB)},
            "warning",
            "Staging",
            "fill 1.8 GiB of 2.0 GiB",
            "Once it is full",
        ),
        ({"staged_bytes": 2 * GB}, "fault", "Staging", "fill 2.0 GiB", "get 503"),
        (
            {"actors": report(ACTOR + "delivery", Health.PAUSED, last_error="old")},
            "warning",
            "Actor delivery",
            "An operator paused it.",
            "do not reach ZeroDB",
        ),
        (
            {"actors": report("root/ingest", Health.BACKING_OFF, last_error="KeyError: 'x'")},
            "fault",
            "Actor ingest",
            "It crashed and rests before its next start. KeyError: 'x'.",
            "Nothing can be written.",
        ),
        (
            {"actors": report(ACTOR + "embedder", Health.STOPPED)},
            "warning",
            "Actor embedder",
            "It was stopped.",
            "What it does waits for it.",
        ),
        (
            {"waiting": {"zerodb": Waiting(7, 3_700.0)}},
            "warning",
            "Backlog to ZeroDB",
            "7 versions waited up to 1 h",
            "PostgreSQL holds them",
        ),
        (
            {"waiting": {"search": Waiting(1, 61.0)}},
            "warning",
            "Backlog to the full-text index",
            "1 version waited up to 1 min",
            "None is lost",
        ),
        (
            {"archive": ArchiveVitals(parked=1)},
            "warning",
            "Parked versions",
            "The archive refused 1 version.",
            "retries",
        ),
        (
            {"archive": ArchiveVitals(backfill=9)},
            "warning",
            "Backfill",
            "9 old versions are still to be sent",
            "could not be read",
        ),
        ({"drifting_figures": 3}, "fault", "Quota ledger", "in 3 figures", "reconcile"),
        ({"news": LOCKED}, "warning", "Webhooks", "The key of 1 webhook", "key_file"),
        ({"news": FAILING}, "warning", "Webhooks", "2 webhooks did not answer", "no delivery is lost"),
        (
            {"others": [neighbour(DaemonState.SILENT, 200_000.0)]},
            "warning",
            "Daemon host2",
            "It was last heard of 2 d ago",
            "Others go on",
        ),
    ],
)  # fmt: skip
def test_each_risk_names_its_cause_and_its_effect(wrong, severity, about, cause, effect):
    """One wrong thing is one risk, and the verdict is as grave."""
    seen = scene(**wrong)
    (risk,) = risks_of(seen)

    assert (risk.severity, risk.about) == (severity, about)
    assert cause in risk.cause
    assert effect in risk.effect
    assert safety_of(seen).severity == severity


def test_daemons_that_run_or_stopped_are_no_risk():
    """A stop that was announced is no surprise."""
    others = [neighbour(DaemonState.RUNNING), neighbour(DaemonState.STOPPED, 9.0)]

    assert risks_of(scene(others=others)) == []


def test_a_backlog_is_put_down_to_the_store_that_is_ill():
    """And not reported a second time."""
    seen = scene(stores=zerodb(state="degraded"), waiting={"zerodb": Waiting(7, 3_700.0)})

    assert [risk.about for risk in risks_of(seen)] == ["ZeroDB"]


def test_the_worst_comes_first():
    """Whatever it is about."""
    seen = scene(archive=REPLICATION, drifting_figures=1)
    risks: list[Risk] = list(risks_of(seen))

    assert [risk.about for risk in risks] == ["Quota ledger", "Archive"]
    assert safety_of(seen).severity is Severity.FAULT


def test_the_queues_are_shown_even_when_they_are_empty():
    """With the bytes that wait where they are known, and what is parked."""
    news = msgspec.structs.replace(NEWS, deliveries_waiting=4, oldest_delivery_age_s=2.5)
    waiting = {"zerodb": Waiting(7, 1.0), "bigquery": Waiting(3, 2.0)}
    archive = ArchiveVitals(parked=2, backfill=10)
    queues = backlog_of(scene(waiting=waiting, archive=archive, staged_bytes=99, news=news))

    shown = [(q.queue, q.rows, q.oldest_age_s, q.parked, q.size_bytes) for q in queues]
    assert shown == [
        ("delivery", 7, 1.0, 0, 99),
        ("archive", 13, 2.0, 2, None),
        ("index", 0, 0.0, 0, None),
        ("webhooks", 4, 2.5, 0, None),
    ]
