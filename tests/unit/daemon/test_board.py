"""How much may wait for ZeroDB, judged without asking anyone."""

import msgspec

from engarde_daemon.daemon.board import Board
from engarde_daemon.domain.vitals import Vitals


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
