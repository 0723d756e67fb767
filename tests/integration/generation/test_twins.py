"""Pieces that say nearly the same: known to every daemon, in the order in which they were committed."""

from collections.abc import Mapping

import asyncpg
import pytest

from actors.shelver import twins
from actors.shelver.messages import Shelve
from actors.shelver.twins import Twins
from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.generation import PostgresWorkBench
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.adapters.twins import sign
from engarde_daemon.domain.generation import Failure
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation import Claim, JobKey, failed, received
from tests.integration.generation.works import ANSWER, Works, retry
from tests.support.database import PLANS, Tenant
from tests.support.plans import recorded, show_plans

CALLS = 8  # PostgreSQL may turn to a generic plan after five
TEA, COCOA = sign("All about tea and books."), sign("Nothing but cocoa, and more of it.")


async def answered(works: Works, claim: Claim, signature: bytes | None = TEA) -> None:
    """Have an item's answer committed."""
    step = received(claim, ANSWER, usage=None, cost_usd=None, signature=signature)
    await works.bench.note([step])


def judged(*claims: Claim) -> list[Shelve]:
    """Messages to a daemon that did not hear of these answers when they were committed."""
    return [Shelve(claim, ANSWER) for claim in claims]


async def places_of(works: Works, key: JobKey, after: int = 0) -> list[tuple[int, int, bool]]:
    """The numbers and places of answers, and whether each has a signature."""
    found = await works.bench.signatures({key: after}, most=10)
    return [(one.number, one.place, one.signature is not None) for one in found]


async def test_a_piece_of_another_daemon_is_found(works: Works, tenant: Tenant):
    """Of two that are judged at once, each by a daemon that knew nothing, the later one yields."""
    await works.job(tenant, 3)
    one, two, three = await works.claim()
    here, there = Twins(works.bench), Twins(works.bench)
    await answered(works, two)
    await answered(works, three, COCOA)
    await answered(works, one)
    await here.learn(judged(one, three))
    await there.learn(judged(two))

    assert (here.twin_of(one), here.twin_of(three), there.twin_of(two)) == (2, None, None)


class CountingBench(PostgresWorkBench):
    """Counts how often signatures are read."""

    reads = 0

    async def signatures(self, places: Mapping[JobKey, int], *, most: int) -> list[SignedAnswer]:
        """See `WorkBench.signatures`."""
        self.reads += 1
        return await super().signatures(places, most=most)


async def test_only_what_others_answered_is_read(works: Works, tenant: Tenant, sessions: Sessions):
    """A daemon that is alone knows everything already; a gap in the numbers gives others away."""
    key = await works.job(tenant, 4)
    claims = await works.claim()
    bench = CountingBench(sessions.writers, PLANS)
    daemon = Twins(bench)

    async def judge(claim: Claim, place: int, signature: bytes) -> tuple[int | None, int]:
        await answered(works, claim, signature)
        signed = SignedAnswer(key.job_id, claim.number, place, signature)
        await daemon.learn([Shelve(claim, ANSWER, signed)])
        return daemon.twin_of(claim), bench.reads

    assert await judge(claims[0], 1, COCOA) == (None, 0)
    assert await judge(claims[1], 2, COCOA) == (1, 0)
    await answered(works, claims[2])
    assert await judge(claims[3], 4, TEA) == (3, 1)


async def test_what_is_said_at_once_has_an_order(works: Works, tenant: Tenant):
    """Within a transaction as well as after it."""
    key = await works.job(tenant, 3)
    one, two, three = await works.claim()
    steps = [
        received(claim, ANSWER, usage=None, cost_usd=None, signature=TEA) for claim in (three, one)
    ]
    await works.bench.note(steps)
    await answered(works, two)

    assert await places_of(works, key) == [(3, 1, True), (1, 2, True), (2, 3, True)]
    assert await places_of(works, key, after=2) == [(2, 3, True)]


async def test_a_late_finishers_signature_is_not_kept(works: Works, tenant: Tenant):
    """Neither is its answer."""
    key = await works.job(tenant, 1)
    (late,) = await works.claim()
    await works.pass_time()
    await works.bench.recover(most=10, attempts_max=5, lease_s=30)
    await answered(works, late)

    assert await places_of(works, key) == []


@pytest.mark.parametrize(
    ("failure", "is_kept"), [(Failure.ADHERENCE, False), (Failure.STORAGE_FULL, True)]
)
async def test_a_piece_that_was_given_up_is_told_of(
    works: Works, tenant: Tenant, failure: Failure, *, is_kept: bool
):
    """Only one that a retry may store is anybody's twin still."""
    await works.job(tenant, 2)
    one, two = await works.claim()
    daemon = Twins(works.bench)
    await answered(works, one)
    await answered(works, two)
    await daemon.learn(judged(two))
    await works.bench.note([failed(one, failure, "Why.")])
    await daemon.learn(judged(two))

    assert daemon.twin_of(two) == (1 if is_kept else None)


async def test_a_retry_is_compared_with_what_the_job_stored_before(works: Works, tenant: Tenant):
    """Signatures stay as long as their items."""
    key = await works.job(tenant, 2)
    one, two = await works.claim()
    await answered(works, one)
    await works.store([one])
    await works.bench.note([failed(two, Failure.REFUSED, "No.")])
    await works.bench.end(most=5)
    await retry(works, key)
    (again,) = await works.claim()
    await answered(works, again)
    daemon = Twins(works.bench)
    await daemon.learn(judged(again))

    assert daemon.twin_of(again) == 1


async def test_what_was_forgotten_is_read_again(
    works: Works, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
):
    """In pages; memory is bounded, and nothing is lost by that."""
    monkeypatch.setattr(twins, "READ_AT_ONCE", 2)
    monkeypatch.setattr(twins, "PIECES_MAX", 1)
    for _ in range(2):
        await works.job(tenant, 5)
    claims = await works.claim()
    for claim in claims:
        await answered(works, claim)
    daemon = Twins(works.bench)

    for claim in (claims[4], claims[9], claims[3]):
        await daemon.learn(judged(claim))
        assert daemon.twin_of(claim) == 1
        assert sum(map(bool, map(daemon.twin_of, claims))) == 4


async def test_a_piece_alone_is_not_read_about(works: Works, tenant: Tenant):
    """There is nothing to compare it with."""
    await works.job(tenant, 1)
    (claim,) = await works.claim()
    await answered(works, claim)
    daemon = Twins(works.bench)
    await daemon.learn(judged(claim))

    assert daemon.twin_of(claim) is None


async def test_signatures_are_found_by_their_index(
    works: Works, tenant: Tenant, superuser: asyncpg.Connection, dsn_as: DsnAs
):
    """Of ten thousand items no more are read than were answered since."""
    key = await works.job(tenant, 1)
    await superuser.execute(
        "insert into engarde.generation_items"
        " (tenant_id, job_id, number, state, answer, signature, answer_place)"
        " select $1, $2, n, 'received', '{}', $3, n from generate_series(2, 10000) n",
        tenant.id,
        key.job_id,
        TEA,
    )
    await superuser.execute("vacuum analyze engarde.generation_items")
    await show_plans(superuser, await superuser.fetchval("select current_database()"))
    async with (
        Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as sessions,
        sessions.writers.acquire() as connection,
    ):
        bench = PostgresWorkBench(connection, PLANS)
        await bench.signatures({key: 0}, most=1)
        with recorded(connection) as nodes:
            for _ in range(CALLS):
                await bench.signatures({key: 5_000}, most=10)

    items = [node for node in nodes if node.table == "generation_items"]
    assert {node.index for node in items} == {"generation_items_answered"}
    assert sum(node.rows for node in items) == CALLS * 10
