"""How much may wait for ZeroDB, judged without asking anyone."""

from datetime import UTC, datetime

import msgspec

from engarde_daemon.daemon.board import Board
from engarde_daemon.domain.vitals import ArchiveVitals, StoreVitals, Vitals


def looked(board: Board, staged_bytes: int, *, postgres: str | None = None) -> None:
    """The health actor looks."""
    board.post(msgspec.structs.replace(board.read(), staged_bytes=staged_bytes, postgres=postgres))


def test_what_was_admitted_since_the_look_counts():
    """A burst between two looks cannot go past the limit."""
    board = Board(100)
    looked(board, 60)

    assert [board.admit_body(20) for _ in range(3)] == [True, True, False]


def test_what_the_look_may_have_missed_counts_once_more():
    """A write may be admitted before a look and committed after it."""
    board = Board(100)
    assert board.admit_body(60)
    looked(board, 0)
    assert not board.admit_body(50)

    looked(board, 60)
    assert board.admit_body(40)


def test_a_look_that_saw_nothing_changes_nothing():
    """While PostgreSQL does not answer, what was admitted is not forgotten."""
    board = Board(100)
    assert board.admit_body(60)
    looked(board, 0, postgres="away")
    looked(board, 0, postgres="away")

    assert not board.admit_body(50)


def test_before_the_first_look_the_limit_holds_too():
    """Of nothing that is known to be staged."""
    assert Vitals(staging_limit_bytes=1).staged_bytes == 0
    assert not Board(10).admit_body(11)


MORNING, NOON = datetime(2027, 5, 1, 8, tzinfo=UTC), datetime(2027, 5, 1, 12, tzinfo=UTC)
STORE = StoreVitals(state="healthy", breaker="closed", lasts_s=0.0, reason="", steps={})


def test_since_when_a_store_is_as_it_is_stays_until_it_changes():
    """Whoever hangs up newer vitals need not know."""
    moments = [MORNING, NOON]
    board = Board(100, now=lambda: moments[0])
    board.post_stores({"zerodb": STORE})
    moments.pop(0)
    looked(board, 5, postgres=None)
    board.post_stores({"zerodb": msgspec.structs.replace(STORE, lasts_s=9.0)})

    assert board.read().since == {"zerodb": MORNING, "postgres": NOON}

    board.post_stores({"zerodb": msgspec.structs.replace(STORE, failures=1)})
    assert board.read().since["zerodb"] == NOON


def test_whoever_wants_to_know_hears_of_a_change_and_of_nothing_else():
    """A look that finds the same is none."""
    heard = []
    board = Board(100)
    board.changed = lambda: heard.append(board.read().archive.trouble)
    board.post_stores({"archive": STORE})
    board.post_stores({"archive": STORE})
    board.post_archive("content_snapshots", ArchiveVitals(trouble="away"))
    board.post_archive("content_snapshots", ArchiveVitals(trouble="still away"))

    assert heard == [None, "away"]


def test_who_is_about_to_stop_promises_nothing_more():
    """However well everything is."""
    board = Board(100)
    looked(board, 0)
    assert board.read().unready is None

    board.post_leaving()

    assert board.read().unready == "the daemon is stopping"


def test_a_limit_that_changes_counts_at_once():
    """What was refused is admitted, and the other way round."""
    board = Board(100)
    looked(board, 0)

    board.limit_staging(200)
    assert board.admit_body(150)
    board.limit_staging(100)
    assert not board.admit_body(1)


def test_the_epoch_of_the_archive_is_shown():
    """The one of the table whose turn changed hands most often."""
    board = Board(100)
    board.post_archive("versions", ArchiveVitals(epoch=7))
    board.post_archive("media", ArchiveVitals(epoch=3))

    assert board.read().archive.epoch == 7
