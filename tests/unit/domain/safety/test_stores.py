"""Every fault of a store is told with its cause and its effect."""

import pytest

from engarde_daemon.domain.safety import Scene, stores_of
from engarde_daemon.domain.vitals import Vitals, Waiting
from engarde_daemon.protocol import Severity, StoreState, StoreView
from tests.unit.domain.safety.scenes import (
    NOW,
    REPLICATION,
    archive,
    both,
    scene,
    zerodb,
)

OPEN = {"state": "failed_over", "breaker": "open"}


def told(seen: Scene, name: str) -> StoreView:
    """How one store is told of."""
    (view,) = [store for store in stores_of(seen) if store.name == name]
    return view


def test_of_healthy_stores_there_is_nothing_to_tell():
    """Neither cause nor effect."""
    views = stores_of(scene(postgres_latency_s=0.002))

    assert [view.title for view in views] == ["PostgreSQL", "ZeroDB", "Archive"]
    assert {(view.state, view.severity, view.cause, view.effect) for view in views} == {
        (StoreState.HEALTHY, Severity.OK, "", "")
    }
    assert views[0].latency_s == 0.002


def test_an_archive_is_called_what_it_is():
    """Where it is BigQuery, it is called so."""
    assert told(scene(archive_name="BigQuery"), "archive").title == "BigQuery"


def test_a_store_that_was_not_looked_at_is_not_told_of():
    """At the start only PostgreSQL is, which is asked first."""
    seen = scene(stores=Vitals().stores, postgres="not asked yet")

    assert [(view.name, view.cause) for view in stores_of(seen)] == [("postgres", "Not asked yet.")]


def test_without_postgres_nothing_can_be_read_or_written():
    """That is a fault, whatever the others do."""
    view = told(scene(postgres="PostgreSQL does not answer. Please try again."), "postgres")

    assert (view.state, view.severity) == (StoreState.AWAY, Severity.FAULT)
    assert view.cause == "PostgreSQL does not answer."
    assert "Nothing can be read or written" in view.effect


@pytest.mark.parametrize(
    ("ill", "state", "cause"),
    [
        (
            {"failures": 2, "failure": "it did not answer in time"},
            StoreState.DEGRADED,
            "2 calls in a row failed: It did not answer in time.",
        ),
        (
            {"state": "degraded", "breaker": "open", "reason": "ZeroDB failed too often"},
            StoreState.DEGRADED,
            "ZeroDB failed too often.",
        ),
        (
            {**OPEN, "reason": "no answer for 5 s", "failure": "ZeroDB answered 503."},
            StoreState.FAILED_OVER,
            "No answer for 5 s. ZeroDB answered 503.",
        ),
        (
            {"state": "failed_over", "breaker": "held_open", "reason": "an operator ordered it"},
            StoreState.FAILED_OVER,
            "An operator ordered that it is not asked.",
        ),
        (
            {"state": "recovering", "reason": "ZeroDB answers again", "failure": "old"},
            StoreState.RECOVERING,
            "ZeroDB answers again.",
        ),
    ],
)
def test_an_ill_zerodb_is_a_warning_that_names_the_cause(ill, state, cause):
    """As long as another store has what it has."""
    view = told(scene(stores=zerodb(**ill), since={"zerodb": NOW}), "zerodb")

    assert (view.state, view.severity, view.cause, view.since) == (
        state,
        Severity.WARNING,
        cause,
        NOW,
    )


def test_writes_go_on_without_zerodb():
    """Their bodies wait, and it is told where and how many more may."""
    view = told(scene(stores=zerodb(**OPEN), staged_bytes=3 * 1024**2), "zerodb")

    assert view.effect == (
        "Writes go on, their bodies wait in PostgreSQL (3.0 MiB of 2.0 GiB in use). "
        "Bodies are read from PostgreSQL and the archive in its place."
    )


def test_a_zerodb_that_recovers_is_read_last():
    """Until it was found to be as it should."""
    effect = told(scene(stores=zerodb(state="recovering")), "zerodb").effect

    assert "Until nothing waits and sampled rows are right" in effect


def test_without_zerodb_and_archive_some_bodies_cannot_be_read():
    """That breaks a promise, and both stores say so."""
    seen = scene(stores=both(**OPEN), waiting={"bigquery": Waiting(1, 2.0)})

    assert {told(seen, name).severity for name in ("zerodb", "archive")} == {Severity.FAULT}
    assert "The archive does not answer either" in told(seen, "zerodb").effect
    assert "cannot be read (503)" in told(seen, "zerodb").effect
    assert "1 version waits in PostgreSQL. ZeroDB does not serve either" in (
        told(seen, "archive").effect
    )


def test_an_archive_that_takes_nothing_is_degraded():
    """Its own words are the cause."""
    waiting = {"bigquery": Waiting(5, 2.0)}
    seen = scene(archive=REPLICATION, archive_name="BigQuery", waiting=waiting)
    view = told(seen, "archive")

    assert (view.state, view.severity) == (StoreState.DEGRADED, Severity.WARNING)
    assert view.cause == "BigQuery answered 500."
    assert view.effect == (
        "Nothing is lost: 5 versions wait in PostgreSQL. "
        "Reads and writes go on, but nothing could stand in for ZeroDB now."
    )


def test_an_archive_that_is_left_alone_is_away():
    """Why is told by what its last call met."""
    store = {"breaker": "open", "reason": "the archive failed too often", "failure": "no route"}
    view = told(scene(stores=archive(**store)), "archive")

    assert (view.state, view.severity) == (StoreState.AWAY, Severity.WARNING)
    assert view.cause == "The archive failed too often: no route."
