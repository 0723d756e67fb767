"""The fake ZeroDB refuses queries that the documentation does not know."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engarde_daemon.testing.zerodb_tables import CloudTable, Query
from engarde_daemon.testing.zerodb_wire import Refusal


@pytest.mark.parametrize(
    "condition",
    [{"$in": "abc"}, {"$nin": {}}, {"$regex": "("}, {"$regex": 5}, {"$like": "a"}],
)
def test_an_operator_takes_only_what_it_is_for(condition: dict[str, Any]):
    """A text in place of a list would find whatever is a part of it."""
    table = CloudTable("rows", "project")
    table.insert({"id": "b"}, datetime.now(UTC))

    with pytest.raises(Refusal) as refused:
        table.query(Query(filter={"id": condition}))

    assert refused.value.answer.status == 400


@pytest.mark.parametrize("condition", [{"$in": ["b"]}, {"$nin": ["a"]}, {"$regex": "^b"}])
def test_an_operator_finds_what_it_is_for(condition: dict[str, Any]):
    """With a list, or a pattern."""
    table = CloudTable("rows", "project")
    table.insert({"id": "b"}, datetime.now(UTC))

    assert table.query(Query(filter={"id": condition}))["total"] == 1
