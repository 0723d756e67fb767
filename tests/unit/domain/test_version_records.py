"""Rows of `content_versions`: their ids for ever, and their proof."""

import msgspec

from engarde_daemon.domain.records import RecordKey, VersionRecord, history_id
from engarde_daemon.testing.records import key_of, record_with, version_record_of

CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"


def told(body: str = "A body", version: int = 1) -> VersionRecord:
    """What a version of the content changed."""
    return version_record_of(record_with(body, content_id=CONTENT, tenant_id="t", version=version))


def test_an_id_follows_from_that_of_the_content_for_ever():
    """A daemon of tomorrow finds the rows of today, and need not be told a UUID."""
    assert history_id(CONTENT) == "a864c4b0-7410-5c3f-a1b6-3f98ece4e7d2"
    assert history_id("legacy-7") == "e2c875aa-08a4-52e2-88b1-78d8372ddb89"


def test_the_two_rows_of_a_version_are_found_by_one_key():
    """Under an id in each collection."""
    record = record_with("A body", content_id=CONTENT, tenant_id="t", version=2)
    key = RecordKey("t", CONTENT, 2, record.sha256)

    assert (key.id, key.history_id) == (record.id, told(version=2).id)
    assert key.matches(record)
    assert key.matches(told(version=2))


def test_a_damaged_snapshot_does_not_match():
    """Its hash tells."""
    rotten = msgspec.structs.replace(told().content_snapshot, content_body="rotten")

    assert not key_of(told()).matches(msgspec.structs.replace(told(), content_snapshot=rotten))


def test_a_row_has_the_fields_of_the_architecture():
    """With the fingerprint beside them."""
    assert msgspec.to_builtins(told()).keys() == {
        "id",
        "content_id",
        "tenant_id",
        "version_number",
        "changed_by_user_id",
        "change_type",
        "content_snapshot",
        "changes_summary",
        "diff_from_previous",
        "created_at",
        "sha256",
    }
