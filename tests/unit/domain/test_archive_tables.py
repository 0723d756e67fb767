"""The archive's tables, and which rows they can take."""

from datetime import UTC, date, datetime

import pytest

from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable, refusal_of, row_of
from engarde_daemon.domain.content import Change, ChangeType
from engarde_daemon.domain.snapshots import ContentSnapshot, snapshot_id
from engarde_daemon.testing.snapshots import snapshot_with
from tests.support.content import creation
from tests.support.database import Tenant

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROW = snapshot_with("body", content_id="c", tenant_id="t").row


@pytest.mark.parametrize("name", [c.name for c in LAYOUTS[ArchiveTable.SNAPSHOTS].columns])
def test_what_is_required_must_be_there(name: str):
    """What is not, need not; and only then is the row refused."""
    required = {c.name for c in LAYOUTS[ArchiveTable.SNAPSHOTS].columns if c.required}

    refusal = refusal_of(ArchiveTable.SNAPSHOTS, {**ROW, name: None})

    assert (refusal is not None) == (name in required)
    assert refusal is None or name in refusal


def test_an_unknown_column_is_refused():
    """By its name."""
    assert "surprise" in (refusal_of(ArchiveTable.SNAPSHOTS, {**ROW, "surprise": 1}) or "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 1),
        ("version", "1"),
        ("version", -(2**63) - 1),
        ("snapshot_timestamp", "2026-03-01"),
        ("snapshot_timestamp", datetime(2026, 3, 1)),  # noqa: DTZ001 - a zone is what it lacks
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: object):
    """By its column and what that holds, without the value."""
    kind = next(c.kind for c in LAYOUTS[ArchiveTable.SNAPSHOTS].columns if c.name == name)

    assert refusal_of(ArchiveTable.SNAPSHOTS, {**ROW, name: value}) == f"{name} is no {kind}"


def test_a_whole_row_is_not():
    """It has every column of the table, in its order."""
    assert refusal_of(ArchiveTable.SNAPSHOTS, ROW) is None
    assert list(ROW) == [column.name for column in LAYOUTS[ArchiveTable.SNAPSHOTS].columns]


@pytest.mark.parametrize("table", ArchiveTable)
def test_tables_are_parted_and_clustered_by_their_own_columns(table: ArchiveTable):
    """By at most four, as BigQuery has it, and by a day that is always known."""
    layout = LAYOUTS[table]
    columns = {column.name: column for column in layout.columns}

    assert columns[layout.partition].required
    assert set(layout.clustering) <= columns.keys()
    assert len(layout.clustering) <= 4


def test_a_version_becomes_a_row_that_proves_itself():
    """The same whenever it is made."""
    write = creation(Tenant("t", "b", "u"), "body")
    item = write.item
    change = Change(type=ChangeType.CREATE, by="u", summary="made")

    snapshot = ContentSnapshot.of(item, change, body="body", ingested_at=AT)

    assert snapshot.snapshot_id == snapshot_id(item.id, 1)
    assert snapshot.snapshot_timestamp == item.updated_at
    assert (snapshot.change_type, snapshot.changed_by, snapshot.version_of) == ("create", "u", None)
    assert snapshot.key.sha256 == item.sha256
    assert snapshot.is_intact()
    assert snapshot == ContentSnapshot.of(item, change, body="body", ingested_at=AT)


def test_versions_have_ids_of_their_own():
    """Which no two share."""
    assert len({snapshot_id(content, n) for content in ("a", "b") for n in (1, 2)}) == 4


def test_a_row_that_was_kept_as_json_has_its_days_and_moments_again():
    """And everything else as it was, unknown columns too: they are refused later, by name."""
    document = {
        "metric_date": "2026-03-01",
        "metric_hour": None,
        "created_at": "2026-03-01T01:00:00+01:00",
        "clicks": 3,
        "surprise": "2026-03-01",
    }

    row = row_of(ArchiveTable.ANALYTICS, document)

    assert row == {**document, "metric_date": date(2026, 3, 1), "created_at": AT}
