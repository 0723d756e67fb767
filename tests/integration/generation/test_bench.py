"""Claims and steps: what the database promises whoever works on items."""

from decimal import Decimal

import anyio
import pytest

from engarde_daemon.domain.generation import ItemState, JobStatus
from engarde_daemon.ports.generation import (
    Claim,
    given_back,
    kept_back,
    received,
    to_rewrite,
)
from engarde_daemon.ports.secrets import SealedKey
from tests.integration.generation.works import ANSWER, CAPS, Works, key_of
from tests.support.database import LARGE, Tenant, add_tenant


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

    assert await works.bench.note([step]) == {}
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


async def test_a_paused_credential_holds_its_jobs_until_it_is_set_anew(
    works: Works, tenant: Tenant
):
    """Nobody calls with a key that has no credit."""
    await works.book.put_credential(tenant.id, "openai", sealed=b"1", base_url=None, by="u")
    key = await works.job(tenant, 2, provider="openai")
    await works.bench.pause(SealedKey(tenant.id, "openai", b"1"), "No credit.")

    assert await works.claim() == []
    assert (await works.read(key)).paused_reason == "No credit."
    (kept,) = await works.library.credentials(tenant.id)
    assert kept.paused_reason == "No credit."
    await works.book.put_credential(tenant.id, "openai", sealed=b"2", base_url=None, by="u")
    assert len(await works.claim()) == 2
    assert (await works.bench.key(tenant.id, "openai")).sealed == b"2"
    assert (await works.bench.key("somebody", "openai")).sealed is None


@pytest.mark.parametrize("used", [b"1", None])
async def test_the_late_refusal_of_an_old_key_pauses_no_new_one(
    works: Works, tenant: Tenant, used: bytes | None
):
    """Also where the old one was none at all."""
    refused = SealedKey(tenant.id, "openai", used)
    key = await works.job(tenant, 1, provider="openai")
    await works.bench.pause(refused, "No credit.")
    await works.book.put_credential(tenant.id, "openai", sealed=b"2", base_url=None, by="u")
    await works.bench.pause(refused, "No credit.")

    assert (await works.read(key)).paused_reason is None
    (kept,) = await works.library.credentials(tenant.id)
    assert kept.paused_reason is None
    assert len(await works.claim()) == 1


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
