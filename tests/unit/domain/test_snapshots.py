"""Rows of the archive: one id for each version, for ever, and a proof of its body."""

from datetime import UTC, datetime

import msgspec
import pytest

from engarde_daemon.domain.content import Change, ChangeType, sha256_of
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import SOURCE_SYSTEM, ContentSnapshot, snapshot_id
from tests.unit.domain.test_records import item

CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"
CHANGE = Change(type=ChangeType.UPDATE, by="u", summary="title changed")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def snapshot(body: str = "A body") -> ContentSnapshot:
    """The third version of a content."""
    return ContentSnapshot(
        content_id=CONTENT,
        snapshot_id=snapshot_id(CONTENT, 3),
        tenant_id="t",
        brand_id="b",
        campaign_space_id=None,
        user_id="u",
        title="A title",
        content_body=body,
        content_type="post",
        status="draft",
        metadata={},
        ai_generation_metadata={},
        storage_metadata={},
        version=3,
        version_of=CONTENT,
        snapshot_timestamp=NOON,
        content_created_at=NOON,
        content_updated_at=NOON,
        ingested_at=NOON,
        deleted_at=None,
        change_type="update",
        changed_by="u",
        changes_summary="title changed",
        sha256=sha256_of(body),
    )


def test_an_id_follows_from_the_version_for_ever():
    """A daemon of tomorrow sends the same row again, and the archive knows it."""
    assert snapshot_id(CONTENT, 3) == "2c7492ce-33b4-5eb1-88ae-53eac351fbe1"
    assert len({snapshot_id(CONTENT, version) for version in range(1, 50)}) == 49


def test_a_row_is_found_in_zerodb_by_its_key():
    """Tenant, content, version and hash are the same in both."""
    row = snapshot()

    assert row.key == RecordKey("t", CONTENT, 3, row.sha256)
    assert row.source_system == SOURCE_SYSTEM


@pytest.mark.parametrize("body", ["rotten", "", "A body "])
def test_a_changed_body_is_noticed(body: str):
    """Its hash tells; that of an untouched one agrees."""
    row = snapshot()

    assert row.is_intact()
    assert not msgspec.structs.replace(row, content_body=body).is_intact()


def test_a_version_becomes_a_row():
    """With all that a restore needs of it, and its time as the partition's."""
    row = ContentSnapshot.of(item(3), CHANGE, body="A body", ingested_at=NOON)

    assert (row.snapshot_id, row.version_of) == (snapshot_id(row.content_id, 3), row.content_id)
    assert (row.change_type, row.changed_by, row.changes_summary) == (
        "update",
        "u",
        "title changed",
    )
    assert row.row["snapshot_timestamp"] == NOON
    assert row.is_intact()
