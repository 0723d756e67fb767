"""Every version reaches the archive once, whatever dies or refuses on the way."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import asyncpg
import pytest

from actors.delivery.messages import Wake as WakeDelivery
from actors.replicator import actor
from actors.replicator.actor import Replicator, ReplicatorPace
from actors.replicator.binding import Binder
from actors.replicator.cargo import Versions
from actors.replicator.messages import Wake
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import PostgresReplicationBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch, Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.vitals import ArchiveVitals
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.ports.replication import Outcome, TurnOver
from engarde_daemon.testing.archive import MemoryArchive
from engarde_daemon.testing.bodies import MemoryBodies
from tests.support.acting import acting
from tests.support.carrying import delivery_to
from tests.support.content import creation
from tests.support.database import PLANS, Tenant
from tests.support.oracle import eventually

TABLE = ArchiveTable.SNAPSHOTS
_OWED = "select count(*) from engarde.outbox where destination = 'bigquery'"
_EXPIRE = "update engarde.archive_streams set leased_until = '-infinity'"
_MAKE_DUE = "update engarde.outbox set leased_until = '-infinity'"
_BACKED_UP = "select bigquery_backed_up from content_items where id = $1"


class Road:
    """Everything on a version's way to an archive that fails on demand."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.sessions = sessions
        self.tenant = tenant
        self.sql = sql
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.outbox = PostgresOutbox(sessions.writers)
        self.book = PostgresReplicationBook(sessions.writers)
        self.cargo = Versions
        self.archive = MemoryArchive()
        self.store = MemoryBodies()
        self.moment = 0.0
        self.rests: Iterator[float] = repeat(0.0)
        self.vitals = ArchiveVitals()

    def replicator(self, *, items: int = 500, poll_s: float = 60.0) -> Replicator:
        """A fresh actor, as after a crash."""
        bodies = LayeredBodies(BodyCache(0), PostgresLibrary(self.sessions.readers), self.store)
        return Replicator(
            self.book,
            self.archive,
            self.cargo(self.book, Binder(bodies)),
            pace=ReplicatorPace(batch_items=items, poll_s=poll_s),
            rest_s=lambda: next(self.rests),
            clock=lambda: self.moment,
            publish=self._publish,
        )

    def _publish(self, vitals: ArchiveVitals) -> None:
        self.vitals = vitals

    async def replicate(self, *, items: int = 500) -> None:
        """Let a fresh actor send what is due."""
        await self.replicator(items=items).receive(Wake())

    async def write(self, *bodies: str) -> list[Item]:
        """Commit new items."""
        return await self.commit([creation(self.tenant, body) for body in bodies])

    async def commit(self, writes: Sequence[Write]) -> list[Item]:
        """Commit writes that nothing can refuse."""
        outcomes = await self.log.commit(writes)
        items = [outcome for outcome in outcomes if isinstance(outcome, Item)]
        assert len(items) == len(writes), outcomes
        return items

    async def deliver(self) -> None:
        """Settle the other errands of every write."""
        await delivery_to(self.store, self.sessions).receive(WakeDelivery())
        while await self.outbox.index_pending(100):
            continue

    def archived(self) -> list[tuple[str, int, str]]:
        """Every row of the archive, a repeated one as often as it is there."""
        return sorted((row.content_id, row.version, row.content_body) for row in self.archive.rows)

    async def owed(self) -> int:
        """How many versions the archive lacks."""
        return int(await self.sql.fetchval(_OWED))

    async def erase(self, item: Item) -> None:
        """Forget a content."""
        retention = PostgresRetention(self.sessions.writers, PLANS)
        key = ContentKey(self.tenant.id, item.id)
        await retention.erase(key, erasure_id=f"e-{item.id[:30]}", by="user", reason="request")


@pytest.fixture
async def road(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Road:
    """A road on which nobody has gone yet."""
    return Road(sessions, tenant, superuser)


class TestCrashes:
    """A frozen batch is sent again as it was: no gap, no repeat."""

    async def test_a_batch_whose_answer_was_lost_is_not_repeated(self, road: Road):
        """It was stored; whoever goes on sends it to the same place."""
        items = await road.write("one", "two")
        road.archive.lose_next_answer()
        await road.replicate()
        assert await road.owed() == 2

        await road.replicate()

        assert road.archived() == sorted((item.id, 1, body) for item, body in pairs(items))
        first, again = road.archive.appends
        assert first == again
        assert await road.owed() == 0

    async def test_what_came_later_does_not_get_into_a_frozen_batch(self, road: Road):
        """Else its new rows would be taken for stored ones."""
        await road.write("one")
        road.archive.lose_next_answer()
        await road.replicate()

        await road.write("later")
        await road.replicate()

        assert [len(batch.rows) for batch in road.archive.appends] == [1, 1, 1]
        assert [batch.first_id for batch in road.archive.appends] == [1, 1, 2]
        assert sorted(row.content_body for row in road.archive.rows) == ["later", "one"]

    async def test_an_archive_that_is_away_is_tried_again_ever_later(self, road: Road):
        """What waits is shown, and nothing is lost."""
        await road.write("body")
        replicator = road.replicator()
        road.archive.fail_next(1_000)
        failures = []
        for second in range(20):
            road.moment = float(second)
            await replicator.receive(Wake())
            failures.append(road.archive.failures)

        assert [failures.index(n) for n in range(1, 6)] == [0, 1, 3, 7, 15]
        assert "told to fail" in (road.vitals.trouble or "")

        road.moment = 1000.0
        road.archive.fail_next(0)
        await replicator.receive(Wake())
        assert (road.vitals.trouble, await road.owed()) == (None, 0)


class TestContending:
    """One daemon at a time writes a stream."""

    async def test_only_one_has_the_turn(self, road: Road):
        """Until it gives it back."""
        turn = await road.book.take_turn(TABLE, lease_s=30.0)
        assert turn is not None
        assert await road.book.take_turn(TABLE, lease_s=30.0) is None

        await road.book.give_back(turn)

        assert await road.book.take_turn(TABLE, lease_s=30.0) is not None

    async def test_who_lost_the_turn_can_note_nothing(self, road: Road):
        """Neither freeze nor finish, nor give the turn of another back."""
        await road.write("body")
        late = await road.book.take_turn(TABLE, lease_s=30.0)
        await road.sql.execute(_EXPIRE)
        held = await road.book.take_turn(TABLE, lease_s=30.0)
        assert late is not None
        assert held is not None
        (owed,) = await road.book.due(items=10, size_bytes=10_000)

        with pytest.raises(TurnOver):
            await road.book.freeze(late, [owed.id], began="s", lease_s=30.0)
        await road.book.freeze(held, [owed.id], began="s", lease_s=30.0)
        with pytest.raises(TurnOver):
            await road.book.finish(late, Outcome(stored=[owed.id], advance=1), lease_s=30.0)
        await road.book.give_back(late)

        assert await road.owed() == 1
        assert await road.book.take_turn(TABLE, lease_s=30.0) is None

    async def test_while_another_writes_nothing_is_sent(self, road: Road):
        """And afterwards everything is."""
        await road.write("body")
        turn = await road.book.take_turn(TABLE, lease_s=30.0)
        assert turn is not None

        await road.replicate()
        assert road.archive.rows == []

        await road.book.give_back(turn)
        await road.replicate()
        assert len(road.archive.rows) == 1


class TestRefusals:
    """A version that the archive refuses waits by itself."""

    async def test_it_is_parked_and_its_neighbours_go_on(self, road: Road):
        """With its reason, to be seen."""
        bad, *_ = await road.write("bad", "one", "two")
        road.archive.refuse(bad.id, "row too large")

        await road.replicate()

        assert sorted(row.content_body for row in road.archive.rows) == ["one", "two"]
        (parked,) = await road.book.parked(10)
        assert (parked.content_id, parked.version, parked.reason) == (bad.id, 1, "row too large")
        assert (road.vitals.parked, await road.owed()) == (1, 0)

    async def test_it_can_be_tried_again(self, road: Road):
        """Once the reason is gone; its body may be in ZeroDB alone by then."""
        (bad,) = await road.write("bad")
        road.archive.refuse(bad.id, "row too large")
        await road.replicate()
        await road.deliver()
        assert await road.sql.fetchval("select count(*) from engarde.staged_bodies") == 0
        road.archive.accept_all()

        assert await road.book.retry_parked() == 1
        await road.replicate()

        assert road.archived() == [(bad.id, 1, "bad")]
        assert await road.book.parked(10) == []


class TestStreams:
    """A stream can end at any time; what it holds is not sent again, the rest is."""

    @pytest.mark.parametrize("knows_ends", [True, False])
    @pytest.mark.parametrize("stored", [True, False])
    async def test_a_lost_stream_leaves_no_gap_and_no_repeat(
        self, road: Road, *, knows_ends: bool, stored: bool
    ):
        """Whether its last batch arrived or not, and whether anybody can count."""
        road.archive.knows_stream_ends = knows_ends
        await road.write("before")
        await road.replicate()
        await road.write("one", "two")
        if stored:
            road.archive.lose_next_answer()
            await road.replicate()
        road.archive.lose_streams()

        await road.replicate()
        await road.write("after")
        await road.replicate()

        assert sorted(row.content_body for row in road.archive.rows) == [
            "after",
            "before",
            "one",
            "two",
        ]

    async def test_a_batch_of_which_a_content_was_erased_is_not_sent_as_it_was(self, road: Road):
        """It would not fit its place; what is left of it goes to a new stream."""
        gone, kept = await road.write("gone", "kept")
        await freeze_only(road)
        await road.erase(gone)

        await road.replicate()

        assert road.archived() == [(kept.id, 1, "kept")]
        assert await road.owed() == 0


class TestBodies:
    """Each version goes with its body, wherever that is."""

    async def test_a_body_stays_staged_until_both_have_it(self, road: Road):
        """ZeroDB's acknowledgement alone does not release it."""
        await road.write("body")
        await road.deliver()
        assert await road.sql.fetchval("select count(*) from engarde.staged_bodies") == 1

        await road.replicate()

        assert await road.sql.fetchval("select count(*) from engarde.staged_bodies") == 0

    async def test_every_version_of_a_content_is_there(self, road: Road):
        """Also one that kept the body of another, and the tombstone."""
        (first,) = await road.write("kept")
        (second,) = await road.commit(
            [changes.update(first, Patch(title="New"), by="user", at=first.created_at)]
        )
        await road.commit([changes.delete(second, by="user", at=first.created_at)])

        await road.replicate(items=1)

        rows = sorted(road.archive.rows, key=lambda row: row.version)
        assert [(r.version, r.content_body, r.change_type) for r in rows] == [
            (1, "kept", "create"),
            (2, "kept", "update"),
            (3, "kept", "delete"),
        ]
        assert rows[2].deleted_at is not None
        assert all(row.is_intact() for row in rows)

    async def test_a_body_that_is_out_of_reach_holds_up_nobody(self, road: Road):
        """It is tried again later."""
        (lost,) = await road.write("lost")
        await road.deliver()
        await road.sql.execute("delete from engarde.staged_bodies")
        await road.write("staged")
        road.store.fail_next(1)

        await road.replicate()
        assert [row.content_body for row in road.archive.rows] == ["staged"]

        await road.sql.execute(_MAKE_DUE)
        await road.replicate()
        assert (lost.id, 1, "lost") in road.archived()

    async def test_a_batch_is_bounded_in_bytes(self, road: Road):
        """A body that is larger than that goes alone."""
        await road.write("x" * 600, "y" * 600, "z" * 2000, "tail")

        taken = await road.book.due(items=100, size_bytes=1_250)

        assert [len(owed.body or "") for owed in taken] == [600, 600]
        await road.sql.execute(
            "delete from engarde.outbox where id = any($1::bigint[])", [o.id for o in taken]
        )
        assert [len(o.body or "") for o in await road.book.due(items=9, size_bytes=1_250)] == [2000]


class TestItems:
    """Content items say whether their newest version is archived."""

    async def test_they_do_once_it_is(self, road: Road):
        """And no more after the next write."""
        (item,) = await road.write("body")
        assert not await road.sql.fetchval(_BACKED_UP, item.id)
        await road.replicate()
        assert await road.sql.fetchval(_BACKED_UP, item.id)

        await road.commit([changes.update(item, Patch(title="N"), by="u", at=item.created_at)])
        assert not await road.sql.fetchval(_BACKED_UP, item.id)

    async def test_an_item_that_somebody_holds_is_waited_for(self, road: Road):
        """By itself, so that no two batches wait for each other."""
        held, other = await road.write("held", "other")
        async with acting(lambda: road.replicator(poll_s=0.05)), road.sql.transaction():
            await road.sql.execute("select from content_items where id = $1 for update", held.id)

            async def other_is_marked() -> bool:
                async with road.sessions.writers.acquire() as link:
                    return bool(await link.fetchval(_BACKED_UP, other.id))

            await eventually(other_is_marked)
        await road.replicate()
        assert await road.sql.fetchval(_BACKED_UP, held.id)


class TestGivingWay:
    """People who write are not held up by what they wrote."""

    async def test_little_is_sent_at_once_while_it_gives_way(
        self, road: Road, monkeypatch: pytest.MonkeyPatch
    ):
        """And all the rest together as soon as it need not."""
        monkeypatch.setattr(actor, "GIVING_WAY_ITEMS", 2)
        await road.write(*map(str, range(7)))
        road.rests = chain([0.001, 0.001], repeat(0.0))

        await road.replicate()

        assert [len(batch.rows) for batch in road.archive.appends] == [2, 2, 3]


class TestPartOfABatch:
    """A stream may end in the middle of a batch, which travels in parts."""

    @pytest.mark.parametrize("knows", [True, False])
    async def test_what_is_there_is_not_sent_again(self, road: Road, *, knows: bool):
        """Whether the stream's end tells it, or the rows are looked for."""
        road.archive.knows_stream_ends = knows
        await road.write("one", "two", "three")
        road.archive.cut_next(2)

        await road.replicate()

        assert sorted(row.content_body for row in road.archive.rows) == ["one", "three", "two"]
        assert [len(batch.rows) for batch in road.archive.appends] == [3, 1]
        assert await road.owed() == 0


class TestBackfill:
    """What was there before the archive gets there, too."""

    async def test_everything_is_sent_again_on_demand(self, road: Road):
        """From wherever its body is, and what waits already is not sent twice."""
        await road.write("one", "two")
        await road.replicate()
        await road.deliver()
        await road.write("three")
        road.archive = MemoryArchive()
        await road.sql.execute("update engarde.archive_streams set stream = null, next_offset = 0")

        assert await road.book.backfill() == 2
        await road.replicate(items=1)

        assert sorted(row.content_body for row in road.archive.rows) == ["one", "three", "two"]
        assert road.vitals.backfill == 0

    async def test_an_erased_content_is_not_owed_any_more(self, road: Road):
        """Neither by the backfill nor among the parked."""
        (item,) = await road.write("gone")
        road.archive.refuse(item.id, "no")
        await road.replicate()
        await road.book.backfill()

        await road.erase(item)

        standing = await road.book.standing(TABLE)
        assert (standing.parked, standing.backfill, await road.owed()) == (0, 0, 0)


async def freeze_only(road: Road) -> None:
    """Die between freezing and appending."""
    turn = await road.book.take_turn(TABLE, lease_s=30.0)
    assert turn is not None
    owed = await road.book.due(items=10, size_bytes=10_000)
    stream = await road.archive.open_stream(TABLE)
    await road.book.freeze(turn, [one.id for one in owed], began=stream, lease_s=30.0)
    await road.sql.execute(_EXPIRE)


def pairs(items: Sequence[Item]) -> list[tuple[Item, str]]:
    """Items with what they were written with."""
    return list(zip(items, ["one", "two"], strict=True))
