"""What every body store promises, whatever holds the rows."""

import uuid
from collections.abc import Sequence

import msgspec
import pytest

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.testing.records import key_of, record_with

# Installing the real server takes longer than any test may; its fixture has bounds of its own.
pytestmark = pytest.mark.timeout(300, func_only=True)

ACME = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"
BOND = "9b7e2f44-51aa-4d0e-b0c4-2f1d0c5e7b02"
CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"


def acme(body: str = "Hello", *, content_id: str = CONTENT, version: int = 1) -> ContentRecord:
    """A row of the tenant that most tests are about."""
    return record_with(body, content_id=content_id, tenant_id=ACME, version=version)


def bond(body: str = "Hello", *, content_id: str = CONTENT, version: int = 1) -> ContentRecord:
    """A row of the other tenant."""
    return record_with(body, content_id=content_id, tenant_id=BOND, version=version)


def many(count: int, tenant_id: str = ACME) -> list[ContentRecord]:
    """Rows of as many contents."""
    return [
        record_with(f"Body {number}", content_id=str(uuid.uuid4()), tenant_id=tenant_id)
        for number in range(count)
    ]


async def fill(store: BodyStore, records: Sequence[ContentRecord]) -> None:
    """Put rows that nobody has put before, as the first delivery does."""
    ids = {record.id for record in records}
    assert await store.put_many(records, unsent=ids) == ids


async def walk(store: BodyStore, tenant_id: str | None = None) -> list[ContentRecord]:
    """Everything a scan meets."""
    return [record async for record in store.scan(tenant_id)]


class TestRefusals:
    """Rows that must not get in, or not get out."""

    async def test_another_body_under_the_same_id_is_not_proved(self, store):
        """A version has one body for ever."""
        await store.put_many([acme("first")])
        assert await store.put_many([acme("second")]) == frozenset()

    async def test_another_body_under_the_same_id_does_not_replace_the_first(self, store):
        """Refusing a body leaves the one that stands alone."""
        await store.put_many([acme("first")])
        await store.put_many([acme("second")])
        found = await store.get_many([key_of(acme("first"))])
        assert found[CONTENT].content_body == "first"

    async def test_a_refused_row_does_not_hold_up_its_neighbours(self, store):
        """Each row of a batch is judged for itself."""
        await store.put_many([acme("first")])
        good = many(3)
        proved = await store.put_many([good[0], acme("second"), *good[1:]])
        assert proved == {record.id for record in good}

    async def test_two_bodies_under_one_id_in_one_batch_prove_neither(self, store):
        """An id in the answer would leave open which body it stands for."""
        assert await store.put_many([acme("first"), acme("second")]) == frozenset()

    async def test_a_row_that_does_not_match_its_own_hash_is_not_stored(self, rig):
        """A body damaged on its way here is not made official."""
        broken = msgspec.structs.replace(acme("sent"), content_body="received")
        assert await rig.store.put_many([broken]) == frozenset()
        assert await walk(rig.store) == []
        assert rig.damaged_rows_seen() == 0

    async def test_a_broken_row_takes_the_proof_from_its_namesake(self, store):
        """An id in the answer holds for every row of the batch that bears it."""
        broken = msgspec.structs.replace(acme(), content_body="received")
        assert await store.put_many([acme(), broken]) == frozenset()

    async def test_a_row_with_a_wrong_size_is_not_stored(self, store):
        """Size and hash are one fingerprint."""
        storage = msgspec.structs.replace(acme().storage_metadata, size_bytes=4)
        broken = msgspec.structs.replace(acme(), storage_metadata=storage)
        assert await store.put_many([broken]) == frozenset()

    async def test_a_row_of_another_tenant_under_the_same_id_is_not_proved(self, store):
        """An id that is taken is taken for everyone."""
        await store.put_many([acme()])
        assert await store.put_many([bond()]) == frozenset()

    async def test_a_row_of_another_tenant_under_the_same_id_changes_nothing(self, store):
        """The owner keeps the row."""
        await store.put_many([acme()])
        await store.put_many([bond()])
        assert await walk(store) == [acme()]

    async def test_another_tenants_key_finds_nothing(self, store):
        """Knowing id, version and hash of a row is not enough to read it."""
        await store.put_many([acme()])
        assert await store.get_many([key_of(bond())]) == {}

    @pytest.mark.parametrize(
        "change",
        [{"version": 2}, {"sha256": sha256_of("else")}, {"content_id": str(uuid.UUID(int=7))}],
        ids=lambda change: next(iter(change)),
    )
    async def test_a_key_that_differs_in_one_part_finds_nothing(self, store, change):
        """Every part of a key is checked."""
        await store.put_many([acme(), acme("Hello", version=3)])
        assert await store.get_many([msgspec.structs.replace(key_of(acme()), **change)]) == {}

    async def test_an_unknown_key_does_not_hide_the_known_ones(self, store):
        """Missing rows are absent from the answer, no more."""
        there, missing = many(2)
        await store.put_many([there])
        assert await store.get_many([key_of(missing), key_of(there)]) == {there.id: there}

    async def test_another_tenant_deletes_nothing(self, store):
        """Deleting asks for the tenant, and means it."""
        await store.put_many([acme()])
        assert await store.delete_many(BOND, [CONTENT]) == 0
        assert await walk(store) == [acme()]


class TestDamage:
    """Rows that were stored well and went bad."""

    async def test_a_damaged_row_counts_as_missing(self, rig):
        """A body that fails its hash is never handed out."""
        await rig.store.put_many([acme()])
        rig.damage(CONTENT)
        assert await rig.store.get_many([key_of(acme())]) == {}

    async def test_a_damaged_row_does_not_hide_the_intact_ones(self, rig):
        """Damage is judged row by row."""
        intact = many(3)
        await rig.store.put_many([acme(), *intact])
        rig.damage(CONTENT)
        found = await rig.store.get_many([key_of(acme()), *map(key_of, intact)])
        assert found.keys() == {record.id for record in intact}

    async def test_a_damaged_row_is_counted(self, rig):
        """Operators learn of rot from the counter."""
        await rig.store.put_many([acme()])
        rig.damage(CONTENT)
        await rig.store.get_many([key_of(acme())])
        assert rig.damaged_rows_seen() == 1

    async def test_a_scan_passes_over_a_damaged_row(self, rig):
        """What a migration copies is intact."""
        intact = many(3)
        await rig.store.put_many([intact[0], acme(), *intact[1:]])
        rig.damage(CONTENT)
        assert {record.id for record in await walk(rig.store)} == {r.id for r in intact}
        assert rig.damaged_rows_seen() == 1

    async def test_putting_a_damaged_row_again_repairs_it(self, rig):
        """Delivery mends what reading found broken."""
        await rig.store.put_many([acme()])
        rig.damage(CONTENT)
        assert await rig.store.put_many([acme()]) == {CONTENT}
        assert await rig.store.get_many([key_of(acme())]) == {CONTENT: acme()}

    async def test_a_damaged_row_does_not_take_another_body(self, rig):
        """Repair restores the acknowledged body, and only that."""
        await rig.store.put_many([acme("first")])
        rig.damage(CONTENT)
        assert await rig.store.put_many([acme("second")]) == frozenset()
        assert await rig.store.get_many([key_of(acme("second"))]) == {}

    async def test_a_damaged_row_does_not_change_its_tenant(self, rig):
        """The same body under the same id is not yet the same row."""
        await rig.store.put_many([acme()])
        rig.damage(CONTENT)
        assert await rig.store.put_many([bond()]) == frozenset()


class TestKeeping:
    """Rows that go in and come out."""

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "Grüße, žluťoučký kůň",
            "漢字と👩‍👩‍👧‍👦 and 𝄞",
            'quotes " \\ \u2028 and\r\nlines\ttabs',
            "a\x00b\x7f\ufffe",
            "e\u0301 is not é",
        ],
        ids=["empty", "latin", "four-byte", "escapes", "controls", "combining"],
    )
    async def test_a_body_comes_back_as_it_was(self, store, body):
        """No character is special."""
        assert await store.put_many([acme(body)]) == {CONTENT}
        found = await store.get_many([key_of(acme(body))])
        assert found[CONTENT].content_body == body

    async def test_a_body_of_ten_megabytes_comes_back_as_it_was(self, store):
        """A body may be as large as a request may be."""
        large = acme("ten megabytes 🐘" * 560_000)
        assert large.storage_metadata.size_bytes > 10_000_000
        assert await store.put_many([large]) == {CONTENT}
        assert await store.get_many([key_of(large)]) == {CONTENT: large}

    async def test_every_field_of_a_row_comes_back(self, store):
        """The row is the document, with nothing added and nothing lost."""
        full = msgspec.structs.replace(
            acme(version=2),
            campaign_space_id=str(uuid.uuid4()),
            ai_generation_metadata={"model": "m", "temperature": 0.7, "nested": [{"a": None}]},
            deleted_at=acme().created_at,
        )
        await store.put_many([full])
        assert await store.get_many([key_of(full)]) == {full.id: full}

    async def test_versions_of_one_content_stand_side_by_side(self, store):
        """An update is another row."""
        versions = [acme(f"Version {number}", version=number) for number in (1, 2, 3)]
        await store.put_many(versions)
        found = await store.get_many([key_of(record) for record in versions])
        assert [found[record.id].content_body for record in versions] == [
            "Version 1",
            "Version 2",
            "Version 3",
        ]

    async def test_putting_a_row_twice_is_putting_it_once(self, store):
        """A delivery whose outcome was unknown may be repeated."""
        await store.put_many([acme()])
        assert await store.put_many([acme()]) == {CONTENT}
        assert await walk(store) == [acme()]

    async def test_a_row_wrongly_called_unsent_is_met_once(self, store):
        """The hint saves a question; it never decides what is read."""
        await fill(store, [acme()])
        await fill(store, [acme()])
        assert await walk(store) == [acme()]
        assert await store.get_many([key_of(acme())]) == {CONTENT: acme()}

    async def test_a_row_that_comes_twice_in_one_batch_is_stored_once(self, store):
        """Two outbox entries may lead to one row."""
        assert await store.put_many([acme(), acme()]) == {CONTENT}
        assert await walk(store) == [acme()]

    async def test_a_row_that_stands_is_not_rewritten_by_its_repetition(self, store):
        """The same body proves the row, whatever else the repetition says."""
        await store.put_many([acme()])
        assert await store.put_many([msgspec.structs.replace(acme(), title="Later")]) == {CONTENT}
        assert await walk(store) == [acme()]

    async def test_an_empty_batch_is_nothing_to_do(self, store):
        """Callers need not look before they call."""
        assert await store.put_many([]) == frozenset()
        assert await store.get_many([]) == {}
        assert await store.delete_many(ACME, []) == 0

    async def test_more_keys_than_any_bound_are_answered(self, store):
        """Bounds on one query are the store's own business."""
        records = many(620)
        await fill(store, records)
        found = await store.get_many([key_of(record) for record in records])
        assert found == {record.id: record for record in records}

    async def test_preparing_twice_keeps_the_rows(self, store):
        """Every start prepares."""
        await store.put_many([acme()])
        await store.prepare()
        assert await walk(store) == [acme()]


class TestWalking:
    """Scans."""

    async def test_an_empty_store_has_nothing_to_walk_over(self, store):
        """No row, no answer."""
        assert await walk(store) == []

    async def test_a_walk_meets_each_row_of_all_tenants_once(self, store):
        """Verification counts what it meets."""
        records = many(450) + many(450, BOND)
        await fill(store, records)
        met = [record.id for record in await walk(store)]
        assert sorted(met) == sorted(record.id for record in records)

    async def test_a_walk_over_a_tenant_meets_no_other_tenants_row(self, store):
        """Isolation holds for bulk reads too."""
        own, foreign = many(520), many(520, BOND)
        await fill(store, [row for pair in zip(own, foreign, strict=True) for row in pair])
        met = [record.id for record in await walk(store, ACME)]
        assert sorted(met) == sorted(record.id for record in own)

    async def test_a_walk_goes_on_while_rows_are_written(self, store):
        """A migration need not stop the daemon."""
        records = many(600)
        await fill(store, records)
        met: list[str] = []
        async for record in store.scan():
            if len(met) % 100 == 0:
                assert len(await store.put_many(many(20))) == 20
            met.append(record.id)
        assert len(set(met)) == len(met)
        assert {record.id for record in records} <= set(met)

    @pytest.mark.parametrize("tenant_id", [None, ACME], ids=["all tenants", "one tenant"])
    async def test_a_walk_that_feeds_itself_ends(self, store, tenant_id):
        """Rows written during a walk do not keep it going for ever."""
        await fill(store, many(10))
        copies: list[ContentRecord] = []
        async for _ in store.scan(tenant_id):
            assert len(copies) < 200
            copies += many(1)
            await fill(store, copies[-1:])
        assert len(await walk(store)) == 10 + len(copies)

    async def test_a_walk_may_be_left_before_its_end(self, store):
        """A walk holds nothing that the next call needs."""
        await fill(store, many(300))
        async for _ in store.scan():
            break
        assert await store.put_many([acme()]) == {CONTENT}


class TestDeleting:
    """Rows that have to go."""

    async def test_a_deleted_row_is_gone(self, store):
        """Neither a key nor a walk finds it again."""
        await store.put_many([acme()])
        assert await store.delete_many(ACME, [CONTENT]) == 1
        assert await store.get_many([key_of(acme())]) == {}
        assert await walk(store) == []

    async def test_only_what_was_there_is_counted(self, store):
        """An id that is unknown or comes twice counts no row."""
        await store.put_many([acme()])
        assert await store.delete_many(ACME, [CONTENT, CONTENT, str(uuid.uuid4())]) == 1
        assert await store.delete_many(ACME, [CONTENT]) == 0

    async def test_other_rows_stay(self, store):
        """Deleting one version leaves the others alone."""
        await store.put_many([acme(), acme("Hello again", version=2)])
        await store.delete_many(ACME, [CONTENT])
        assert await walk(store) == [acme("Hello again", version=2)]

    async def test_a_deleted_row_can_be_put_again(self, store):
        """A restore may bring back what a purge removed."""
        await store.put_many([acme()])
        await store.delete_many(ACME, [CONTENT])
        assert await store.put_many([acme()]) == {CONTENT}
