"""An erasure is passed on to the archive, and its receipt says when that is done."""

import uuid
from datetime import UTC, datetime

import asyncpg
import pytest

from actors.ingest.actor import Ingest
from actors.steward.actor import Steward
from actors.steward.messages import Tick
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.performance import PostgresPerformanceBook
from engarde_daemon.adapters.postgres.retention import PostgresReceipts, PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.core import Supervisor
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.testing.archive import MemoryArchive
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

_MAKE_DUE = "update engarde.removals set due_at = now()"


class Office:
    """A steward with an archive that fails on demand."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.tenant = tenant
        self.sql = sql
        self.archive = MemoryArchive()
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.retention = PostgresRetention(sessions.writers, PLANS)
        self.receipts = PostgresReceipts(sessions.readers)
        self.steward = Steward(
            housekeeping=PostgresOutbox(sessions.writers),
            retention=self.retention,
            figures=PostgresPerformanceBook(sessions.writers),
            events=PostgresEventLog(sessions.writers),
            event_days=7,
            store=MemoryBodies(),
            archive=self.archive,
            ingest=Supervisor("nobody").add("ingest", self._never, capacity=1),
            new_id=lambda: str(uuid.uuid4()),
            now=lambda: datetime.now(UTC),
            sweep_every_s=60.0,
            publish_every_s=60.0,
        )

    def _never(self) -> Ingest:
        raise AssertionError("nothing is written in these tests")

    async def erased(self) -> str:
        """Erase a content that the archive holds, and give the receipt's id."""
        (outcome,) = await self.log.commit([creation(self.tenant, "gone")])
        assert isinstance(outcome, Item)
        stream = await self.archive.open_stream(frozen_of([], stream="").table)
        row = snapshot_with("gone", content_id=outcome.id, tenant_id=self.tenant.id)
        other = snapshot_with("kept", content_id="other", tenant_id=self.tenant.id)
        await self.archive.append(frozen_of([row, other], stream=stream))
        receipt = str(uuid.uuid4())
        key = ContentKey(self.tenant.id, outcome.id)
        await self.retention.erase(key, erasure_id=receipt, by="user", reason="request")
        return receipt

    async def sweep(self) -> None:
        """One round of chores, with everything due."""
        await self.sql.execute(_MAKE_DUE)
        await self.steward.receive(Tick())

    async def cleared_at(self, receipt: str) -> datetime | None:
        """When every store had forgotten, as the receipt says."""
        found = await self.receipts.find_erasure(self.tenant.id, receipt)
        assert found is not None
        return found.stores_cleared_at


@pytest.fixture
async def office(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Office:
    """An office in which nothing has happened."""
    return Office(sessions, tenant, superuser)


async def test_while_the_archive_is_away_the_receipt_stays_open(office: Office):
    """And once it is back, the erasure is passed on."""
    receipt = await office.erased()
    for _ in range(3):
        office.archive.fail_next(1)
        await office.sweep()
    assert len(office.archive.rows) == 2
    assert await office.cleared_at(receipt) is None

    await office.sweep()

    assert [row.content_body for row in office.archive.rows] == ["kept"]
    assert await office.cleared_at(receipt) is not None


async def test_a_row_that_was_under_way_is_erased_as_well(office: Office):
    """The archive is asked twice before the receipt is closed."""
    receipt = await office.erased()
    (late, _) = office.archive.rows
    await office.sweep()
    assert await office.cleared_at(receipt) is None
    stream = await office.archive.open_stream(frozen_of([], stream="").table)
    await office.archive.append(frozen_of([late], stream=stream, first_id=3))

    await office.sweep()

    assert [row.content_body for row in office.archive.rows] == ["kept"]
    assert await office.cleared_at(receipt) is not None
