"""A cursor names its list and its place; a forged one is refused before it reaches SQL."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engarde_daemon.api.content.cursors import TRASH, Cursor, cursor_after
from engarde_daemon.domain.content import Details, Item
from engarde_daemon.ports.lists import Sort, SortedPlace

ID = "0190a0c0-0000-7000-8000-000000000001"
CREATED, UPDATED, DUE, DELETED = (
    datetime(2026, 1, day, 12, 30, 15, 123456, tzinfo=UTC) for day in (1, 2, 3, 4)
)


def item(**fields: Any) -> Item:
    """An item that differs in everything a list is sorted by."""
    return Item(
        id=ID, tenant_id="t", brand_id="b", user_id="u", title="Ä title", content_type="post",
        status="draft", details=Details(), preview="", size_bytes=0, sha256="",
        created_at=CREATED, updated_at=UPDATED, **{"scheduled_at": DUE, **fields},
    )  # fmt: skip


def forged(*parts: Any) -> str:
    """A cursor that somebody made up."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("order", "at", "key"),
    [
        (Sort.NEWEST, CREATED, None),
        (Sort.OLDEST, CREATED, None),
        (Sort.LAST_CHANGED, UPDATED, None),
        (Sort.FIRST_CHANGED, UPDATED, None),
        (Sort.TITLE, None, "Ä title"),
        (Sort.TITLE_DOWN, None, "Ä title"),
        (Sort.SCHEDULE, DUE, None),
        (Sort.SCHEDULE_DOWN, DUE, None),
        (Sort.RELEVANCE, CREATED, "0.25"),
    ],
)
def test_a_cursor_comes_back_as_it_went(order: Sort, at: datetime | None, key: str | None):
    """With what its list is sorted by, to the microsecond."""
    cursor = Cursor.parse(cursor_after(item(), order, 0.25))

    assert cursor.order == order
    assert cursor.place == SortedPlace(content_id=ID, at=at, key=key)


def test_an_item_without_a_schedule_has_its_place_too():
    """Behind all that have one."""
    cursor = Cursor.parse(cursor_after(item(scheduled_at=None), Sort.SCHEDULE, None))

    assert cursor.place == SortedPlace(content_id=ID)


def test_the_trash_is_sorted_by_deletion():
    """It is a list of its own."""
    cursor = Cursor.parse(cursor_after(item(deleted_at=DELETED), TRASH, None))

    assert (cursor.order, cursor.place) == (TRASH, SortedPlace(content_id=ID, at=DELETED))


def test_an_empty_cursor_is_the_start():
    """Clients send what they have, which is nothing at first."""
    assert Cursor.parse("").place is None


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "é",
        forged(),
        forged("nope", ID, 1),
        forged("created_at"),
        forged("created_at", ID),
        forged("created_at", ID, None),
        forged("created_at", ID, 1, "key"),
        forged("created_at", "a b", 1),
        forged("created_at", ID, 10**18),
        forged("created_at", ID, -(10**18)),
        forged("created_at", ID, 10**30),
        forged("created_at", ID, 1.5),
        forged("created_at", ID, True),
        forged("title", ID, None),
        forged("title", ID, 1, "key"),
        forged("title", ID, None, "\0"),
        forged("title", ID, None, "\ud800"),
        forged("title", ID, None, 5),
        forged("scheduled_at", ID, None, "key"),
        forged("relevance", ID, 1),
        forged("relevance", ID, 1, "high"),
        forged("relevance", ID, 1, "1e300"),
        forged("relevance", ID, None, "1"),
        forged("-relevance", ID, 1, "high"),
        forged("id; drop table", ID, 1),
        forged(["created_at"], ID, 1),
    ],
)
def test_a_forged_cursor_is_refused(text: str):
    """Whatever its list would not have given out."""
    with pytest.raises(ValueError, match="is not a cursor"):
        Cursor.parse(text)


def test_a_rank_too_small_for_postgres_is_none_at_all():
    """`real` would refuse it as out of range."""
    place = Cursor.parse(forged("relevance", ID, 1, "1e-60")).place

    assert place is not None
    assert place.key == "0.0"
