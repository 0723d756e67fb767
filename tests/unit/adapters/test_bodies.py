"""Where bodies are read, place by place, with a store that fails on demand."""

from collections.abc import Sequence

import anyio
import msgspec
import pytest

from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.domain.content import BodyName, Details, Item, sha256_of, size_of
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord, RecordKey, record_of
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.records import WRITTEN_AT

TENANT = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"
CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"


class Desk:
    """What PostgreSQL stages: a dictionary, as far as a reader can tell."""

    def __init__(self) -> None:
        self.bodies: dict[BodyName, str] = {}

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[BodyName, str]:
        """Those of the items' bodies that are staged."""
        assert {item.tenant_id for item in items} == {tenant_id}
        names = [item.body_name for item in items]
        return {name: self.bodies[name] for name in names if name in self.bodies}


def test_bodies_of_nothing_are_not_kept_for_ever():
    """An empty body takes a name and a place; a million of them would take the machine."""
    cache = BodyCache(10_000)
    names: list[BodyName] = [(f"c{number}", 1) for number in range(1_000)]
    for name in names:
        cache.put(name, "")

    assert cache.get(names[-1]) == ""
    assert sum(cache.get(name) is not None for name in names) < 20


@pytest.fixture
def store() -> MemoryBodies:
    """A store without rows."""
    return MemoryBodies()


@pytest.fixture
def desk() -> Desk:
    """A desk without bodies."""
    return Desk()


@pytest.fixture
def bodies(desk: Desk, store: MemoryBodies) -> LayeredBodies:
    """All places, without anything at hand."""
    return LayeredBodies(BodyCache(10_000), desk, store)


def item(version: int = 1, *, body_version: int | None = None, body: str = "A body") -> Item:
    """A version of the content."""
    return Item(
        id=CONTENT,
        tenant_id=TENANT,
        brand_id="b",
        user_id="u",
        version=version,
        body_version=body_version or version,
        title="A title",
        content_type="post",
        status="draft",
        details=Details(),
        preview=body,
        size_bytes=size_of(body),
        sha256=sha256_of(body),
        created_at=WRITTEN_AT,
        updated_at=WRITTEN_AT,
    )


async def deliver(store: MemoryBodies, version: Item, body: str = "A body") -> None:
    """Give the store the row of a version."""
    assert await store.put_many([record_of(version, body)])


async def test_a_body_that_is_nowhere_is_an_outage(bodies: LayeredBodies):
    """Never an empty text."""
    with pytest.raises(Unavailable, match="1 of 1 items"):
        await bodies.of(item())


async def test_one_missing_body_of_a_page_is_an_outage(bodies: LayeredBodies, store: MemoryBodies):
    """A page is whole or refused."""
    other = msgspec.structs.replace(item(), id="11111111-1a2b-4c3d-9e4f-a0b1c2d3e4f5")
    await deliver(store, item())

    with pytest.raises(Unavailable, match="1 of 2 items"):
        await bodies.of_many(TENANT, [item(), other])


async def test_those_that_are_to_be_had_are_found(bodies: LayeredBodies, store: MemoryBodies):
    """Whoever can go on without the others is told which there are."""
    await deliver(store, item())

    assert await bodies.find(TENANT, [item(), item(2)]) == {(CONTENT, 1): "A body"}


async def test_a_store_that_does_not_answer_is_an_outage(
    bodies: LayeredBodies, store: MemoryBodies
):
    """Not the same as a body that is missing."""
    store.fail_next(1)

    with pytest.raises(Unavailable, match="told to fail"):
        await bodies.find(TENANT, [item()])


async def test_a_damaged_row_is_not_handed_out(bodies: LayeredBodies, store: MemoryBodies):
    """Its hash tells."""
    await deliver(store, item())
    store.corrupt(item().zerodb_id)

    assert await bodies.find(TENANT, [item()]) == {}


async def test_several_versions_of_one_content_are_told_apart(
    bodies: LayeredBodies, store: MemoryBodies, desk: Desk
):
    """Each by the name of its body, wherever it lies."""
    stored, staged, at_hand = item(1, body="one"), item(2, body="two"), item(3, body="three")
    await deliver(store, stored, "one")
    desk.bodies[staged.body_name] = "two"
    bodies.remember(at_hand, "three")

    found = await bodies.find(TENANT, [stored, staged, at_hand])

    assert found == {(CONTENT, 1): "one", (CONTENT, 2): "two", (CONTENT, 3): "three"}


async def test_the_nearest_place_is_asked_first(
    bodies: LayeredBodies, store: MemoryBodies, desk: Desk
):
    """And says where it was."""
    await deliver(store, item())
    desk.bodies[item().body_name] = "A body"

    assert await bodies.of(item()) == ("A body", "staged")
    desk.bodies.clear()
    assert await bodies.of(item()) == ("A body", "zerodb")
    assert await bodies.of(item()) == ("A body", "cache")


async def test_a_version_has_its_body_in_a_row_of_its_own(
    bodies: LayeredBodies, store: MemoryBodies
):
    """The row that first carried the body may be gone: retention removes old ones."""
    await deliver(store, item(5, body_version=1))

    assert await bodies.of(item(5, body_version=1)) == ("A body", "zerodb")


@pytest.mark.parametrize("harm", ["undelivered", "damaged"])
async def test_without_a_sound_row_of_its_own_the_first_one_serves(
    bodies: LayeredBodies, store: MemoryBodies, harm: str
):
    """A version that kept its body can be read before it is delivered."""
    retitled = item(2, body_version=1)
    await deliver(store, item())
    if harm == "damaged":
        await deliver(store, retitled)
        store.corrupt(retitled.zerodb_id)

    assert await bodies.of(retitled) == ("A body", "zerodb")


async def test_one_version_of_a_body_serves_the_other(bodies: LayeredBodies, store: MemoryBodies):
    """Delivery asks for a version and the one before it, of which one may have the only row."""
    before, after = item(2, body_version=1), item(3, body_version=1)
    await deliver(store, before)

    assert await bodies.find(TENANT, [before, after]) == {(CONTENT, 1): "A body"}


class Watched(MemoryBodies):
    """A store that remembers how many rows it was asked for at once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """Answer as every store does."""
        self.asked.append(len(keys))
        return await super().get_many(keys)


class TestReadersTogether:
    """Readers of one body each who wait for the store at the same time."""

    @pytest.fixture
    def store(self) -> Watched:
        """A store without rows."""
        return Watched()

    @pytest.fixture
    def bodies(self, desk: Desk, store: Watched) -> LayeredBodies:
        """Nothing at hand, and one trip to the store at a time."""
        return LayeredBodies(BodyCache(0), desk, store, store_lanes=1)

    async def read_all(
        self, bodies: LayeredBodies, store: Watched, items: Sequence[Item]
    ) -> list[str]:
        """Have the first on its way when the others come; answers what each was told."""
        told = [""] * len(items)

        async def read(place: int) -> None:
            try:
                told[place], _ = await bodies.of_delivered(items[place])
            except Unavailable as error:
                told[place] = str(error)

        gate = store.hold_next()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, 0)
            await gate.reached.wait()
            for place in range(1, len(items)):
                tasks.start_soon(read, place)
            await anyio.wait_all_tasks_blocked()
            gate.opened.set()
        return told

    async def test_who_waits_is_answered_with_everybody_who_waits(
        self, bodies: LayeredBodies, store: Watched
    ):
        """A trip costs many times what a row does; the same row is asked for once."""
        versions = [item(number, body=f"body {number}") for number in range(1, 5)]
        for number, version in enumerate(versions, start=1):
            await deliver(store, version, f"body {number}")

        told = await self.read_all(bodies, store, [*versions, versions[3]])

        assert told == ["body 1", "body 2", "body 3", "body 4", "body 4"]
        assert store.asked == [1, 3]

    async def test_each_gets_their_own_and_what_is_lost_costs_nobody_else(
        self, bodies: LayeredBodies, store: Watched
    ):
        """Tenants go together as well."""
        theirs = msgspec.structs.replace(
            item(body="theirs"), id="11111111-1a2b-4c3d-9e4f-a0b1c2d3e4f5", tenant_id="other"
        )
        await deliver(store, item())
        await deliver(store, theirs, "theirs")

        told = await self.read_all(bodies, store, [item(), item(2), theirs, item()])

        assert [told[0], *told[2:]] == ["A body", "theirs", "A body"]
        assert "1 of 1 items" in told[1]

    async def test_a_store_that_fails_is_an_outage_for_each_of_them(
        self, bodies: LayeredBodies, store: Watched
    ):
        """Whoever comes after them is answered as if nothing had been."""
        await deliver(store, item())
        store.fail_next(2)

        told = await self.read_all(bodies, store, [item(), item(), item()])

        assert set(told) == {"The body store in memory was told to fail."}
        assert await bodies.of_delivered(item()) == ("A body", "zerodb")


async def test_who_knows_that_nothing_is_staged_does_not_ask_there(
    bodies: LayeredBodies, store: MemoryBodies, desk: Desk
):
    """A reader has just read both at once, the item and what is staged of it."""
    await deliver(store, item())
    desk.bodies[item().body_name] = "asked again"

    assert await bodies.of_delivered(item()) == ("A body", "zerodb")
    assert await bodies.of_delivered(item()) == ("A body", "cache")
