"""An erasure is passed on to the archive, and its receipt says when that is done."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from actors.ingest.actor import Ingest
from actors.steward.actor import Steward
from actors.steward.messages import EraseContent, Tick
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.performance import PostgresPerformanceBook
from engarde_daemon.adapters.postgres.retention import PostgresReceipts, PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.core import Supervisor
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.testing.archive import MemoryArchive
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

_AGE_VERSIONS = "update engarde.content_versions set created_at = created_at - interval '31 days'"
_DELIVERED = "delete from engarde.outbox"
_DUE_WHEN = "select due_at - clock_timestamp() from engarde.removals where destination = 'versions'"
_MAKE_DUE = "update engarde.removals set due_at = now()"


class Office:
    """A steward with an archive that fails on demand."""

    def __init__(
        self,
        sessions: Sessions,
        tenant: Tenant,
        sql: asyncpg.Connection,
        plans: Mapping[str, Plan] = PLANS,
    ) -> None:
        self.tenant = tenant
        self.sql = sql
        self.archive = MemoryArchive()
        self.store = MemoryBodies()
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.retention = PostgresRetention(sessions.writers, plans)
        self.receipts = PostgresReceipts(sessions.readers)
        self.steward = Steward(
            housekeeping=PostgresOutbox(sessions.writers),
            retention=self.retention,
            figures=PostgresPerformanceBook(sessions.writers),
            events=PostgresEventLog(sessions.writers),
            event_days=7,
            store=self.store,
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

    async def changed(self) -> str:
        """Change a content twice whose versions the archive holds, long ago, and give its id."""
        (item,) = await self.log.commit([creation(self.tenant, "one")])
        assert isinstance(item, Item)
        rows = [snapshot_with("one", content_id=item.id, tenant_id=self.tenant.id)]
        for version in (2, 3):
            patch = changes.update(item, Patch(body=f"v{version}"), by="u", at=item.created_at)
            (item,) = await self.log.commit([patch])
            assert isinstance(item, Item)
            rows.append(
                snapshot_with(
                    f"v{version}", content_id=item.id, tenant_id=self.tenant.id, version=version
                )
            )
        stream = await self.archive.open_stream(frozen_of([], stream="").table)
        await self.archive.append(frozen_of(rows, stream=stream))
        await self.sql.execute(_DELIVERED)
        await self.sql.execute(_AGE_VERSIONS)
        return item.id

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


async def test_while_zerodb_is_away_an_erasure_is_answered(office: Office):
    """It is done where it counts, and ZeroDB is asked again; who asked must not think it failed."""
    (item,) = await office.log.commit([creation(office.tenant, "gone")])
    assert isinstance(item, Item)
    office.store.fail_next(1)
    receipt = str(uuid.uuid4())
    wish = EraseContent(
        erasure_id=receipt, tenant_id=office.tenant.id, content_id=item.id, user_id="user"
    )
    assert await office.steward.receive(wish) == 1
    assert await office.cleared_at(receipt) is None
    for _ in range(3):
        await office.sweep()

    assert await office.cleared_at(receipt) is not None


async def test_while_zerodb_is_away_the_archive_is_asked_all_the_same(office: Office):
    """No store waits for another one."""
    await office.erased()
    office.store.fail_next(1)
    await office.sweep()

    assert [row.content_body for row in office.archive.rows] == ["kept"]


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


class TestForgettingPlan:
    """`forget_in_archive`: what retention forgets of live content, the archive forgets too."""

    @pytest.fixture
    def office(self, sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Office:
        """An office whose plans all say so."""
        plans = {
            name: msgspec.structs.replace(plan, forgets_in_archive=True)
            for name, plan in PLANS.items()
        }
        return Office(sessions, tenant, superuser, plans)

    async def test_old_versions_leave_the_archive_and_the_newest_one_stays(self, office: Office):
        """After the report named them, and not before the day is over."""
        await office.changed()
        told = {one.what: one.pieces for one in await office.retention.report()}
        assert (told["old versions"], told["of them in the archive"]) == (2, 2)

        await office.steward.receive(Tick())
        assert len(office.archive.rows) == 3
        assert (await office.sql.fetchval(_DUE_WHEN)).total_seconds() > 0
        await office.sweep()

        assert [row.version for row in office.archive.rows] == [3]

    async def test_while_the_archive_is_away_they_stay_due(self, office: Office):
        """And go when it is back."""
        await office.changed()
        await office.steward.receive(Tick())
        office.archive.fail_next(1)
        await office.sweep()
        assert len(office.archive.rows) == 3

        await office.sweep()

        assert [row.version for row in office.archive.rows] == [3]


async def test_the_archive_keeps_what_retention_forgets_unless_a_plan_says_otherwise(
    office: Office,
):
    """It is where a version can be found that PostgreSQL has forgotten."""
    await office.changed()
    told = {one.what: one.pieces for one in await office.retention.report()}
    for _ in range(2):
        await office.sweep()

    assert (told["old versions"], told["of them in the archive"]) == (2, 0)
    assert [row.version for row in office.archive.rows] == [1, 2, 3]
