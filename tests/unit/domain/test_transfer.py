"""What is taken in from elsewhere keeps its age, and is known when it comes again."""

from datetime import UTC, datetime

import msgspec
import pytest

from engarde_daemon.domain.changes import Draft
from engarde_daemon.domain.content import ChangeType, ContentType, Details, Status, sha256_of
from engarde_daemon.domain.errors import Invalid
from engarde_daemon.domain.transfer import Parcel, imported_id, take_in

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG_AGO = datetime(2019, 3, 2, 1, tzinfo=UTC)
DRAFT = Draft(
    title="Old", body="Grüße", content_type=ContentType.POST, status=Status.PUBLISHED,
    details=Details(),
)  # fmt: skip


def taken(**fields: object):
    """The write of a parcel, taken in today."""
    parcel = Parcel(source_id="wp-17", draft=DRAFT, **fields)  # type: ignore[arg-type]
    return take_in(parcel, tenant_id="acme", brand_id="b", user_id="u", at=NOW)


def test_an_id_follows_from_tenant_brand_and_source():
    """The same three always give the same id, any other another one."""
    ids = {imported_id(t, b, s) for t in "ab" for b in "cd" for s in "12"}

    assert imported_id("a", "c", "1") in ids
    assert len(ids) == 8


def test_an_item_is_as_old_as_it_was():
    """It changed here today, but was made and published long ago."""
    item = taken(created_at=LONG_AGO, published_at=LONG_AGO).item

    assert (item.created_at, item.published_at, item.updated_at) == (LONG_AGO, LONG_AGO, NOW)
    assert (item.id, item.version) == (imported_id("acme", "b", "wp-17"), 1)
    assert item.sha256 == sha256_of("Grüße")


def test_without_moments_it_is_as_new_as_a_creation():
    """Other systems do not always say how old something is."""
    item = taken().item

    assert (item.created_at, item.published_at) == (NOW, NOW)


def test_its_history_begins_with_the_import():
    """By whoever imported it."""
    change = taken().change

    assert (change.type, change.by, change.summary) == (ChangeType.CREATE, "u", "imported")


def test_a_schedule_without_a_moment_is_refused():
    """As for a creation."""
    draft = msgspec.structs.replace(DRAFT, status=Status.SCHEDULED)

    with pytest.raises(Invalid):
        take_in(
            Parcel(source_id="1", draft=draft), tenant_id="a", brand_id="b", user_id="u", at=NOW
        )
