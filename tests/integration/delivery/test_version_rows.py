"""Each delivered version is told in `content_versions`: truly, or not yet."""

import pytest

from engarde_daemon.domain import changes, history
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import ChangeType, Item
from engarde_daemon.domain.records import RecordKey, VersionRecord
from engarde_daemon.testing.records import record_with, version_record_of
from tests.integration.delivery.test_delivery import Round, retitled, round_

__all__ = ["round_"]

_MAKE_DUE = "update engarde.outbox set leased_until = '-infinity'"


async def told(round_: Round, item: Item) -> VersionRecord | None:
    """What the store tells of a version."""
    key = RecordKey.of(item)
    return (await round_.store.get_versions([key])).get(key.history_id)


async def delivered(round_: Round, body: str) -> Item:
    """An item whose first version is delivered and no longer staged."""
    (item,) = await round_.write(body)
    await round_.deliver()
    await round_.index()
    assert await round_.staged() == 0
    return item


async def change(round_: Round, item: Item, **fields: object) -> Item:
    """Commit a change of an item."""
    write = changes.update(item, Patch(**fields), by="editor", at=item.created_at)  # type: ignore[arg-type]
    (changed,) = await round_.commit([write])
    return changed


async def test_while_the_body_before_is_missing_a_version_is_not_told(round_: Round):
    """Its content is stored meanwhile, and stays staged until the version can be told."""
    item = await delivered(round_, "old\nbody")
    round_.store.lose(item.zerodb_id)
    changed = await change(round_, item, body="new\nbody")

    await round_.deliver()

    assert await round_.stored(changed) == "new\nbody"
    assert await told(round_, changed) is None
    (row,) = await round_.waiting()
    assert "the one before, cannot be read" in row["last_error"]
    assert await round_.staged() == 1


async def test_once_the_body_before_is_back_the_version_is_told(round_: Round):
    """Nothing but the body is needed."""
    item = await delivered(round_, "old\nbody")
    (lost,) = [row async for row in round_.store.scan()]
    round_.store.lose(item.zerodb_id)
    changed = await change(round_, item, body="new\nbody")
    await round_.deliver()

    await round_.store.put_many([lost])
    await round_.sql.execute(_MAKE_DUE)
    await round_.deliver()

    row = await told(round_, changed)
    assert row is not None
    assert row.changes_summary == "body +1 −1 words"
    assert await round_.waiting() == []


async def test_a_version_whose_row_is_not_proved_stays_staged(round_: Round):
    """Its content is stored, but both rows must stand before the body leaves PostgreSQL."""
    (item,) = await round_.write("body")
    foreign = record_with("foreign", content_id=item.id, tenant_id=round_.tenant.id)
    await round_.store.put_versions([version_record_of(foreign)])

    await round_.deliver()
    await round_.index()

    assert await round_.stored(item) == "body"
    (row,) = await round_.waiting()
    assert "did not prove" in row["last_error"]
    assert await round_.staged() == 1


@pytest.mark.parametrize("delivered_before", [True, False])
async def test_a_version_is_told_against_the_one_before(round_: Round, *, delivered_before: bool):
    """Whether that is delivered already or on its way in the same batch."""
    (item,) = await round_.write("one\ntwo\nthree")
    if delivered_before:
        await round_.deliver()
        await round_.index()
    changed = await change(round_, item, title="Other", body="one\nzwei\nthree")

    await round_.deliver()

    first, second = await told(round_, item), await told(round_, changed)
    assert first is not None
    assert second is not None
    assert (first.change_type, first.changes_summary, first.diff_from_previous) == (
        ChangeType.CREATE,
        "created",
        [],
    )
    assert (second.change_type, second.changed_by_user_id) == (ChangeType.UPDATE, "editor")
    assert second.changes_summary == "title changed; body +1 −1 words"
    assert second.diff_from_previous == [
        {"op": "replace", "path": "/title", "value": "Other"},
        {"op": "replace", "path": "/content_body/1", "value": "zwei"},
    ]
    assert second.sha256 == changed.sha256
    assert history.apply(first.content_snapshot, second.diff_from_previous) == (
        second.content_snapshot
    )


async def test_every_kind_of_change_is_told_with_its_body(round_: Round):
    """Also those that kept the body they had."""
    item = await delivered(round_, "body")
    (deleted,) = await round_.commit([changes.delete(item, by="a", at=item.created_at)])
    (back,) = await round_.commit([changes.undelete(deleted, by="b", at=item.created_at)])
    (restored,) = await round_.commit(
        [changes.restore_version(back, item, by="c", at=item.created_at)]
    )

    await round_.deliver()

    rows = [await told(round_, version) for version in (deleted, back, restored)]
    assert [(row.changes_summary, row.content_snapshot.content_body) for row in rows if row] == [
        ("deleted", "body"),
        ("restored from the trash", "body"),
        ("restored from version 1", "body"),
    ]


async def test_a_version_whose_forerunner_is_not_kept_is_told_without_a_diff(round_: Round):
    """An empty diff would say that nothing changed."""
    item = await delivered(round_, "body")
    changed = await change(round_, item, title="Other")
    await round_.sql.execute("delete from engarde.content_versions where version = 1")

    await round_.deliver()

    row = await told(round_, changed)
    assert row is not None
    assert (row.diff_from_previous, row.changes_summary) == (None, "title changed")


async def test_a_version_is_told_although_the_row_of_its_body_is_gone(round_: Round):
    """Retention removed it; the version before has the body in a row of its own."""
    item = await delivered(round_, "body")
    second = (await round_.commit([retitled(item)]))[0]
    await round_.deliver()
    round_.store.lose(item.zerodb_id)

    third = await change(round_, second, title="Third")
    await round_.deliver()

    assert await round_.stored(third) == "body"
    row = await told(round_, third)
    assert row is not None
    assert row.changes_summary == "title changed"
