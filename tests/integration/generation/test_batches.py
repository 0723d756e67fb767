"""Batches on a real database: what is put together, who looks after it, and who comes too late."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engarde_daemon.adapters.postgres.batches import PostgresBatchBench
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.generation import ItemState, Mode
from engarde_daemon.ports.batches import Batch, BatchState, Move
from engarde_daemon.ports.generation import JobKey, given_back, received
from engarde_daemon.ports.secrets import SealedKey
from tests.integration.generation.works import ANSWER, Works
from tests.support.database import LARGE, Tenant, add_tenant

PROVIDERS = ["openai"]


@pytest.fixture
def bench(sessions: Sessions) -> PostgresBatchBench:
    """The database's part of batches."""
    return PostgresBatchBench(sessions.writers)


async def job(works: Works, tenant: Tenant, count: int = 3, **other: Any) -> JobKey:
    """A job whose items go in bulk."""
    return await works.job(tenant, count, provider="openai", mode=Mode.BATCH, **other)


async def gathered(bench: PostgresBatchBench, most: int = 100) -> int:
    """How many batches come of what waits."""
    count = 0
    while await bench.gather(new_id(), most=most, providers=PROVIDERS):
        count += 1
    return count


async def leased(bench: PostgresBatchBench) -> list[Batch]:
    """The batches that are to be looked at."""
    return await bench.lease(most=10, lease_s=30)


def moved(batch: Batch, state: BatchState = BatchState.OPEN, **other: Any) -> Move:
    """A step of a batch."""
    return Move(tenant_id=batch.tenant_id, id=batch.id, epoch=batch.epoch, state=state, **other)


async def test_a_job_goes_in_batches_of_a_bounded_size(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """All at once, and none of it by calls of their own."""
    await job(works, tenant, 5)
    assert await works.claim() == []
    assert await gathered(bench, most=2) == 3
    batches = await leased(bench)
    sizes = sorted([len(await bench.claims(batch)) for batch in batches])

    assert sizes == sorted(batch.items for batch in batches) == [1, 2, 2]
    assert all(batch.state is BatchState.OPENING for batch in batches)
    assert await leased(bench) == []


async def test_items_in_bulk_take_nobodys_turn(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """A credential may have two calls under way; what a provider has in bulk is none."""
    await job(works, tenant, 50)
    await gathered(bench)
    await works.job(tenant, 5, provider="openai")

    assert len(await works.claim()) == 2


async def test_what_is_written_anew_waits_until_it_can_go_together(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """One batch for all of it."""
    await job(works, tenant, 3)
    await gathered(bench)
    (batch,) = await leased(bench)
    one, two, three = await bench.claims(batch)
    await works.bench.note([given_back(claim, wait_s=0, burn=True) for claim in (one, two)])
    assert await gathered(bench) == 0
    await works.bench.note([given_back(three, wait_s=0, burn=True)])

    assert await gathered(bench) == 1


async def test_the_cost_limit_counts_what_is_under_way_at_its_dearest(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """Two pieces of a dollar are within two and a half."""
    await job(works, tenant, 4, max_cost_usd=Decimal("2.5"))
    await gathered(bench)
    (batch,) = await leased(bench)

    assert [claim.number for claim in await bench.claims(batch)] == [1, 2]


async def test_whoever_lost_the_lease_changes_nothing(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """Its epoch has moved on."""
    await job(works, tenant)
    await gathered(bench)
    (late,) = await leased(bench)
    await works.sql.execute("update engarde.provider_batches set leased_until = '-infinity'")
    (batch,) = await leased(bench)

    assert await bench.hold([late, batch], lease_s=9) == {batch.id}
    assert await bench.hold([late], lease_s=9) == set()
    assert await bench.move(moved(late, name="theirs", wait_s=0)) is False
    assert await bench.move(moved(batch, name="ours", begun=1, wait_s=0)) is True
    (again,) = await leased(bench)
    assert (again.name, again.attempts, again.state) == ("ours", 1, BatchState.OPEN)


async def test_a_cancelled_job_has_its_batches_looked_at_at_once(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """Every minute may cost."""
    key = await job(works, tenant)
    await gathered(bench)
    (batch,) = await leased(bench)
    await bench.move(moved(batch, name="b", wait_s=3600))
    assert await leased(bench) == []
    await works.book.cancel(key)
    (batch,) = await leased(bench)

    assert (batch.is_wanted, batch.is_cancelled) == (False, False)
    await bench.move(moved(batch, cancelled=True, wait_s=3600))
    assert await leased(bench) == []


async def test_a_job_that_waits_for_a_better_key_is_left_alone(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """There is nothing to look with; then it goes on."""
    await job(works, tenant)
    await gathered(bench)
    await works.bench.pause(SealedKey(tenant.id, "openai", None), "No credit.")
    assert await leased(bench) == []
    await works.book.put_credential(tenant.id, "openai", sealed=b"s", base_url=None, by="u")

    assert len(await leased(bench)) == 1


async def test_a_stranger_is_remembered_and_another_one_is_looked_for(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """And no batch of ours is ever taken for another."""
    await job(works, tenant, 4)
    await gathered(bench, most=2)
    first, second = await leased(bench)
    await bench.move(moved(first, name="one", wait_s=0))
    await bench.move(moved(second, name="two"))
    assert await bench.names(first) == {"two"}
    (first,) = await leased(bench)
    await bench.move(moved(first, BatchState.OPENING, stranger="one", wait_s=0))
    (first,) = await leased(bench)

    assert (first.name, set(first.strangers)) == (None, {"one"})


async def test_answers_of_a_batch_are_stored_a_bounded_number_at_a_time(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """However many came at once; each counts once, however often it is read."""
    key = await job(works, tenant, 30)
    await gathered(bench)
    (batch,) = await leased(bench)
    steps = [
        received(claim, ANSWER, usage=None, cost_usd=Decimal(1), wait_s=0.0)
        for claim in await bench.claims(batch)
    ]
    for _ in range(2):
        await bench.note(steps)
    claims = await works.bench.recover(most=10, attempts_max=5, lease_s=30)

    assert [claim.state for claim in claims] == [ItemState.RECEIVED] * 10
    assert await bench.claims(batch) == []
    assert (await works.read(key)).spent_usd == 30


async def test_another_tenants_batch_is_not_found(
    works: Works, bench: PostgresBatchBench, tenant: Tenant
):
    """Not by its holder's word, nor by its name."""
    await job(works, tenant)
    await gathered(bench)
    (batch,) = await leased(bench)
    other = await add_tenant(works.sql, LARGE)
    stolen = Move(tenant_id=other.id, id=batch.id, epoch=batch.epoch, state=BatchState.CLOSED)

    assert await bench.move(stolen) is False
    assert batch.created_at <= datetime.now(UTC)
