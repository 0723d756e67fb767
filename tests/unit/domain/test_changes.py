"""How an item moves from one version to the next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Draft, Patch, Write
from engarde_daemon.domain.content import (
    ChangeType,
    ContentType,
    Details,
    Item,
    Status,
    record_id,
    sha256_of,
)
from engarde_daemon.domain.errors import IllegalTransition, Invalid

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
CONTENT = "01a204be-b7b9-7f3d-95ee-0a6c7a8b7b86"


def made(**wishes: object) -> Write:
    """The first version of an item."""
    draft = Draft(
        title="A title",
        body="A body",
        content_type=ContentType.POST,
        status=Status.DRAFT,
        details=Details(tags=("old",)),
    )
    return changes.create(
        msgspec.structs.replace(draft, **wishes),
        content_id=CONTENT,
        tenant_id="t",
        brand_id="b",
        user_id="u",
        at=NOON,
    )


def changed(item: Item, legacy_body: str | None = None, **fields: Any) -> Write:
    """The version after it."""
    return changes.update(item, Patch(**fields), by="v", at=LATER, legacy_body=legacy_body)


def test_a_schedule_needs_a_moment():
    """An item is never scheduled for nobody knows when."""
    with pytest.raises(Invalid, match="scheduled_at"):
        made(status=Status.SCHEDULED)


def test_a_moment_cannot_be_taken_from_a_schedule():
    """Only together with its status."""
    scheduled = made(status=Status.SCHEDULED, scheduled_at=LATER).item

    with pytest.raises(Invalid):
        changed(scheduled, scheduled_at=None)

    assert changed(scheduled, scheduled_at=None, status=Status.DRAFT).item.scheduled_at is None


def test_a_status_that_cannot_follow_is_refused_with_those_that_can():
    """The error says what would do."""
    archived = made(status=Status.ARCHIVED).item

    with pytest.raises(IllegalTransition, match="archived") as refusal:
        changed(archived, status=Status.SCHEDULED, scheduled_at=LATER)

    assert refusal.value.allowed == ["draft", "published"]


def test_a_status_of_the_platforms_own_may_be_left_for_any():
    """Items from before the daemon are not locked in."""
    foreign = msgspec.structs.replace(made().item, status="in_review")

    assert changed(foreign, status=Status.ARCHIVED).item.status == "archived"


def test_a_new_item_counts_its_body_in_bytes():
    """UTF-8, not characters."""
    write = made(body="über")

    assert (write.item.size_bytes, write.growth_bytes) == (5, 5)


def test_an_item_born_published_was_published_at_birth():
    """And a draft never was."""
    published = made(status=Status.PUBLISHED).item.published_at

    assert (published, made().item.published_at) == (NOON, None)


def test_a_patch_changes_what_it_names_and_nothing_else():
    """Also inside the details."""
    before = made().item

    after = changed(before, title="Another", tags=("new",)).item

    assert (after.title, after.details.tags) == ("Another", ("new",))
    same = {"version", "title", "details", "updated_at"}
    for name in set(Item.__struct_fields__) - same:
        assert getattr(after, name) == getattr(before, name), name


def test_an_unchanged_body_stays_where_it_is():
    """The version points at the one that first carried it."""
    write = changed(made().item, title="Another")

    assert (write.body, write.item.version, write.item.body_version) == (None, 2, 1)


def test_a_new_body_brings_its_size_and_fingerprint():
    """And the tenant's usage changes by the difference."""
    write = changed(made().item, body="A longer body")

    assert write.item.sha256 == sha256_of("A longer body")
    assert (write.item.body_version, write.growth_bytes) == (2, 7)


def test_a_body_of_the_platforms_row_moves_in_with_its_first_change():
    """Whatever the change is about."""
    legacy = msgspec.structs.replace(made().item, body_version=0, size_bytes=0, sha256="")

    for write in (
        changed(legacy, legacy_body="from before", title="x"),
        changes.delete(legacy, by="v", at=LATER, legacy_body="from before"),
        changes.undelete(legacy, by="v", at=LATER, legacy_body="from before"),
    ):
        assert (write.body, write.item.body_version) == ("from before", 2)
        assert write.item.sha256 == sha256_of("from before")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.PUBLISHED, ChangeType.PUBLISH),
        (Status.ARCHIVED, ChangeType.ARCHIVE),
        (Status.DRAFT, ChangeType.UPDATE),
    ],
)
def test_a_change_is_called_by_what_it_does(status: Status, kind: ChangeType):
    """Publishing and archiving have names of their own."""
    assert changed(made().item, status=status).change.type is kind


def test_publishing_notes_the_moment_and_keeps_it():
    """A later change of the title does not."""
    published = changed(made().item, status=Status.PUBLISHED).item
    retitled = changes.update(published, Patch(title="x"), by="v", at=LATER + timedelta(days=1))

    assert retitled.item.published_at == LATER


def test_a_deleted_item_counts_no_more():
    """Its last state stays readable from its final version."""
    write = changes.delete(made().item, by="v", at=LATER)

    assert (write.growth_bytes, write.item.deleted_at, write.item.title) == (-6, LATER, "A title")
    assert write.change.type is ChangeType.DELETE


def test_an_undeleted_item_counts_again():
    """As it was, one version on."""
    thrown = changes.delete(made().item, by="v", at=LATER).item

    write = changes.undelete(thrown, by="v", at=LATER)

    assert (write.growth_bytes, write.item.deleted_at, write.item.version) == (6, None, 3)


def test_a_restored_version_brings_content_back_but_not_its_place_in_life():
    """Status, schedule and publication belong to today."""
    past = made(body="then").item
    today = changed(past, body="today", title="Today", status=Status.PUBLISHED).item

    write = changes.restore_version(today, past, by="v", at=LATER)

    assert (write.item.title, write.item.sha256) == ("A title", sha256_of("then"))
    assert (write.item.body_version, write.body) == (1, None)
    assert (write.item.status, write.item.published_at) == ("published", LATER)
    assert (write.item.version, write.change.type) == (3, ChangeType.RESTORE)


def test_a_summary_names_the_fields():
    """Or says that nothing changed."""
    named = changed(made().item, title="x", tags=("y",)).change.summary

    assert (named, changed(made().item).change.summary) == (
        "title, tags changed",
        "nothing changed",
    )


def test_the_first_row_has_the_contents_own_id():
    """And every other version one that can be computed again."""
    ids = [record_id(CONTENT, version) for version in (1, 2, 3)]

    assert ids[0] == CONTENT
    assert len(set(ids)) == 3
    assert made().item.zerodb_id == ids[0]


class TestTags:
    """Tags that are put on and taken off, beside those that stay."""

    @pytest.mark.parametrize(
        ("add", "remove", "wanted"),
        [
            (["new"], [], ("old", "new")),
            (["new", "New"], [], ("old", "new")),
            (["OLD"], [], ("old",)),
            ([], ["Old"], ()),
            (["old"], ["old"], ("old",)),
            (["new"], ["never there"], ("old", "new")),
        ],
    )
    def test_they_follow_each_other(self, add: list[str], remove: list[str], wanted: tuple[str]):
        """In the order in which they came; capitals make no difference."""
        assert changes.retag(made().item, add=add, remove=remove) == Patch(tags=wanted)

    def test_there_is_an_end_to_them(self):
        """An item that would have too many keeps what it has."""
        with pytest.raises(Invalid, match="100 tags"):
            changes.retag(made().item, add=[str(number) for number in range(100)], remove=[])

    def test_one_that_has_too_many_can_be_rid_of_some(self):
        """Such as one that was moved in: what makes it better is no fault."""
        tags = tuple(str(number) for number in range(150))
        item = made(details=Details(tags=tags)).item

        assert changes.retag(item, add=["new"], remove=["0"]).tags == (*tags[1:], "new")
        with pytest.raises(Invalid, match="100 tags"):
            changes.retag(item, add=["new"], remove=[])


@pytest.mark.parametrize(
    ("fields", "nothing"),
    [
        ({}, True),
        ({"tags": ("old",)}, True),
        ({"status": Status.DRAFT, "title": "A title"}, True),
        ({"tags": ("new",)}, False),
        ({"status": Status.PUBLISHED}, False),
        ({"status": Status.DRAFT, "scheduled_at": LATER}, False),
        ({"body": "A body"}, False),
    ],
)
def test_a_change_to_what_already_is_changes_nothing(fields: dict[str, Any], *, nothing: bool):
    """A body is never compared: nobody has it at hand."""
    assert changes.changes_nothing(made().item, Patch(**fields)) is nothing
