"""A database that does not know of the archive's files adds to them, and replaces none."""

from pathlib import Path

from actors.replicator.actor import Replicator, ReplicatorPace
from actors.replicator.binding import Binder
from actors.replicator.cargo import Versions
from actors.replicator.messages import Wake
from engarde_daemon.adapters.archive.analysis import ask
from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.replication import PostgresReplicationBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.archives import go_on_numbering
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.integration.archive.test_embedded import Wall
from tests.support.content import creation
from tests.support.database import PLANS, Tenant


async def test_rows_of_a_new_database_lie_beside_older_ones(
    sessions: Sessions, tenant: Tenant, tmp_path: Path
):
    """As after `engarde restore metadata`, on the day on which the old one was lost."""
    (item,) = await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "new")])
    assert isinstance(item, Item)
    old = snapshot_with("old", content_id="old", tenant_id=tenant.id, at=item.updated_at)
    book = PostgresReplicationBook(sessions.writers)
    async with EmbeddedArchive(tmp_path / "archive", timeout_s=30.0, now=Wall()) as archive:
        await archive.prepare()
        await archive.append(frozen_of([old], stream="files"))

        await go_on_numbering(tmp_path / "archive", book)
        await replicator(sessions, book, archive).receive(Wake())

        found = ask(tmp_path / "archive", "select content_body from content_snapshots order by 1")
        assert [row["content_body"] for row in found.rows] == ["new", "old"]


async def test_numbers_never_go_back(sessions: Sessions, tmp_path: Path):
    """A folder that lacks the newest files, or all, says nothing of what was numbered."""
    book = PostgresReplicationBook(sessions.writers)
    for number in (7, 3):
        await book.number_after(ArchiveTable.SNAPSHOTS, number)
    await go_on_numbering(tmp_path / "nowhere", book)
    turn = await book.take_turn(ArchiveTable.SNAPSHOTS, lease_s=60.0)
    assert turn is not None

    batch = await book.freeze(turn, [1], began="files", lease_s=60.0)

    assert (batch.first_id, batch.last_id) == (8, 8)


def replicator(
    sessions: Sessions, book: PostgresReplicationBook, archive: EmbeddedArchive
) -> Replicator:
    """One that carries what is owed when it is told to."""
    bodies = LayeredBodies(BodyCache(0), PostgresLibrary(sessions.readers), MemoryBodies())
    return Replicator(
        book,
        archive,
        Versions(book, Binder(bodies)),
        pace=ReplicatorPace(),
        rest_s=lambda: 0.0,
        clock=lambda: 0.0,
        publish=lambda _: None,
    )
