"""Beginnings and ends of jobs: what they hold, what they give back, and what is told."""

from decimal import Decimal

import msgspec
import pytest

from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.generation import Failure, ItemState, JobStatus
from engarde_daemon.ports.generation import (
    JobKey,
    Made,
    Retried,
    failed,
    received,
    stored,
    to_rewrite,
)
from tests.integration.generation.works import ANSWER, Works, draft_of, retry
from tests.support.database import LARGE, OPEN, SMALL, Tenant, add_tenant


async def test_a_job_holds_its_room_and_gives_back_what_it_did_not_use(
    works: Works, tenant: Tenant
):
    """Bytes while it runs, pieces until it ends; then only what was made counts."""
    key = await works.job(tenant, 3)
    assert await works.held(tenant) == (30, 3, 0)
    claims = await works.claim()
    await works.store(claims[:2])
    await works.bench.note([failed(claims[2], Failure.REFUSED, "It will not.")])

    assert await works.bench.end(most=10) == [tenant.id]
    assert await works.held(tenant) == (0, 0, 2)
    job = await works.read(key)
    assert (job.status, job.progress, job.spent_usd) == (JobStatus.COMPLETED, 2, Decimal(1))
    assert job.error_message == "1 of 3 items failed; the last because: It will not."


async def test_the_platforms_columns_are_true_at_the_end(works: Works, tenant: Tenant):
    """Whoever reads the platform's own table learns the same."""
    key = await works.job(tenant, 2)
    await works.store(await works.claim())
    await works.bench.end(most=10)
    row = await works.sql.fetchrow(
        "select * from content_generation_jobs where id = $1", key.job_id
    )

    assert row["generated_content_ids"] == await works.library.contents(key)
    assert (row["progress"], row["total_storage_bytes"]) == (2, 20)
    assert row["total_cost_usd"] == Decimal("1.0000")
    assert row["started_at"] <= row["completed_at"]
    assert row["status"] == "completed"


@pytest.mark.parametrize(
    ("plan", "count", "made"),
    [
        (SMALL, 10, Made.CREATED),
        (SMALL, 11, Made.STORAGE_FULL),
        (SMALL, 21, Made.PIECES_FULL),
        (OPEN, 2000, Made.CREATED),
    ],
)
async def test_a_job_the_plan_has_no_room_for_leaves_nothing_behind(
    works: Works, plan: str, count: int, made: Made
):
    """Neither a row nor a reservation."""
    tenant = await add_tenant(works.sql, plan)
    draft = draft_of(tenant, count)

    assert await works.book.create(draft, most=10) is made
    rows = await works.sql.fetchval("select count(*) from content_generation_jobs")
    assert rows == (made is Made.CREATED)
    if made is not Made.CREATED:
        assert await works.sql.fetchval("select count(*) from engarde.reservations") == 0


async def test_the_same_request_makes_one_job(works: Works, tenant: Tenant):
    """And another one under its name is told so; another tenant's as well."""
    draft, other = draft_of(tenant), await add_tenant(works.sql, LARGE)
    replaced = msgspec.structs.replace

    assert await works.book.create(draft, most=1) is Made.CREATED
    assert await works.book.create(draft, most=1) is Made.EXISTS
    assert await works.book.create(replaced(draft, fingerprint="g"), most=1) is Made.REUSED
    stolen = replaced(draft, tenant_id=other.id)
    assert await works.book.create(stolen, most=1) is Made.REUSED
    assert await works.book.create(replaced(draft, id=new_id()), most=1) is Made.BUSY


async def test_a_cancel_keeps_what_is_paid_and_gives_back_the_rest(works: Works, tenant: Tenant):
    """Room is held only for what is under way; the job ends with it."""
    key = await works.job(tenant, 5)
    stored_one, calling, lost = await works.claim(3)
    await works.store([stored_one])

    assert await works.book.cancel(key) is True
    assert await works.held(tenant) == (20, 3, 0)
    assert await works.claim() == []
    await works.bench.note([received(calling, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.bench.note([stored(calling, content_id="c", size_bytes=9, findings=[])])
    await works.sql.execute(
        "update engarde.generation_items set leased_until = '-infinity' where number = $1",
        lost.number,
    )
    await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    await works.bench.end(most=10)
    job = await works.read(key)
    assert (job.status, job.progress) == (JobStatus.CANCELLED, 2)
    assert dict(job.items) == {"stored": 2, "cancelled": 3}
    assert await works.held(tenant) == (0, 0, 2)
    assert await works.book.cancel(key) is True


async def test_what_has_ended_cannot_be_cancelled(works: Works, tenant: Tenant):
    """And what does not exist is not found, be it another tenant's."""
    key = await works.job(tenant, 1)
    await works.store(await works.claim())
    await works.bench.end(most=10)

    assert await works.book.cancel(key) is False
    assert await works.book.cancel(JobKey("somebody", key.job_id)) is None
    assert await works.library.job(JobKey("somebody", key.job_id)) is None


async def test_the_cost_limit_stops_before_it_is_passed(works: Works, tenant: Tenant):
    """Calls under way count at their highest; a retry under a higher limit goes on."""
    key = await works.job(tenant, 4, max_cost_usd=Decimal("2.5"))
    claims = await works.claim()
    assert len(claims) == 2
    await works.store(claims, cost="1")
    assert await works.claim() == []
    await works.bench.end(most=10)
    job = await works.read(key)
    assert (job.status, dict(job.items)) == (JobStatus.COMPLETED, {"stored": 2, "failed": 2})
    told = await works.library.ended_items(key, after=0, size=9)
    assert [(item.number, item.place) for item in told] == [(1, 1), (2, 2), (3, 3), (4, 4)]

    assert await retry(works, key, Decimal(9)) is Retried.RETRIED
    assert await works.held(tenant) == (20, 2, 2)
    await works.store(await works.claim())
    await works.bench.end(most=10)
    assert (await works.read(key)).progress == 4
    assert await works.held(tenant) == (0, 0, 4)


async def test_a_draft_whose_rewrite_is_too_dear_is_judged_as_the_last(
    works: Works, tenant: Tenant
):
    """It was paid for; only what was never asked for fails with the limit."""
    key = await works.job(tenant, 2, max_cost_usd=Decimal("1.5"))
    (claim,) = await works.claim()
    await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.bench.note([to_rewrite(claim, [])])
    assert await works.claim() == []
    await works.bench.end(most=10)
    (draft,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert (draft.number, draft.answer, draft.is_final) == (claim.number, ANSWER, True)

    step = stored(draft, content_id=new_id(), size_bytes=10, findings=[])
    await works.bench.note([step])
    await works.bench.end(most=10)
    job = await works.read(key)
    assert (job.status, job.items) == (JobStatus.COMPLETED, {"stored": 1, "failed": 1})
    assert await works.held(tenant) == (0, 0, 1)


async def test_what_a_retry_writes_may_be_written_anew(works: Works, tenant: Tenant):
    """Only the draft was the last, not what comes after it under a higher limit."""
    key = await works.job(tenant, 1, max_cost_usd=Decimal("1.5"))
    (claim,) = await works.claim()
    await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.bench.note([to_rewrite(claim, [])])
    await works.bench.end(most=10)
    (draft,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    await works.bench.note([failed(draft, Failure.ADHERENCE, "It broke the rules.")])
    await works.bench.end(most=10)
    assert await retry(works, key, Decimal(9)) is Retried.RETRIED
    (again,) = await works.claim()
    await works.bench.note([received(again, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.pass_time()

    (anew,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert not anew.is_final


async def test_a_retry_stores_what_is_paid_and_calls_only_for_the_rest(
    works: Works, tenant: Tenant
):
    """An answer that the plan had no room for waits for it."""
    key = await works.job(tenant, 2)
    assert await retry(works, key) is Retried.LIVE
    full, refused = await works.claim()
    await works.bench.note([received(full, ANSWER, usage=None, cost_usd=None)])
    await works.bench.note(
        [failed(full, Failure.STORAGE_FULL, "Full."), failed(refused, Failure.REFUSED, "No.")]
    )
    await works.bench.end(most=10)

    assert await retry(works, key) is Retried.RETRIED
    assert [claim.number for claim in await works.claim()] == [refused.number]
    (paid,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert (paid.number, paid.answer) == (full.number, ANSWER)


async def test_there_is_nothing_to_retry_where_nothing_failed(works: Works, tenant: Tenant):
    """Nor where there is no job."""
    key = await works.job(tenant, 1)
    await works.store(await works.claim())
    await works.bench.end(most=10)

    assert await retry(works, key) is Retried.NOTHING
    assert await retry(works, JobKey("somebody", key.job_id)) is Retried.MISSING


async def test_a_preview_waits_for_its_approval(works: Works, tenant: Tenant):
    """The first items are made, the others only when somebody said so."""
    key = await works.job(tenant, 5, preview_items=2)
    claims = await works.claim()
    assert [claim.number for claim in claims] == [1, 2]
    await works.store(claims)
    assert await works.bench.end(most=10) == []

    assert await works.book.approve(key) is True
    assert await works.book.approve(key) is False
    assert await works.book.approve(JobKey("somebody", key.job_id)) is None
    assert len(await works.claim()) == 3


async def test_a_job_past_its_time_ends_and_its_pieces_count_all_the_same(
    works: Works, tenant: Tenant
):
    """Even when the ledger gave the room back before anybody noticed."""
    key = await works.job(tenant, 3)
    await works.store((await works.claim())[:1])
    await works.expire(key)
    await works.sql.execute("update engarde.reservations set expires_at = '-infinity'")
    await works.ledger.expire(10)

    assert await works.bench.end(most=10) == [tenant.id]
    job = await works.read(key)
    assert (job.status, job.progress, job.items[ItemState.FAILED]) == (JobStatus.COMPLETED, 1, 2)
    assert await works.held(tenant) == (0, 0, 1)


async def test_followers_get_items_in_the_order_in_which_they_ended(works: Works, tenant: Tenant):
    """Each once, with a place of its own."""
    key = await works.job(tenant, 4)
    one, two, three, four = await works.claim()
    await works.store([three, one])
    await works.bench.note([failed(four, Failure.EMPTY, "Nothing.")])
    await works.store([two])
    ended = await works.library.ended_items(key, after=1, size=10)

    assert [(item.place, item.number) for item in ended] == [(2, 1), (3, 4), (4, 2)]


async def test_a_call_without_a_price_is_counted_as_such(works: Works, tenant: Tenant):
    """Unknown is not nothing."""
    key = await works.job(tenant, 1)
    await works.store(await works.claim(), cost=None)

    assert (await works.read(key)).unpriced_calls == 1


async def test_the_end_is_told(works: Works, tenant: Tenant):
    """One event for each job, in the transaction that ends it."""
    good, bad = await works.job(tenant, 1), await works.job(tenant, 1)
    claims = {claim.job_id: claim for claim in await works.claim()}
    await works.store([claims[good.job_id]])
    await works.bench.note([failed(claims[bad.job_id], Failure.REFUSED, "No.")])
    await works.bench.end(most=10)
    rows = await works.sql.fetch("select type, subject_id, data from engarde.events")

    assert {(row["type"], row["subject_id"]) for row in rows} == {
        ("generation.completed", good.job_id),
        ("generation.failed", bad.job_id),
    }
    assert all(msgspec.json.decode(row["data"])["target_count"] == 1 for row in rows)
