"""Delivery lets people go first: a batch at a time while they are there, in lanes when they are not."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import anyio
import pytest

from actors.delivery.messages import Wake
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.testing.bodies import Gate, MemoryBodies
from tests.support.acting import steered
from tests.support.carrying import delivery_to
from tests.support.content import creation
from tests.support.database import PLANS, Tenant
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

BATCH = 50
LANES = 3


class People:
    """Whoever may want the processor."""

    are_there = False

    def rest_s(self) -> float:
        """How long background work rests for them."""
        return 0.001 if self.are_there else 0.0


class Doorway(MemoryBodies):
    """A store before which batches wait: the first for each other, from a number on for the gate."""

    def __init__(self, people: People, *, crowd: int, held_from: int) -> None:
        super().__init__()
        self.gate = Gate()
        self.all_came = anyio.Event()
        self._batches = 0
        self._people = people
        self._crowd = crowd
        self._held_from = held_from

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store a batch, and let people come with the first."""
        self._batches += 1
        if self._batches == 1:
            self._people.are_there = True
        if self._batches == self._crowd:
            self.all_came.set()
        if self._batches >= self._held_from:
            await self.gate.pass_through()
        else:
            await self.all_came.wait()
        return await super().put_many(records, unsent=unsent)


@pytest.fixture
async def outbox(sessions: Sessions, tenant: Tenant) -> PostgresOutbox:
    """Five batches that are to be delivered."""
    log = PostgresContentLog(sessions.writers, PLANS)
    outcomes = await log.commit([creation(tenant, f"body {each}") for each in range(5 * BATCH)])
    assert all(isinstance(outcome, Item) for outcome in outcomes)
    return PostgresOutbox(sessions.writers)


async def unclaimed(outbox: PostgresOutbox) -> int:
    """How many versions nobody carries."""
    return len(await outbox.claim("zerodb", limit=1000, lease_s=0.0))


async def test_people_who_come_find_one_batch_under_way(sessions: Sessions, outbox: PostgresOutbox):
    """The lanes that were open end with the batch that they have."""
    people = People()
    store = Doorway(people, crowd=LANES, held_from=LANES + 1)
    delivery = delivery_to(store, sessions, lanes=LANES, rest_s=people.rest_s)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(delivery.receive, Wake())
        with anyio.fail_after(PATIENCE_S):
            await store.gate.reached.wait()
        assert await unclaimed(outbox) == BATCH
        store.gate.opened.set()


async def test_an_operator_who_pauses_it_is_obeyed_at_once(
    sessions: Sessions, outbox: PostgresOutbox
):
    """However much waits: what it is at ends, and the rest is there when it goes on."""
    store = Doorway(People(), crowd=1, held_from=1)

    async with steered(lambda: delivery_to(store, sessions, poll_s=0.01)) as delivery:
        with anyio.fail_after(PATIENCE_S):
            await store.gate.reached.wait()
        delivery.pause()
        store.gate.opened.set()

        async def one_is_carried() -> bool:
            return (await outbox.backlog())["zerodb"].rows == 4 * BATCH

        await eventually(one_is_carried)
        assert await unclaimed(outbox) == 4 * BATCH
        delivery.resume()

        async def all_are_carried() -> bool:
            return "zerodb" not in await outbox.backlog()

        await eventually(all_are_carried)


async def test_when_they_left_the_lanes_are_open_again(sessions: Sessions, outbox: PostgresOutbox):
    """What is left is not carried by one lane for as long as it lasts."""
    people = People()
    people.are_there = True
    store = Doorway(people, crowd=1 + LANES, held_from=1)
    delivery = delivery_to(store, sessions, lanes=LANES, rest_s=people.rest_s)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(delivery.receive, Wake())
        with anyio.fail_after(PATIENCE_S):
            await store.gate.reached.wait()
            people.are_there = False
            store.gate.opened.set()
            store.gate = Gate()
            await store.all_came.wait()
        store.gate.opened.set()

    assert await unclaimed(outbox) == 0
