"""What is believed of the answer to an insertion."""

import msgspec
import pytest

from engarde_daemon.adapters.zerodb.dialects import inserted_in
from engarde_daemon.adapters.zerodb.documents import ITEMS, VERSIONS


def counted(**answer: object) -> int:
    """How many rows an answer counts."""
    told = inserted_in(msgspec.json.encode(answer))
    assert told.rows == []
    return told.counted


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"inserted_count": 2},
        {"inserted_ids": ["a", "b"]},
        {"inserted_count": 2, "inserted_ids": ["a"]},
        {"inserted_count": 2, "inserted_ids": "ab"},
    ],
)
def test_a_count_without_as_many_ids_is_none(answer: dict[str, object]):
    """Whoever counts what has no id has not stored it."""
    assert counted(**answer) == 0


def test_rows_that_got_an_id_are_counted():
    """As zerodb-local 0.2.0 answers."""
    assert counted(table_name="t", inserted_count=2, inserted_ids=["a", "b"]) == 2


def test_a_row_that_is_shown_is_no_count():
    """It is judged by what it shows."""
    answer = {"row_id": "a", "row_data": {"id": "x"}, "inserted_count": 1, "inserted_ids": ["a"]}

    told = inserted_in(msgspec.json.encode(answer))

    assert [row.document for row in told.rows] == [{"id": "x"}]
    assert told.counted == 0


def test_bodies_are_never_believed_by_a_count():
    """A body leaves PostgreSQL for its row."""
    assert (ITEMS.counts_prove, VERSIONS.counts_prove) == (False, True)
