"""Claims, steps and ends of jobs: what the database promises whoever works on them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import anyio
import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.generation import PostgresJobBook, PostgresWorkBench
from engarde_daemon.adapters.postgres.job_library import PostgresJobLibrary
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.generation import Failure, ItemState, JobStatus, Usage
from engarde_daemon.ports.generation import (
    Claim,
    Job,
    JobDraft,
    JobKey,
    Made,
    Retried,
    Written,
    failed,
    given_back,
    kept_back,
    received,
    stored,
    to_rewrite,
)
from tests.support.database import LARGE, OPEN, PLANS, SMALL, Tenant, add_tenant
from tests.support.jobs import spec

CAPS = {"template": 50, "openai": 2}
MONTH = date(2026, 11, 1)
ANSWER = Written(text="An answer.", model="m")


class Works:
    """Everything about jobs on one database."""

    def __init__(self, sessions: Sessions, sql: asyncpg.Connection) -> None:
        self.sql = sql
        self.book = PostgresJobBook(sessions.writers, PLANS)
        self.bench = PostgresWorkBench(sessions.writers, PLANS)
        self.library = PostgresJobLibrary(sessions.readers)
        self.ledger = PostgresLedgerBook(sessions.writers, PLANS)

    async def job(self, tenant: Tenant, count: int = 3, **other: Any) -> JobKey:
        """A job that was made."""
        draft = draft_of(tenant, count, **other)
        assert await self.book.create(draft, most=10) is Made.CREATED
        return JobKey(tenant.id, draft.id)

    async def claim(
        self, most: int = 50, *, lease_s: float = 30.0, caps: Mapping[str, int] = CAPS
    ) -> list[Claim]:
        """Claims on what is due."""
        claims = await self.bench.claim(most=most, lease_s=lease_s, caps=caps, closed=[])
        return sorted(claims, key=lambda claim: (claim.job_id, claim.number))

    async def store(self, claims: list[Claim], cost: str | None = "0.5") -> None:
        """Bring claimed items to their good end."""
        usd = None if cost is None else Decimal(cost)
        used = Usage(input_tokens=3, output_tokens=5)
        await self.bench.note([received(c, ANSWER, usage=used, cost_usd=usd) for c in claims])
        await self.bench.draw({claim.job_id: 10 for claim in claims})
        await self.bench.note(
            [stored(c, content_id=new_id(), size_bytes=10, findings=[]) for c in claims]
        )

    async def read(self, key: JobKey) -> Job:
        """A job as it stands."""
        job = await self.library.job(key)
        assert job is not None
        return job

    async def held(self, tenant: Tenant) -> tuple[int, int, int]:
        """The bytes and pieces that are held, and the pieces that are used."""
        row = await self.sql.fetchrow(
            "select (select pending_bytes from content_storage_usage where tenant_id = $1),"
            " coalesce(sum(pending_items), 0)::int, coalesce(sum(used_items), 0)::int"
            " from engarde.generation_usage where tenant_id = $1",
            tenant.id,
        )
        assert await self.ledger.drift([tenant.id]) == []
        return tuple(row)

    async def pass_time(self) -> None:
        """Let every lease run out."""
        await self.sql.execute("update engarde.generation_items set leased_until = '-infinity'")

    async def expire(self, key: JobKey) -> None:
        """Let a job's time be over."""
        await self.sql.execute(
            "update content_generation_jobs set expires_at = '-infinity' where id = $1", key.job_id
        )


def draft_of(tenant: Tenant, count: int = 3, **other: Any) -> JobDraft:
    """A job about to be made."""
    given: dict[str, Any] = {
        "id": new_id(),
        "brand_id": tenant.brand_id,
        "user_id": tenant.user_id,
        "item_cost_usd": Decimal(1),
        "max_cost_usd": None,
        "preview_items": None,
        "fingerprint": "f",
        "provider": "template",
        **other,
    }
    job = spec(target_count=count, provider=given["provider"])
    return JobDraft(
        tenant_id=tenant.id,
        job_type="batch",
        target_count=count,
        content_type="post",
        generation_params=msgspec.to_builtins(job.params),
        spec=job,
        model="m",
        period=MONTH,
        item_bytes=10,
        hold_s=3600.0,
        **given,
    )


@pytest.fixture
async def works(sessions: Sessions, superuser: asyncpg.Connection) -> Works:
    """The database's part of generation."""
    return Works(sessions, superuser)


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


async def test_five_items_do_not_wait_for_a_thousand(works: Works, tenant: Tenant):
    """Tenants take turns, whoever came first."""
    small = await add_tenant(works.sql, LARGE)
    await works.job(tenant, 200)
    key = await works.job(small, 5)
    claims = await works.claim(10)

    assert [claim.number for claim in claims if claim.job_id == key.job_id] == [1, 2, 3, 4, 5]
    assert await works.job(await add_tenant(works.sql, LARGE), 1) is not None
    assert len(await works.claim(2)) == 2


async def test_what_is_under_way_counts_for_the_next_turn(works: Works, tenant: Tenant):
    """A tenant that holds ten waits until the others hold as many."""
    await works.job(tenant, 100)
    await works.claim(10)
    key = await works.job(await add_tenant(works.sql, LARGE), 100)

    assert {claim.job_id for claim in await works.claim(10)} == {key.job_id}


async def test_a_credentials_concurrency_holds_over_all_daemons(works: Works, tenant: Tenant):
    """Two at once were allowed for this provider."""
    await works.job(tenant, 5, provider="openai")
    first = await works.claim()

    assert len(first) == 2
    assert await works.claim() == []
    await works.store(first[:1])
    assert len(await works.claim()) == 1


async def test_a_credential_that_rests_is_left_alone(works: Works, tenant: Tenant):
    """Its provider asked for it."""
    await works.job(tenant, 5)
    closed = [f"{tenant.id} template"]

    assert await works.bench.claim(most=5, lease_s=9, caps=CAPS, closed=closed) == []


async def test_a_late_finisher_changes_nothing(works: Works, tenant: Tenant):
    """Its epoch has moved on: the other daemon's word counts."""
    await works.job(tenant, 1)
    (late,) = await works.claim()
    await works.pass_time()
    await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    (claim,) = await works.claim()
    step = received(late, ANSWER, usage=None, cost_usd=Decimal(9))

    assert await works.bench.note([step]) == set()
    assert await works.bench.extend([late, claim], lease_s=9) == [claim]
    await works.store([claim])
    item = (await works.library.items(key_of(claim), states=None, after=0, size=5))[0]
    assert (item.state, item.attempts, item.calls, item.unsure_calls) == ("stored", 2, 1, 1)
    assert item.cost_usd == Decimal("0.5")


async def test_an_answer_whose_holder_died_is_stored_not_asked_for_again(
    works: Works, tenant: Tenant
):
    """It was paid for."""
    await works.job(tenant, 1)
    (claim,) = await works.claim()
    await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=None)])
    await works.pass_time()

    assert await works.claim() == []
    (again,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert (again.state, again.answer) == (ItemState.RECEIVED, ANSWER)
    assert again.epoch > claim.epoch


async def test_an_item_that_takes_its_daemon_with_it_fails_in_the_end(works: Works, tenant: Tenant):
    """Attempts are counted when they begin."""
    key = await works.job(tenant, 1)
    for _ in range(2):
        assert len(await works.claim()) == 1
        await works.pass_time()
        await works.bench.recover(most=10, attempts_max=2, lease_s=30)
    await works.bench.end(most=10)

    assert (await works.read(key)).status is JobStatus.FAILED
    assert await works.held(tenant) == (0, 0, 0)


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


async def test_a_rewrite_keeps_its_draft_until_a_cancel_asks_for_it(works: Works, tenant: Tenant):
    """A draft was paid for, so that a cancelled job stores it as it is."""
    key = await works.job(tenant, 1)
    (claim,) = await works.claim()
    await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.bench.note([to_rewrite(claim, [])])
    (rewrite,) = await works.claim()
    assert (rewrite.answer, rewrite.rewrites, rewrite.attempts) == (ANSWER, 1, 1)

    await works.bench.note([to_rewrite(rewrite, [])])
    await works.book.cancel(key)
    (kept,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert (kept.state, kept.is_cancelled) == (ItemState.RECEIVED, True)


async def test_a_draft_whose_rewrite_was_lost_is_judged_again(works: Works, tenant: Tenant):
    """The daemon died over the rewrite; the draft before it is still there."""
    key = await works.job(tenant, 1)
    (claim,) = await works.claim()
    await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=Decimal(1))])
    await works.bench.note([to_rewrite(claim, [])])
    await works.claim()
    await works.pass_time()

    (draft,) = await works.bench.recover(most=10, attempts_max=1, lease_s=30)
    assert (draft.state, draft.answer, draft.rewrites) == (ItemState.RECEIVED, ANSWER, 1)
    assert (await works.read(key)).items == {"received": 1}


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

    assert await retry(works, key, Decimal(9)) is Retried.RETRIED
    assert await works.held(tenant) == (20, 2, 2)
    await works.store(await works.claim())
    await works.bench.end(most=10)
    assert (await works.read(key)).progress == 4
    assert await works.held(tenant) == (0, 0, 4)


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


async def test_a_paused_credential_holds_its_jobs_until_it_is_set_anew(
    works: Works, tenant: Tenant
):
    """Nobody calls with a key that has no credit."""
    await works.book.put_credential(tenant.id, "openai", sealed=b"1", base_url=None, by="u")
    key = await works.job(tenant, 2, provider="openai")
    await works.bench.pause(tenant.id, "openai", "No credit.")

    assert await works.claim() == []
    assert (await works.read(key)).paused_reason == "No credit."
    (kept,) = await works.library.credentials(tenant.id)
    assert kept.paused_reason == "No credit."
    await works.book.put_credential(tenant.id, "openai", sealed=b"2", base_url=None, by="u")
    assert len(await works.claim()) == 2
    assert await works.bench.secret(tenant.id, "openai") == b"2"
    assert await works.bench.secret("somebody", "openai") is None


async def test_what_is_given_back_comes_again_when_it_is_due(works: Works, tenant: Tenant):
    """An attempt that was not the item's fault is not counted."""
    await works.job(tenant, 2)
    one, two = await works.claim()
    await works.bench.note(
        [
            given_back(one, wait_s=0.0, burn=False),
            given_back(two, wait_s=60.0, burn=True, unsure=True),
        ]
    )
    (again,) = await works.claim()
    items = await works.library.items(key_of(one), states=["pending"], after=0, size=5)

    assert (again.number, again.attempts) == (one.number, 1)
    assert [(item.attempts, item.unsure_calls) for item in items] == [(1, 1)]


async def test_an_answer_kept_back_is_stored_later(works: Works, tenant: Tenant):
    """Not before its time."""
    await works.job(tenant, 2)
    one, two = await works.claim()
    for claim in (one, two):
        await works.bench.note([received(claim, ANSWER, usage=None, cost_usd=None)])
    await works.bench.note([kept_back(one, wait_s=60.0), kept_back(two, wait_s=0.0)])

    (again,) = await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    assert again.number == two.number


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


async def test_rivals_never_hold_the_same_item(works: Works, tenant: Tenant):
    """Two daemons that claim at once share the work."""
    await works.job(tenant, 60)
    claims: list[Claim] = []

    async def take() -> None:
        for _ in range(10):
            claims.extend(await works.bench.claim(most=5, lease_s=30, caps=CAPS, closed=[]))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(take)

    assert len({claim.number for claim in claims}) == len(claims)
    assert len(claims) <= CAPS["template"] + 15


def key_of(claim: Claim) -> JobKey:
    """The job of a claim."""
    return JobKey(claim.tenant_id, claim.job_id)


async def retry(works: Works, key: JobKey, max_cost_usd: Decimal | None = None) -> Retried:
    """A wish to try what failed again, in the month that it is."""
    return await works.book.retry(
        key,
        period=datetime.now(UTC).date().replace(day=1),
        hold_s=3600,
        max_cost_usd=max_cost_usd,
        most=10,
    )
