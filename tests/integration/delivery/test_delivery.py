"""Staged bodies reach the body store, whatever the store does meanwhile."""

from collections.abc import Sequence

import asyncpg
import pytest

from actors.delivery.actor import Delivery
from actors.delivery.messages import Wake
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch, Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.ports.outbox import CLAIM_BYTES
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.records import record_with
from sql import statements
from tests.support.acting import acting
from tests.support.carrying import delivery_to, settle_archive
from tests.support.content import creation
from tests.support.database import PLANS, Tenant
from tests.support.oracle import eventually

CLAIM = statements("outbox")["claim"]
MANY = 120
_WAITING = """
    select attempts, last_error,
        round(extract(epoch from leased_until - clock_timestamp()))::integer as rests_s
    from engarde.outbox where destination = 'zerodb' order by id
"""
_MAKE_DUE = "update engarde.outbox set leased_until = '-infinity'"


class Round:
    """Everything on a body's way, with a store that fails on demand."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.tenant = tenant
        self.sql = sql
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.outbox = PostgresOutbox(sessions.writers)
        self.sessions = sessions
        self.store = MemoryBodies()

    def delivery(self, *, lanes: int = 1, poll_s: float = 60.0) -> Delivery:
        """A fresh actor."""
        return delivery_to(self.store, self.sessions, lanes=lanes, poll_s=poll_s)

    async def deliver(self) -> None:
        """Let the actor work off what is due."""
        await self.delivery().receive(Wake())

    async def write(self, *bodies: str) -> list[Item]:
        """Commit new items."""
        return await self.commit([creation(self.tenant, body) for body in bodies])

    async def commit(self, writes: Sequence[Write]) -> list[Item]:
        """Commit writes that nothing can refuse."""
        outcomes = await self.log.commit(writes)
        items = [outcome for outcome in outcomes if isinstance(outcome, Item)]
        assert len(items) == len(writes), outcomes
        return items

    async def index(self) -> None:
        """Settle the other errands of every write."""
        await settle_archive(self.outbox)
        while await self.outbox.index_pending(100):
            continue

    async def stored(self, item: Item, *, version: int | None = None) -> str | None:
        """The body that the store has of a version."""
        key = RecordKey(self.tenant.id, item.id, version or item.version, item.sha256)
        found = (await self.store.get_many([key])).get(key.id)
        return found.content_body if found else None

    async def waiting(self) -> list[asyncpg.Record]:
        """What is not delivered yet."""
        rows: list[asyncpg.Record] = await self.sql.fetch(_WAITING)
        return rows

    async def staged(self) -> int:
        """How many bodies PostgreSQL holds."""
        return int(await self.sql.fetchval("select count(*) from engarde.staged_bodies"))


@pytest.fixture
async def round_(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Round:
    """A round that nobody has made yet."""
    return Round(sessions, tenant, superuser)


class TestFailures:
    """A store that fails delays bodies and loses none."""

    async def test_an_unreachable_store_is_tried_again_ever_later(self, round_: Round):
        """The delay doubles up to a bound, and the reason is written down."""
        await round_.write("body")
        delays = []
        for _ in range(8):
            round_.store.fail_next(1)
            await round_.deliver()
            (row,) = await round_.waiting()
            delays.append(row["rests_s"])
            assert "told to fail" in row["last_error"]
            await round_.sql.execute(_MAKE_DUE)

        assert delays == [1, 2, 4, 8, 16, 32, 32, 32]
        assert await round_.staged() == 1

    async def test_what_was_deferred_is_left_alone_until_its_time(self, round_: Round):
        """Waking the actor does not shorten the delay."""
        await round_.write("body")
        round_.store.fail_next(1)
        await round_.deliver()

        await round_.deliver()

        assert [row["attempts"] for row in await round_.waiting()] == [1]

    async def test_when_the_store_is_back_everything_arrives(self, round_: Round):
        """Nothing but time is needed."""
        (item,) = await round_.write("body")
        round_.store.fail_next(1)
        await round_.deliver()
        await round_.sql.execute(_MAKE_DUE)

        await round_.deliver()

        assert await round_.stored(item) == "body"
        assert await round_.waiting() == []

    async def test_a_body_that_the_store_does_not_prove_stays_staged(self, round_: Round):
        """Another row stands under its id; once that is gone, the body arrives."""
        item, other = await round_.write("body", "other")
        foreign = record_with("foreign", content_id=item.id, tenant_id=round_.tenant.id)
        await round_.store.put_many([foreign])

        await round_.deliver()
        await round_.index()
        (row,) = await round_.waiting()
        assert "did not prove" in row["last_error"]
        assert await round_.staged() == 1
        assert await round_.stored(other) == "other"

        round_.store.lose(item.id)
        await round_.sql.execute(_MAKE_DUE)
        await round_.deliver()
        assert await round_.stored(item) == "body"
        assert await round_.staged() == 0

    async def test_a_lost_body_does_not_hold_up_its_neighbours(self, round_: Round):
        """The store has lost a row that a later version of the item still needs."""
        (item,) = await round_.write("lost")
        await round_.deliver()
        await round_.index()
        round_.store.lose(item.id)
        await round_.commit([retitled(item)])

        neighbours = await round_.write("one", "two")
        await round_.deliver()

        assert [await round_.stored(each) for each in neighbours] == ["one", "two"]
        (row,) = await round_.waiting()
        assert "cannot be read from any store" in row["last_error"]

    async def test_a_repeated_delivery_changes_nothing(self, round_: Round):
        """The store had the row already, but its answer was lost."""
        (item,) = await round_.write("body")
        (parcel,) = await round_.outbox.claim("zerodb", limit=10, lease_s=0.0)
        await round_.deliver()

        assert await round_.outbox.settle([parcel]) == 0
        assert await round_.stored(item) == "body"


class TestClaims:
    """Who has the lease has the say, and only as long as it lasts."""

    async def test_a_claim_that_ran_out_settles_nothing(self, round_: Round):
        """Somebody else has claimed the row meanwhile."""
        await round_.write("body")
        (stale,) = await round_.outbox.claim("zerodb", limit=10, lease_s=30.0)
        assert await round_.outbox.claim("zerodb", limit=10, lease_s=30.0) == []
        later = await claim_later(round_.sql, after_s=31)
        assert later["lease_token"] == stale.token + 1

        assert await round_.outbox.settle([stale]) == 0
        await round_.outbox.defer([stale], after_s=0.0, reason="late")
        (row,) = await round_.waiting()
        assert (row["attempts"], row["last_error"]) == (2, None)

    async def test_one_claim_does_not_get_what_another_holds(self, round_: Round):
        """Several lanes and daemons share the work."""
        await round_.write("one", "two", "three")

        first = await round_.outbox.claim("zerodb", limit=2, lease_s=30.0)
        second = await round_.outbox.claim("zerodb", limit=2, lease_s=30.0)

        assert [len(first), len(second)] == [2, 1]
        assert {parcel.body for parcel in (*first, *second)} == {"one", "two", "three"}

    async def test_a_claim_is_bounded_by_what_it_weighs(self, round_: Round):
        """The bodies of many large items are not in memory at once; a too large one comes alone."""
        await round_.write("x" * 50, "y" * 50, "z" * 500, "last")

        sizes = []
        for _ in range(3):
            parcels = await round_.outbox.claim("zerodb", limit=9, lease_s=30.0, bytes_max=60)
            sizes.append([len(parcel.body or "") for parcel in parcels])
        assert sizes == [[50, 50], [500], [4]]

    async def test_the_body_before_a_change_weighs_too(self, round_: Round):
        """It is read to tell what the change was."""
        (item,) = await round_.write("x" * 50)
        await round_.commit([retitled(item)])
        await round_.write("y")

        parcels = await round_.outbox.claim("zerodb", limit=9, lease_s=30.0, bytes_max=100)
        assert [parcel.weight_bytes for parcel in parcels] == [50, 100]

    async def test_large_bodies_are_carried_in_one_go(self, round_: Round):
        """A claim that was cut by weight is followed by another at once."""
        await round_.sql.execute("update tenants set plan_tier = 'open'")
        tall = "x" * (CLAIM_BYTES // 2)
        items = await round_.write(tall, tall, tall, "last")
        await round_.deliver()

        assert [await round_.stored(item) for item in items] == [tall, tall, tall, "last"]
        assert await round_.waiting() == []

    async def test_destinations_do_not_get_in_each_others_way(self, round_: Round):
        """A body leaves PostgreSQL only after both are done."""
        await round_.write("body")

        await round_.deliver()
        assert await round_.staged() == 1
        await round_.index()
        assert await round_.staged() == 0


class TestBodies:
    """Every version has its row with its body."""

    async def test_everything_that_is_due_is_carried(self, round_: Round):
        """In several batches and lanes, and the database is empty afterwards."""
        items = await round_.write(*[f"body {number}" for number in range(MANY)])

        await round_.delivery(lanes=4).receive(Wake())
        await round_.index()

        bodies = [await round_.stored(item) for item in items]
        assert bodies == [f"body {number}" for number in range(MANY)]
        assert (await round_.waiting(), await round_.staged()) == ([], 0)

    @pytest.mark.parametrize("delivered_before", [True, False])
    async def test_a_version_without_a_body_of_its_own_gets_the_one_it_kept(
        self, round_: Round, *, delivered_before: bool
    ):
        """From the store, or from PostgreSQL where it is still staged."""
        (item,) = await round_.write("kept")
        if delivered_before:
            await round_.deliver()
            await round_.index()
            assert await round_.staged() == 0
        (newer,) = await round_.commit([retitled(item)])

        await round_.deliver()

        assert await round_.stored(newer) == "kept"
        assert await round_.stored(item) == "kept"

    async def test_the_tombstone_arrives_with_the_last_body(self, round_: Round):
        """So that a restore can bring the item back."""
        (item,) = await round_.write("body")
        (gone,) = await round_.commit([changes.delete(item, by="user", at=item.created_at)])

        await round_.deliver()

        assert await round_.stored(gone) == "body"


class TestSweeping:
    """Two destinations that finish in the same instant each see the other at work."""

    async def test_what_both_left_behind_is_swept(self, round_: Round):
        """Nobody waits for it any more."""
        await round_.write("left", "behind")
        await round_.sql.execute("delete from engarde.outbox")

        assert await round_.outbox.sweep_staged(10) == 2
        assert await round_.staged() == 0

    async def test_what_somebody_waits_for_is_not_swept(self, round_: Round):
        """Neither by the sweeper nor when a neighbour is settled."""
        await round_.write("wanted")

        assert await round_.outbox.sweep_staged(10) == 0
        assert await round_.staged() == 1

    async def test_a_sweep_is_bounded(self, round_: Round):
        """A long backlog is worked off in pieces."""
        await round_.write("one", "two", "three")
        await round_.sql.execute("delete from engarde.outbox")

        assert await round_.outbox.sweep_staged(2) == 2
        assert await round_.staged() == 1


class TestActor:
    """The actor looks for itself, also when nobody wakes it."""

    async def test_it_finds_what_nobody_told_it_of(self, round_: Round):
        """Another daemon's writes are delivered by polling."""
        async with acting(lambda: round_.delivery(poll_s=0.05)):
            (item,) = await round_.write("unannounced")

            async def arrived() -> bool:
                return await round_.stored(item) is not None

            await eventually(arrived)


def retitled(item: Item) -> Write:
    """A change that keeps the body."""
    return changes.update(item, Patch(title="Another title"), by="user", at=item.created_at)


async def claim_later(sql: asyncpg.Connection, *, after_s: int) -> asyncpg.Record:
    """Claim the one row as somebody does whose clock stands later."""
    now = await sql.fetchval("select clock_timestamp() + make_interval(secs => $1)", after_s)
    (row,) = await sql.fetch(CLAIM, "zerodb", 10, 30.0, 1, now)
    return row
