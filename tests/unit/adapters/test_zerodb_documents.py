"""What a walk over a ZeroDB server asks for: every row in one part, and never everything at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.adapters.zerodb.cloud import CloudDialect
from engarde_daemon.adapters.zerodb.dialects import Dialect, StoredRow
from engarde_daemon.adapters.zerodb.documents import Shard, document_of, fits
from engarde_daemon.adapters.zerodb.local import LocalDialect
from engarde_daemon.testing.records import record_with


@given(st.uuids())
def test_a_row_is_in_one_part_of_each_shard_it_is_in(content_id):
    """So a walk that goes on into all parts meets it once."""
    record = record_with("Hello", content_id=str(content_id), tenant_id="acme")
    document = document_of(record, "put")
    row = StoredRow(row_id="1", document=document, created_at="")
    shard = Shard()
    while parts := list(shard.parts()):
        (shard,) = (part for part in parts if fits(row, part.filter("acme")))

    assert len(shard.prefix) == 5


@pytest.mark.parametrize("dialect", [CloudDialect(), LocalDialect()], ids=["cloud", "local"])
def test_a_filter_that_fits_everything_is_refused(dialect: Dialect):
    """An empty one means every row of every tenant to a server."""
    with pytest.raises(ValueError, match="every tenant"):
        dialect.query("content_items", {}, most=1)


def test_a_row_without_an_identity_is_not_removed():
    """The local server knows no other name for it, and would remove everything."""
    nameless = StoredRow(row_id="1", document={}, created_at="")

    with pytest.raises(ValueError, match="every tenant"):
        LocalDialect().delete("content_items", nameless)
