"""Rows for the tests of BigQuery."""

from datetime import timedelta

from engarde_daemon.domain.snapshots import ContentSnapshot
from engarde_daemon.ports.archive import Frozen, Span
from engarde_daemon.testing.records import WRITTEN_AT
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with

__all__ = ["AROUND", "frozen", "snapshot_with"]

AROUND = Span(WRITTEN_AT - timedelta(days=30), WRITTEN_AT + timedelta(days=30))
"""A span that holds every row of these tests."""


def frozen(stream: str, offset: int, *snapshots: ContentSnapshot) -> Frozen:
    """These rows as a batch of this stream; the numbers of its rows are their places in it."""
    return frozen_of(snapshots, stream=stream, offset=offset, first_id=offset + 1)
