"""Patterns stand for types; documents are what everyone is told."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from engarde_daemon.domain.events import Event, EventType, unknown_patterns, wants


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (["*"], True),
        (["content.*"], True),
        (["content.created"], True),
        (["quota.*", "content.created"], True),
        ([], False),
        (["content.updated"], False),
        (["quota.*"], False),
        (["content"], False),
        (["content.create"], False),
        (["*.created"], False),
    ],
)
def test_a_pattern_is_a_name_an_area_or_all(patterns: list[str], *, wanted: bool):
    """Nothing else."""
    assert wants(patterns, EventType.CONTENT_CREATED) is wanted


def test_patterns_that_stand_for_nothing_are_told():
    """Among those that do."""
    patterns = ["*", "content.*", "import.failed", "contents.*", "content", "", "import.begun"]

    assert unknown_patterns(patterns) == ["contents.*", "content", "", "import.begun"]


@pytest.mark.parametrize("type_", EventType)
def test_every_type_has_an_area_and_fits_its_column(type_: EventType):
    """`varchar(40)` in `engarde.events`."""
    area, _, name = type_.partition(".")

    assert area
    assert name
    assert len(type_) <= 40


def test_a_document_says_what_happened_to_whom():
    """In one line, because a line break would end it in a stream."""
    event = Event(
        id="e",
        tenant_id="t",
        type="content.created",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        brand_id="b",
        actor_id=None,
        data=msgspec.Raw(b'{"title":"Two\\nlines"}'),
    )

    document = event.document()

    assert b"\n" not in document
    assert json.loads(document) == {
        "id": "e",
        "type": "content.created",
        "timestamp": "2026-01-01T00:00:00Z",
        "tenant_id": "t",
        "brand_id": "b",
        "actor_id": None,
        "data": {"title": "Two\nlines"},
    }
