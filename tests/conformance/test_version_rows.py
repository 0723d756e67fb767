"""What every body store promises of `content_versions`, whatever holds the rows."""

import uuid

import msgspec
import pytest

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import VersionRecord
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.testing.records import key_of, record_with, version_record_of

# See test_body_store.py.
pytestmark = pytest.mark.timeout(300, func_only=True)

ACME = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"
BOND = "9b7e2f44-51aa-4d0e-b0c4-2f1d0c5e7b02"
CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"


def told(body: str = "Hello", *, tenant_id: str = ACME, version: int = 1) -> VersionRecord:
    """What a version of the content changed."""
    return version_record_of(
        record_with(body, content_id=CONTENT, tenant_id=tenant_id, version=version)
    )


async def has(store: BodyStore, record: VersionRecord) -> bool:
    """Whether the store holds exactly this row."""
    return await store.get_versions([key_of(record)]) == {record.id: record}


class TestRefusals:
    """Rows that must not get in, or not get out."""

    async def test_another_body_under_the_same_id_is_not_proved(self, store):
        """A version is told once, and the first telling stays."""
        await store.put_versions([told("first")])

        assert await store.put_versions([told("second")]) == frozenset()
        assert await has(store, told("first"))

    async def test_two_bodies_under_one_id_in_one_batch_prove_neither(self, store):
        """An id in the answer would leave open which body it stands for."""
        assert await store.put_versions([told("first"), told("second")]) == frozenset()

    async def test_a_row_that_does_not_match_its_own_hash_is_not_stored(self, store):
        """A snapshot damaged on its way here is not made official."""
        other = msgspec.structs.replace(told().content_snapshot, content_body="received")
        broken = msgspec.structs.replace(told(), content_snapshot=other)

        assert await store.put_versions([broken]) == frozenset()
        assert await store.get_versions([key_of(told())]) == {}

    async def test_another_tenants_row_is_neither_proved_nor_read(self, store):
        """An id that is taken is taken for everyone, and its owner keeps it."""
        await store.put_versions([told()])

        assert await store.put_versions([told(tenant_id=BOND)]) == frozenset()
        assert await store.get_versions([key_of(told(tenant_id=BOND))]) == {}
        assert await has(store, told())

    @pytest.mark.parametrize(
        "change",
        [{"version": 2}, {"sha256": sha256_of("else")}, {"content_id": str(uuid.UUID(int=7))}],
        ids=lambda change: next(iter(change)),
    )
    async def test_a_key_that_differs_in_one_part_finds_nothing(self, store, change):
        """Every part of a key is checked."""
        await store.put_versions([told(), told(version=3)])

        assert await store.get_versions([msgspec.structs.replace(key_of(told()), **change)]) == {}


class TestDamage:
    """Rows that were stored well and went bad."""

    async def test_a_damaged_row_counts_as_missing_and_is_counted(self, rig):
        """A snapshot that fails its hash is never handed out."""
        await rig.store.put_versions([told(), told(version=2)])
        rig.damage_version(told().id)

        found = await rig.store.get_versions([key_of(told()), key_of(told(version=2))])

        assert found == {told(version=2).id: told(version=2)}
        assert rig.damaged_rows_seen() == 1

    async def test_putting_a_damaged_row_again_repairs_it(self, rig):
        """Delivery mends what reading found broken."""
        await rig.store.put_versions([told()])
        rig.damage_version(told().id)

        assert await rig.store.put_versions([told()]) == {told().id}
        assert await has(rig.store, told())


class TestKeeping:
    """Rows that go in and come out."""

    async def test_every_field_of_a_row_comes_back(self, store):
        """The row is the document, with nothing added and nothing lost."""
        full = msgspec.structs.replace(
            told("Grüße 👋\nand more", version=2),
            diff_from_previous=[
                {"op": "add", "path": "/metadata/a~1b", "value": [None, True, 1.5, {"": "ü"}]},
                {"op": "remove", "path": "/content_body/0"},
            ],
        )

        assert await store.put_versions([full]) == {full.id}
        assert await has(store, full)

    async def test_an_unknown_diff_stays_unknown(self, store):
        """It is not the same as a diff without operations."""
        unknown = msgspec.structs.replace(told(version=2), diff_from_previous=None)

        await store.put_versions([unknown])

        assert await has(store, unknown)

    async def test_putting_a_row_twice_is_putting_it_once(self, store):
        """A delivery whose outcome was unknown may be repeated; what stands is not rewritten."""
        await store.put_versions([told()])
        later = msgspec.structs.replace(told(), changes_summary="told another way")

        assert await store.put_versions([told(), later]) == {told().id}
        assert await has(store, told())

    async def test_more_keys_than_any_bound_are_answered(self, store):
        """Bounds on one query are the store's own business."""
        records = [told(f"Body {number}", version=number) for number in range(1, 621)]
        await store.put_versions(records, unsent={record.id for record in records})

        found = await store.get_versions([key_of(record) for record in records])

        assert found == {record.id: record for record in records}

    async def test_an_empty_batch_is_nothing_to_do(self, store):
        """Callers need not look before they call."""
        assert await store.put_versions([]) == frozenset()
        assert await store.get_versions([]) == {}


class TestBesideTheContent:
    """The two rows of one version."""

    async def test_the_two_rows_do_not_get_in_each_others_way(self, store):
        """Each collection has ids of its own."""
        record = record_with("Hello", content_id=CONTENT, tenant_id=ACME)
        await store.put_many([record])
        await store.put_versions([told()])

        assert record.id != told().id
        assert await store.get_many([key_of(record)]) == {record.id: record}
        assert [row async for row in store.scan()] == [record]
        assert await has(store, told())

    async def test_deleting_the_content_deletes_what_is_told_of_it(self, store):
        """An erasure names rows of content, and leaves no copy of their text behind."""
        records = [
            record_with("Hello", content_id=CONTENT, tenant_id=ACME, version=v) for v in (1, 2)
        ]
        await store.put_many(records)
        await store.put_versions([told(), told(version=2)])

        assert await store.delete_many(ACME, [records[0].id]) == 2

        assert await store.get_versions([key_of(told())]) == {}
        assert await has(store, told(version=2))

    async def test_what_is_told_goes_even_if_the_content_went_before(self, store):
        """A removal that was cut off half-way is repeated."""
        await store.put_versions([told()])

        assert await store.delete_many(ACME, [CONTENT]) == 1
        assert await store.get_versions([key_of(told())]) == {}

    async def test_another_tenant_deletes_nothing_that_is_told(self, store):
        """Deleting asks for the tenant, and means it."""
        await store.put_versions([told()])

        assert await store.delete_many(BOND, [CONTENT]) == 0
        assert await has(store, told())
