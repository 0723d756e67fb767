"""`bigquery_synced` of a media file: what the archive was told of it."""

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.media import PostgresMediaBook, PostgresMediaLibrary
from engarde_daemon.adapters.postgres.replication import PostgresDuesBook, PostgresReplicationBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.dues import Due
from engarde_daemon.ports.media import Finding
from engarde_daemon.ports.replication import Outcome, TurnOver
from tests.integration.media.test_books import LEASE_S, claimed, kept
from tests.support.database import PLANS, Tenant


class House:
    """A tenant with one file, and the books of both sides."""

    def __init__(self, sessions: Sessions, tenant: Tenant, media_id: str) -> None:
        self.book = PostgresMediaBook(sessions.writers, PLANS)
        self.dues = PostgresDuesBook(sessions.writers)
        self.replication = PostgresReplicationBook(sessions.writers)
        self.media_id = media_id
        self._library = PostgresMediaLibrary(sessions.readers)
        self._tenant = tenant

    async def owed(self) -> list[Due]:
        """What the archive is to be told."""
        return await self.dues.due(ArchiveTable.MEDIA, items=100)

    async def tell(self, *dues: Due, refused: Due | None = None) -> None:
        """Note that the archive took these, and refused one."""
        turn = await self.dues.take_turn(ArchiveTable.MEDIA, lease_s=LEASE_S)
        assert turn is not None
        refusals = {refused.id: "it is no row"} if refused else {}
        outcome = Outcome(stored=[due.id for due in dues], refused=refusals)
        await self.dues.finish(turn, outcome, lease_s=LEASE_S)
        await self.dues.give_back(turn)

    async def is_synced(self) -> bool:
        """What the file's row says."""
        found = await self._library.find(self._tenant.id, [self.media_id])
        return found[self.media_id].bigquery_synced


@pytest.fixture
async def house(sessions: Sessions, tenant: Tenant) -> House:
    """A file that was just kept."""
    book = PostgresMediaBook(sessions.writers, PLANS)
    _, file = await kept(book, PostgresLedgerBook(sessions.writers, PLANS), tenant)
    return House(sessions, tenant, file.id)


async def test_a_file_is_synced_when_the_archive_took_it(house: House):
    """Not before."""
    assert not await house.is_synced()
    await house.tell(*await house.owed())
    assert await house.is_synced()


async def test_what_an_examination_found_is_to_be_told_anew(house: House):
    """A file whose first row arrived late is not synced as long as a second one is owed."""
    first = await house.owed()
    await house.book.settle_case(await claimed(house.book), Finding())
    second = [due for due in await house.owed() if due not in first]

    await house.tell(*first)
    assert not await house.is_synced()
    await house.tell(*second)
    assert await house.is_synced()


async def test_an_examination_ends_what_was_true(house: House):
    """Until it is told."""
    await house.tell(*await house.owed())
    await house.book.settle_case(await claimed(house.book), Finding())
    assert not await house.is_synced()
    await house.tell(*await house.owed())
    assert await house.is_synced()


async def test_a_file_whose_row_was_refused_is_not_synced(house: House):
    """Nor is one that a daemon without the turn tells of."""
    (due,) = await house.owed()
    await house.tell(refused=due)
    assert not await house.is_synced()

    turn = await house.dues.take_turn(ArchiveTable.MEDIA, lease_s=LEASE_S)
    assert turn is not None
    await house.dues.give_back(turn)
    assert await house.dues.take_turn(ArchiveTable.MEDIA, lease_s=LEASE_S)
    with pytest.raises(TurnOver):
        await house.dues.finish(turn, Outcome(stored=[due.id]), lease_s=LEASE_S)
    assert not await house.is_synced()


async def test_an_archive_that_was_lost_knows_of_no_file(
    house: House, superuser: asyncpg.Connection
):
    """Each is told again, and is synced then."""
    await house.tell(*await house.owed())
    await house.replication.backfill()
    assert not await house.is_synced()
    await house.tell(*await house.owed())
    assert await house.is_synced()
