"""Rows that lie ready reach the archive once, and readers miss none of them on the way."""

from datetime import date

import asyncpg
import pytest

from actors.replicator.actor import Replicator, ReplicatorPace
from actors.replicator.cargo import ReadyRows
from actors.replicator.messages import Wake
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.media import PostgresMediaBook
from engarde_daemon.adapters.postgres.replication import PostgresDuesBook, PostgresReplicationBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.media import MediaProperties
from engarde_daemon.domain.vitals import ArchiveVitals
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.ports.media import Attempt, Finding
from engarde_daemon.testing.archive import MemoryArchive
from tests.integration.analytics.test_book import Desk, figure_of
from tests.integration.media.test_books import attempt_for, file_of, promised
from tests.support.database import PLANS, Tenant

FIGURES, MEDIA = ArchiveTable.ANALYTICS, ArchiveTable.MEDIA
_OWED = "select count(*) from engarde.archive_dues where table_name = $1 and reason is null"
_EXPIRE = "update engarde.archive_streams set leased_until = '-infinity'"


class Road:
    """Everything on the way of a ready row to an archive that fails on demand."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.desk = Desk(sessions, tenant)
        self.sql = sql
        self.rows = PostgresDuesBook(sessions.writers)
        self.archive = MemoryArchive()
        self.vitals = ArchiveVitals()

    async def replicate(self, table: ArchiveTable = FIGURES, *, items: int = 500) -> None:
        """Let a fresh actor send what is due, as after a crash."""
        replicator = Replicator(
            self.rows,
            self.archive,
            ReadyRows(self.rows, table),
            pace=ReplicatorPace(batch_items=items),
            rest_s=lambda: 0.0,
            clock=lambda: 0.0,
            publish=self._publish,
        )
        await replicator.receive(Wake())

    def _publish(self, vitals: ArchiveVitals) -> None:
        self.vitals = vitals

    async def bring(self, *clicks: int) -> list[Item]:
        """A figure of a new content for each of these."""
        items = [await self.desk.write(f"body {number}") for number in range(len(clicks))]
        pairs = zip(items, clicks, strict=True)
        await self.desk.book.stage([figure_of(item, clicks=number) for item, number in pairs])
        return items

    def clicks(self) -> list[int]:
        """What the archive has, a repeated row as often as it is there."""
        return sorted(row["clicks"] for row in self.archive.others(FIGURES))

    async def owed(self, table: ArchiveTable = FIGURES) -> int:
        """How many rows the archive lacks."""
        return int(await self.sql.fetchval(_OWED, table))

    async def erase(self, item: Item) -> None:
        """Forget a content."""
        retention = PostgresRetention(self.desk.sessions.writers, PLANS)
        key = ContentKey(item.tenant_id, item.id)
        await retention.erase(key, erasure_id=f"e-{item.id[:30]}", by="user", reason="request")


@pytest.fixture
async def road(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Road:
    """A road on which nobody has gone yet."""
    return Road(sessions, tenant, superuser)


async def kept(book: PostgresMediaBook, sessions: Sessions, tenant: Tenant) -> Attempt:
    """An upload that became a file."""
    ledger = PostgresLedgerBook(sessions.writers, PLANS)
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=60.0)
    promises = await promised(book, ledger, attempt, 1000)
    await book.keep(attempt, file_of(attempt, tenant), promises)
    return attempt


class TestFigures:
    """As versions: no gap, no repeat."""

    async def test_a_batch_whose_answer_was_lost_is_not_repeated(self, road: Road):
        """Though another revision was staged meanwhile: the batch is sent as it was frozen."""
        one, _ = await road.bring(1, 2)
        road.archive.lose_next_answer()
        await road.replicate()
        await road.desk.book.stage([figure_of(one, clicks=7)])

        await road.replicate()

        assert road.clicks() == [1, 2, 7]
        assert road.archive.appends[0] == road.archive.appends[1]
        assert await road.owed() == 0

    @pytest.mark.parametrize("knows_ends", [True, False])
    @pytest.mark.parametrize("stored", [True, False])
    async def test_a_lost_stream_leaves_no_gap_and_no_repeat(
        self, road: Road, *, knows_ends: bool, stored: bool
    ):
        """Whether its last batch arrived or not, and whether anybody can count."""
        road.archive.knows_stream_ends = knows_ends
        await road.bring(1)
        await road.replicate()
        await road.bring(2, 3)
        if stored:
            road.archive.lose_next_answer()
            await road.replicate()
        road.archive.lose_streams()

        await road.replicate()

        assert road.clicks() == [1, 2, 3]

    async def test_of_a_content_that_was_erased_meanwhile_nothing_is_sent(self, road: Road):
        """What is left of its batch goes to a new stream."""
        gone, _ = await road.bring(1, 2)
        turn = await road.rows.take_turn(FIGURES, lease_s=30.0)
        assert turn is not None
        due = await road.rows.due(FIGURES, items=10)
        stream = await road.archive.open_stream(FIGURES)
        await road.rows.freeze(turn, [one.id for one in due], began=stream, lease_s=30.0)
        await road.sql.execute(_EXPIRE)
        await road.erase(gone)

        await road.replicate()

        assert road.clicks() == [2]
        assert await road.owed() == 0

    async def test_a_refused_row_is_parked_and_tried_again_on_demand(self, road: Road):
        """Its neighbours go on, and until then readers are still told of it."""
        bad, _ = await road.bring(1, 2)
        road.archive.refuse(bad.id, "no")
        await road.replicate()
        assert (road.clicks(), road.vitals.parked) == ([2], 1)
        assert [figure.clicks for figure in await road.desk.waiting()] == [1]
        road.archive.accept_all()

        done = await road.sql.fetchval(
            "update engarde.archive_dues set reason = null, parked_at = null returning 1"
        )
        await road.replicate()

        assert done == 1
        assert (road.clicks(), road.vitals.parked) == ([1, 2], 0)

    async def test_days_come_to_the_archive_as_days(self, road: Road):
        """And what only staging knows is in the row, too."""
        await road.bring(1)
        await road.replicate()

        (row,) = road.archive.others(FIGURES)

        assert row["metric_date"] == date(2026, 6, 1)
        assert row["revision"] > 0
        assert row["created_at"].tzinfo is not None


class TestMedia:
    """A media file is told of when it is kept, when it was examined and when it goes."""

    async def test_the_life_of_a_file(self, road: Road, sessions: Sessions, tenant: Tenant):
        """Three rows, in their order."""
        book = PostgresMediaBook(sessions.writers, PLANS)
        attempt = await kept(book, sessions, tenant)
        (case,) = await book.claim_cases(1, lease_s=60.0)
        await book.settle_case(case, Finding(properties=MediaProperties(width=3)))
        await book.delete(tenant.id, attempt.media_id)

        await road.replicate(MEDIA)

        rows = road.archive.others(MEDIA)
        assert {row["media_id"] for row in rows} == {attempt.media_id}
        assert [(row["processing_status"], row["media_metadata"].get("width")) for row in rows] == [
            ("pending", None),
            ("ready", 3),
            ("ready", 3),
        ]
        assert [row["deleted_at"] is None for row in rows] == [True, True, False]
        assert all(row["ingested_at"] for row in rows)
        assert await road.owed(MEDIA) == 0

    async def test_a_new_archive_is_told_of_every_file(
        self, road: Road, sessions: Sessions, tenant: Tenant
    ):
        """And takes figures that the old one had."""
        await kept(PostgresMediaBook(sessions.writers, PLANS), sessions, tenant)
        figure = figure_of(await road.desk.write())
        await road.desk.book.stage([figure])
        await road.replicate()
        await road.replicate(MEDIA)

        await PostgresReplicationBook(sessions.writers).backfill()

        assert (await road.desk.book.stage([figure])).staged == 1
        assert await road.owed(MEDIA) == 1
