"""Rows of ZeroDB, and the proof that they are what was asked for."""

from datetime import UTC, datetime

import msgspec
import pytest

from engarde_daemon.domain.content import (
    Change,
    ChangeType,
    Details,
    Item,
    preview_of,
    sha256_of,
    size_of,
)
from engarde_daemon.domain.history import Comparison, snapshot_of
from engarde_daemon.domain.records import ContentRecord, RecordKey, record_of, version_record_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ID = "01a204be-b7b9-7f3d-95ee-0a6c7a8b7b86"


def item(version: int = 1) -> Item:
    """An item with the body "A body"."""
    return Item(
        id=ID,
        tenant_id="t",
        brand_id="b",
        user_id="u",
        version=version,
        body_version=version,
        title="A title",
        content_type="post",
        status="scheduled",
        details=Details(tags=("x",)),
        preview="A body",
        size_bytes=size_of("A body"),
        sha256=sha256_of("A body"),
        scheduled_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )


def key(**fields: object) -> RecordKey:
    """What the row of the first version is asked by."""
    return msgspec.structs.replace(RecordKey("t", ID, 1, sha256_of("A body")), **fields)


@pytest.mark.parametrize(
    "fields",
    [{"tenant_id": "other"}, {"content_id": "other"}, {"version": 2}, {"sha256": sha256_of("x")}],
)
def test_a_row_of_something_else_does_not_match(fields: dict[str, object]):
    """Another tenant's, content's, version's or body's row counts as missing."""
    assert not key(**fields).matches(record_of(item(), "A body"))


@pytest.mark.parametrize("body", ["A bodY", "A body "])
def test_a_damaged_row_does_not_match(body: str):
    """Whatever its row says of itself."""
    record = msgspec.structs.replace(record_of(item(), "A body"), content_body=body)

    assert not record.is_intact()
    assert not key().matches(record)


def test_a_sound_row_matches():
    """Tenant, content, version and body agree."""
    assert key().matches(record_of(item(), "A body"))


def test_the_first_row_is_the_content_and_others_are_versions_of_it():
    """As the platform's architecture names them."""
    first, second = record_of(item(), "A body"), record_of(item(2), "A body")

    assert (first.id, first.version_of) == (ID, None)
    assert (second.version_of, second.content_id, second.id != ID) == (ID, ID, True)


def test_a_row_is_json_and_back():
    """Stores keep it as text."""
    text = msgspec.json.encode(record_of(item(), "A body"))
    record = msgspec.json.decode(text, type=ContentRecord)

    assert msgspec.json.encode(record) == text
    assert record.metadata == {"tags": ["x"], "scheduled_at": NOON.isoformat()}


def test_a_preview_is_the_first_two_hundred_characters():
    """Characters, not bytes."""
    assert preview_of("ü" * 300) == "ü" * 200


def test_a_key_names_every_row_of_a_version():
    """It is made of the item alone."""
    assert RecordKey.of(item(2)) == key(version=2)
    assert item(2).body_name == (ID, 2)
    assert record_of(item(2), "A body").id == item(2).zerodb_id == key(version=2).id


def test_the_row_of_a_version_says_who_changed_what():
    """With the state it led to and the way there."""
    record = record_of(item(2), "A body")
    change = Change(type=ChangeType.UPDATE, by="me", summary="")
    compared = Comparison("title changed", [{"op": "remove", "path": "/metadata/tags"}])
    row = version_record_of(
        record, change, snapshot=snapshot_of(item(2), "A body"), compared=compared
    )

    assert (row.content_id, row.version, row.changed_by_user_id) == (ID, 2, "me")
    assert (row.changes_summary, row.diff_from_previous) == (compared.summary, compared.patch)
    assert key(version=2).matches(row)
