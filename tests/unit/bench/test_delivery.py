"""What is said of a delivery beside a bare client's, and what the bare client sends."""

import msgspec

from bench.giving import loads_of
from bench.parties import Spent
from bench.zerodb import Round, Run, verdict

BODY = "face to face"
DOCUMENT = {"id": "a1", "body": BODY, "version": 1, "metadata": {"tags": ["b2"]}}


def run_of(per_second: float, *, server_s: float = 1.0) -> Run:
    """A run of a thousand rows."""
    spent = Spent(server_s=server_s, server_postgres_s=0.0, daemon_s=0.0, daemon_postgres_s=0.0)
    return Run(rows=1000, took_s=1000 / per_second, spent=spent)


def round_of(delivered: float, taken: dict[int, float]) -> Round:
    """A round of these rates."""
    return Round(
        delivered=run_of(delivered), taken={lanes: run_of(rate) for lanes, rate in taken.items()}
    )


def test_each_round_is_held_against_itself():
    """A machine that was slow in one round was so for both."""
    found = verdict([round_of(90, {1: 1, 2: 100, 4: 1}), round_of(9, {1: 1, 2: 10, 4: 1})])

    assert found.is_kept
    assert found.measured.startswith("90 %: 90 of 100, 9 of 10 rows/s")


def test_the_best_lanes_are_the_ones_with_the_best_median():
    """Not the ones with the best run."""
    rounds = [
        round_of(70, {1: 1, 2: 100, 4: 1000}),
        round_of(70, {1: 1, 2: 100, 4: 1}),
        round_of(70, {1: 1, 2: 100, 4: 1}),
    ]

    found = verdict(rounds)

    assert not found.is_kept
    assert found.measured.startswith("70 %")


def test_a_bare_client_says_the_same_in_words_of_the_same_length():
    """So that they cost what the daemon's cost, and are not in the index yet."""
    [(path, load)] = loads_of({"content_items": [DOCUMENT]}, number=7)

    (given,) = msgspec.json.decode(load)["rows"]
    assert path == "/tables/content_items/insert"
    assert given.keys() == DOCUMENT.keys()
    assert given["version"] == 1
    assert given["id"] != "a1"
    assert len(given["body"]) == len(BODY)
    assert given["metadata"]["tags"] != ["b2"]
