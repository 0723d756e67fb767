"""What no archive can take is known before anything is sent."""

from typing import Any

import pytest

from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, refusal_of


def whole(table: ArchiveTable) -> dict[str, Any]:
    """A row that has what is required, and nothing else."""
    return {column.name: "x" for column in LAYOUTS[table].columns if column.required}


@pytest.mark.parametrize("table", list(ArchiveTable))
def test_a_whole_row_can_be_tried(table: ArchiveTable):
    """Optional columns may be left out."""
    assert refusal_of(table, whole(table)) is None


@pytest.mark.parametrize("table", list(ArchiveTable))
def test_a_missing_value_is_named(table: ArchiveTable):
    """So is one that is there and empty."""
    row = {**whole(table), "tenant_id": None}

    assert "tenant_id" in str(refusal_of(table, row))


def test_an_unknown_column_is_named():
    """A newer daemon may have frozen the row."""
    row = {**whole(ArchiveTable.SNAPSHOTS), "mood": "bright"}

    assert "mood" in str(refusal_of(ArchiveTable.SNAPSHOTS, row))
