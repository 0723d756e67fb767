"""Restore and verify, carried out by the real actor on a real PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
import pytest

from actors.delivery.messages import Wake as Deliver
from actors.delivery.packing import Packer
from actors.recovery.actor import Recovery, RecoveryPace
from actors.recovery.checking import Checker
from actors.recovery.errands import Restore, Verify, Walk
from actors.recovery.messages import CancelJob, FindJob, ListJobs, OrderJob, Wake
from actors.recovery.restoring import Restorer
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.comparing import ThreadedComparer
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.jobs import PostgresInventory, PostgresJobBook
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.recovery import PostgresBulletin
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.core import Address
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch, Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Conflict, NotFound
from engarde_daemon.domain.records import RecordKey, record_of
from engarde_daemon.domain.recovery import (
    DifferenceKind,
    Job,
    JobKind,
    JobState,
    Place,
    Progress,
    Report,
    Scope,
    Wish,
)
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.readable_archive import ReadableArchive
from engarde_daemon.testing.records import record_with
from tests.support.acting import acting
from tests.support.carrying import delivery_to
from tests.support.content import creation
from tests.support.database import PLANS, Tenant, add_tenant
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

PAGE = 3
_TOLD = (
    "select type from engarde.events where tenant_id = $1 and type ~ 'recovery' order by position"
)
_LATER = "update engarde.content_versions set created_at = '2099-01-01' where content_id = $1"
_OWED = "select content_id from engarde.archive_backfill"
_LEASE_OVER = "update engarde.recovery_jobs set leased_until = '-infinity'"


class Site:
    """A tenant's content in PostgreSQL, ZeroDB and the archive, and the actor that mends it."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.sessions, self.tenant, self.sql = sessions, tenant, sql
        self.store, self.archive = MemoryBodies(), ReadableArchive()
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.book = PostgresJobBook(sessions.writers)
        self.inventory = PostgresInventory(sessions.writers)

    def recovery(self, *, page: int = PAGE) -> Recovery:
        """A fresh actor."""
        bodies = LayeredBodies(
            BodyCache(0), PostgresLibrary(self.sessions.readers), self.store, archive=self.archive
        )
        walk = Walk(
            self.inventory,
            page_versions=page,
            page_bytes=1000,
            versions_per_s=0.0,
            rest_s=lambda: 0.0,
        )
        restorer = Restorer(
            self.inventory,
            self.store,
            archive=self.archive,
            packer=Packer(bodies, ThreadedComparer()),
        )
        return Recovery(
            book=self.book,
            bulletin=PostgresBulletin(self.sessions.writers),
            errands={
                JobKind.RESTORE: Restore(walk, restorer),
                JobKind.VERIFY: Verify(walk, Checker(self.inventory, self.store, self.archive)),
            },
            new_id=new_id,
            pace=RecoveryPace(poll_s=0.05),
        )

    async def write(self, *bodies: str, tenant: Tenant | None = None) -> list[Item]:
        """Commit new items, and have them delivered and archived."""
        return await self.commit([creation(tenant or self.tenant, body) for body in bodies], bodies)

    async def commit(self, writes: Sequence[Write], bodies: Sequence[str]) -> list[Item]:
        """Commit writes with these bodies, and have them delivered and archived."""
        items = [item for item in await self.log.commit(writes) if isinstance(item, Item)]
        for item, write, body in zip(items, writes, bodies, strict=True):
            self.archive.keep(item, body, write.change)
        await self.sql.execute("delete from engarde.outbox where destination = 'bigquery'")
        await delivery_to(self.store, self.sessions).receive(Deliver())
        return items

    async def carried_out(self, kind: JobKind, scope: Scope | None = None) -> Report:
        """Order a job, and give its report when it is done."""
        async with acting(self.recovery) as address:
            job = await order(address, kind, scope)
            ended = await self.ended(address, job.id)
        assert (ended.state, ended.error) == (JobState.COMPLETED, None)
        return ended.progress.report

    async def verified(self, scope: Scope | None = None) -> list[tuple[str, str, str]]:
        """Where stores differ: the store, the content, and how."""
        report = await self.carried_out(JobKind.VERIFY, scope)
        assert report.differences_total == len(report.differences)
        return [(one.store, one.content_id, one.kind) for one in report.differences]

    async def ended(self, address: Address[Any], job_id: str) -> Job:
        """Wait for the end of a job."""
        found: list[Job] = []

        async def is_over() -> bool:
            found[:] = [await address.ask(FindJob(job_id), timeout_s=PATIENCE_S)]
            return found[0].finished_at is not None

        await eventually(is_over)
        return found[0]

    async def has(self, item: Item) -> bool:
        """Whether ZeroDB has the rows of a version."""
        key = RecordKey.of(item)
        return bool(await self.store.get_many([key])) and bool(await self.store.get_versions([key]))


async def order(address: Address[Any], kind: JobKind, scope: Scope | None = None) -> Job:
    """Order a job."""
    wish = Wish(scope=scope or Scope())
    job: Job = await address.ask(
        OrderJob(kind=kind, wish=wish, ordered_by="operator"), timeout_s=PATIENCE_S
    )
    return job


@pytest.fixture
async def site(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Site:
    """Nothing is written yet."""
    return Site(sessions, tenant, superuser)


class TestVerify:
    """Every planted defect is named, and nothing else."""

    async def test_what_is_right_is_counted(self, site: Site):
        """In every store, over several pages."""
        await site.write("one", "two", "three", "four")
        report = await site.carried_out(JobKind.VERIFY)

        assert report.differences == []
        assert report.counts == {"archive": 4, "postgresql": 4, "zerodb": 4, "zerodb rows": 4}

    async def test_each_planted_defect_is_named(self, site: Site):
        """A row that is missing, one with another body, and one that stands twice."""
        missing, changed, twice, untold, _ = await site.write("a", "b", "c", "d", "e")
        site.store.lose(missing.id)
        site.store.corrupt(changed.id)
        site.store.repeat(twice.id, "another body")
        site.store.corrupt_version(RecordKey.of(untold).history_id)

        assert sorted(await site.verified()) == sorted(
            [
                ("zerodb", missing.id, "missing row"),
                ("zerodb", changed.id, "changed body"),
                ("zerodb", twice.id, "duplicate with other body"),
                ("zerodb", untold.id, "missing or damaged history row"),
            ]
        )

    async def test_a_version_that_the_archive_lost_is_named(self, site: Site):
        """Or one that it holds with another body."""
        lost, changed, _ = await site.write("a", "b", "c")
        del site.archive.rows[RecordKey.of(lost)]
        site.archive.keep(changed, "other")

        assert sorted(await site.verified()) == sorted(
            [
                ("archive", lost.id, "missing or damaged row"),
                ("archive", changed.id, "missing or damaged row"),
            ]
        )

    async def test_a_row_of_nobody_is_named(self, site: Site):
        """Also one under another id than that of its version."""
        (item,) = await site.write("a")
        stray = record_with("stray", content_id=new_id(), tenant_id=site.tenant.id)
        twin = msgspec.structs.replace(record_of(item, "a"), id=new_id(), version_of=item.id)
        await site.store.put_many([stray, twin])

        assert sorted(await site.verified()) == sorted(
            [
                ("zerodb", stray.content_id, "row of no known version"),
                ("zerodb", item.id, "duplicate with other body"),
            ]
        )

    async def test_what_is_on_its_way_is_no_difference(self, site: Site):
        """It is counted as waiting."""
        await site.log.commit([creation(site.tenant, "body")])
        report = await site.carried_out(JobKind.VERIFY)

        assert (report.versions, report.waiting, report.differences) == (1, 1, [])

    async def test_only_what_is_meant_is_looked_at(self, site: Site):
        """A tenant, a brand, or what was written until a moment."""
        early, late = await site.write("early", "late")
        other = await add_tenant(site.sql, "free")
        (foreign,) = await site.write("foreign", tenant=other)
        for item in (early, late, foreign):
            site.store.lose(item.id)

        assert {c for _, c, _ in await site.verified(Scope(tenant_id=other.id))} == {foreign.id}
        assert {c for _, c, _ in await site.verified(Scope(brand_id=site.tenant.brand_id))} == {
            early.id,
            late.id,
        }
        await site.sql.execute(_LATER, late.id)
        until = Scope(tenant_id=site.tenant.id, until=early.updated_at)
        assert {c for _, c, _ in await site.verified(until)} == {early.id}


class TestRestore:
    """What a store lost comes back, or is named."""

    async def test_an_empty_zerodb_gets_everything_back(self, site: Site):
        """Each version with its history, of every tenant, and verify finds nothing."""
        items = await site.write(*[f"body {n}" for n in range(7)])
        items += await site.write("foreign", tenant=await add_tenant(site.sql, "free"))
        retitle = changes.update(items[0], Patch(title="Another"), by="u", at=items[0].created_at)
        items += await site.commit([retitle], ["body 0"])
        site.store = MemoryBodies()

        report = await site.carried_out(JobKind.RESTORE)

        assert (report.restored, report.differences_total) == (9, 0)
        assert [await site.has(item) for item in items] == [True] * 9
        assert await site.verified() == []

    async def test_rows_that_are_wrong_are_replaced(self, site: Site):
        """And the right one stands alone."""
        changed, twice = await site.write("a", "b")
        site.store.corrupt(changed.id)
        site.store.repeat(twice.id, "another body")

        report = await site.carried_out(JobKind.RESTORE)

        assert (report.restored, report.differences_total) == (2, 0)
        standing = await site.store.standing([RecordKey.of(changed), RecordKey.of(twice)])
        assert [row.content_body for row in standing[changed.id].rows] == ["a"]
        assert [row.content_body for row in standing[twice.id].rows] == ["b"]

    async def test_before_a_row_is_removed_its_body_is_safe(self, site: Site):
        """A daemon that dies in between leaves it to delivery."""
        (item,) = await site.write("a")
        site.store.repeat(item.id, "another body")
        await site.carried_out(JobKind.RESTORE)

        staged = await site.sql.fetchval("select body from engarde.staged_bodies")
        waiting = await site.sql.fetchval(
            "select leased_until > now() from engarde.outbox where destination = 'zerodb'"
        )
        assert (staged, waiting) == ("a", True)

    async def test_what_no_store_has_is_named(self, site: Site):
        """And does not keep the others from coming back."""
        lost, other = await site.write("lost", "other")
        site.store = MemoryBodies()
        del site.archive.rows[RecordKey.of(lost)]

        # A staged body is a place too: nobody has indexed these items yet.
        await site.sql.execute("delete from engarde.outbox")
        await site.sql.execute("delete from engarde.staged_bodies")
        report = await site.carried_out(JobKind.RESTORE)

        assert [(d.content_id, d.kind) for d in report.differences] == [
            (lost.id, DifferenceKind.LOST)
        ]
        assert await site.has(other)

    async def test_what_the_archive_lost_is_sent_to_it_again(self, site: Site):
        """By the replicator, from wherever the body is."""
        lost, _ = await site.write("lost", "kept")
        del site.archive.rows[RecordKey.of(lost)]
        await site.carried_out(JobKind.RESTORE)

        assert [r[0] for r in await site.sql.fetch(_OWED)] == [lost.id]

    async def test_zerodb_is_restored_while_the_archive_is_away(self, site: Site):
        """From what is still staged."""
        (item,) = await site.write("staged")
        site.store.lose(item.id)
        site.archive.is_down = True
        await site.carried_out(JobKind.RESTORE)

        assert await site.has(item)

    async def test_the_tenant_whose_content_it_is_hears_of_it(self, site: Site):
        """When it begins and when it is done."""
        await site.write("a")
        await site.carried_out(JobKind.RESTORE, Scope(tenant_id=site.tenant.id))

        told = [row["type"] for row in await site.sql.fetch(_TOLD, site.tenant.id)]
        assert told == ["recovery.started", "recovery.completed"]


class TestJobs:
    """An order outlives whoever carries it out."""

    async def test_a_job_goes_on_where_a_dead_daemon_was(self, site: Site):
        """Pages that are done are not done again; the report is that of the whole job."""
        items = await site.write("a", "b", "c")
        site.store = MemoryBodies()
        job = await site.book.order(new_id(), JobKind.RESTORE, Wish(), by="operator")
        dead = await site.book.claim(lease_s=30.0)
        assert job is not None
        assert dead is not None
        first, *rest = sorted(items, key=lambda item: item.id)
        place = Place(site.tenant.id, first.id, 1)
        done = Progress(phase="restoring", place=place, done=1, total=3, report=Report(versions=1))
        assert await site.book.advance(dead, done, lease_s=30.0) is JobState.RUNNING
        await site.sql.execute(_LEASE_OVER)

        async with acting(site.recovery) as address:
            ended = await site.ended(address, job.id)

        assert (ended.progress.done, ended.progress.report.versions) == (3, 3)
        assert [await site.has(item) for item in rest] == [True, True]
        assert not await site.has(first), "its page was done, as far as anybody knew"

    async def test_who_lost_the_lease_changes_nothing_any_more(self, site: Site):
        """Its token does not fit."""
        await site.book.order(new_id(), JobKind.VERIFY, Wish(), by="operator")
        stale = await site.book.claim(lease_s=30.0)
        assert stale is not None
        assert await site.book.claim(lease_s=30.0) is None
        await site.sql.execute(_LEASE_OVER)
        fresh = await site.book.claim(lease_s=30.0)
        assert fresh is not None

        assert await site.book.advance(stale, Progress(phase="x"), lease_s=30.0) is None
        assert not await site.book.settle(stale, JobState.FAILED, error="late")
        assert await site.book.settle(fresh, JobState.COMPLETED, error=None)

    async def test_a_store_that_does_not_answer_delays_a_job(self, site: Site):
        """It says why it waits, and goes on by itself."""
        (item,) = await site.write("a")
        site.store.lose(item.id)
        site.store.fail_next(1)
        async with acting(site.recovery) as address:
            job = await order(address, JobKind.RESTORE)

            async def says_why() -> bool:
                found = await address.ask(FindJob(job.id), timeout_s=PATIENCE_S)
                return "told to fail" in (found.error or "")

            await eventually(says_why)
            await site.sql.execute(_LEASE_OVER)
            ended = await site.ended(address, job.id)

        assert (ended.state, ended.error) == (JobState.COMPLETED, None)
        assert await site.has(item)

    async def test_a_job_that_kills_its_daemons_is_given_up(self, site: Site):
        """After five in a row without any progress."""
        job = await site.book.order(new_id(), JobKind.VERIFY, Wish(), by="operator")
        assert job is not None
        for _ in range(5):
            assert await site.book.claim(lease_s=0.0) is not None

        assert await site.book.claim(lease_s=0.0) is None
        found = await site.book.find(job.id)
        assert found is not None
        assert (found.state, found.error) == (
            JobState.FAILED,
            "daemons end while they work at it; see their logs",
        )

    async def test_one_of_a_kind_at_a_time(self, site: Site):
        """The second is refused, unless it is the same request once more."""
        async with acting(site.recovery) as address:
            await site.write("a")
            gate = site.store.hold_next()
            promised = OrderJob(
                kind=JobKind.RESTORE, wish=Wish(), ordered_by="operator", promised_id=new_id()
            )
            job = await address.ask(promised, timeout_s=PATIENCE_S)
            await gate.reached.wait()

            with pytest.raises(Conflict, match="restore"):
                await order(address, JobKind.RESTORE)
            assert (await address.ask(promised, timeout_s=PATIENCE_S)).id == job.id
            gate.opened.set()
            await site.ended(address, job.id)

    async def test_a_job_can_be_cancelled(self, site: Site):
        """It ends at its next step."""
        await site.write("a", "b", "c", "d")
        gate = site.store.hold_next()
        async with acting(site.recovery) as address:
            job = await order(address, JobKind.VERIFY)
            await gate.reached.wait()
            await address.ask(CancelJob(job.id), timeout_s=PATIENCE_S)
            gate.opened.set()
            ended = await site.ended(address, job.id)

        assert ended.state is JobState.CANCELLED

    async def test_a_daemon_that_stops_gives_its_job_back(self, site: Site):
        """Another one need not wait for the lease to run out."""
        await site.write("a")
        gate = site.store.hold_next()
        async with acting(site.recovery) as address:
            await order(address, JobKind.VERIFY)
            await gate.reached.wait()

        assert await site.book.claim(lease_s=30.0) is not None

    async def test_what_does_not_exist_is_not_found(self, site: Site):
        """And the list is in order."""
        async with acting(site.recovery) as address:
            with pytest.raises(NotFound):
                await address.ask(FindJob("nothing"), timeout_s=PATIENCE_S)
            jobs = [await order(address, kind) for kind in (JobKind.VERIFY, JobKind.RESTORE)]
            for job in jobs:
                await site.ended(address, job.id)
            await address.tell(Wake())
            listed = await address.ask(ListJobs(), timeout_s=PATIENCE_S)

        assert [job.id for job in listed] == [job.id for job in reversed(jobs)]
