"""The health actor's watch: from the first failure to the return of trust."""

from typing import Any

import asyncpg
import pytest

from actors.health.actor import Health
from actors.health.messages import FailBack, FailOver, ProbeDue
from actors.health.watch import StoreWatch, WatchRules
from engarde_daemon.adapters.guard import Guard
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.recovery import (
    PostgresBulletin,
    PostgresLatches,
    PostgresSamples,
    PostgresSignpost,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.board import Board
from engarde_daemon.domain.breaker import Breaker, BreakerRules
from engarde_daemon.domain.failover import Failover, FailoverRules
from engarde_daemon.domain.vitals import StoreVitals
from engarde_daemon.testing.bodies import MemoryBodies
from tests.support.carrying import delivery_to
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

BREAKER = BreakerRules(failures_in_a_row=2, jitter=0.0)
RULES = FailoverRules(failover_after_s=5.0, verified_reads=5)
_OPERATOR = """
    insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, secret_sha256)
    values ('abcdefghijkl', $1, $2, $3, 'operator', sha256(''))
"""
_TOLD = """
    select data ->> 'from' as before, data ->> 'to' as after from engarde.events
    where tenant_id = $1 and type = 'recovery.state_changed' order by position
"""
_WAIT_LONG = """
    update engarde.outbox set leased_until = clock_timestamp() + interval '1 h', last_error = 'x'
    where destination = 'zerodb'
"""
_DUE = "select count(*) from engarde.outbox where destination = 'zerodb' and leased_until < now()"


class Ward:
    """A daemon's watch with a clock that stands until it is moved, and a ZeroDB that can fail."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.now = 0.0
        self.woken = 0
        self.used: list[str | None] = []
        self.sessions, self.tenant, self.sql = sessions, tenant, sql
        self.store, self.board = MemoryBodies(), Board(10**9)
        self.outbox = PostgresOutbox(sessions.writers)
        self.clock_step_s = 0.0
        self.health = self.another()

    def another(self) -> Health:
        """The health actor of another daemon with the same stores."""
        breaker = Breaker(BREAKER, clock=lambda: self.now, chance=lambda: 0.0)
        writers = self.sessions.writers
        watch = StoreWatch(
            zerodb=Guard("zerodb", breaker, changed=lambda: None),
            store=self.store,
            archive=None,
            ask_archive=self.store.prepare,
            failover=Failover(RULES, clock=lambda: self.now),
            latches=PostgresLatches(writers),
            signpost=PostgresSignpost(writers),
            use=self.used.append,
            samples=PostgresSamples(writers),
            bulletin=PostgresBulletin(writers),
            outbox=self.outbox,
            wake_delivery=self.wake,
            rules=WatchRules(sampled_reads=RULES.verified_reads),
        )
        return Health(
            self.outbox,
            watch,
            vitals=self.board.read,
            publish=self.board.post,
            publish_stores=self.board.post_stores,
            clock=self.clock,
            every_s=3600.0,
        )

    def clock(self) -> float:
        """The time, which passes with each look at it if the test wants it to."""
        self.now += self.clock_step_s
        return self.now

    def wake(self) -> None:
        """Count a reminder to delivery."""
        self.woken += 1

    async def look(self, *, after_s: float = 0.0) -> StoreVitals:
        """Let the actor look, and give what it shows of ZeroDB."""
        self.now += after_s
        await self.health.receive(ProbeDue())
        return self.board.read().stores["zerodb"]

    async def fail(self) -> None:
        """Let ZeroDB fail until it is given up."""
        self.store.fail_next(BREAKER.failures_in_a_row)
        await self.look()
        await self.look()
        self.store.fail_next(1)
        assert (await self.look(after_s=BREAKER.open_s)).state == "failed_over"

    async def write(self, *bodies: str) -> list[Any]:
        """Commit items."""
        log = PostgresContentLog(self.sessions.writers, PLANS)
        return await log.commit([creation(self.tenant, body) for body in bodies])

    async def deliver(self) -> None:
        """Carry what waits."""
        from actors.delivery.messages import Wake  # noqa: PLC0415 - both have a Wake

        await delivery_to(self.store, self.sessions).receive(Wake())


@pytest.fixture
async def ward(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Ward:
    """Everything is well."""
    return Ward(sessions, tenant, superuser)


async def test_probes_alone_find_an_outage(ward: Ward):
    """Also while nobody reads or writes."""
    assert (await ward.look()).state == "healthy"
    ward.store.fail_next(BREAKER.failures_in_a_row)
    await ward.look()
    shown = await ward.look()

    assert (shown.state, shown.breaker) == ("degraded", "open")
    assert shown.steps == {"degraded": 1}


async def test_an_outage_does_not_make_the_daemon_unready(ward: Ward):
    """Promise 1 does not depend on ZeroDB."""
    await ward.fail()

    assert ward.board.read().unready is None


async def test_what_was_put_off_is_carried_as_soon_as_zerodb_answers(ward: Ward):
    """Nobody waits for the end of a long delay."""
    await ward.write("body")
    await ward.fail()
    await ward.sql.execute(_WAIT_LONG)
    for _ in range(BREAKER.successes_to_close):
        shown = await ward.look(after_s=2 * BREAKER.open_s)

    assert shown.state == "recovering"
    assert await ward.sql.fetchval(_DUE) == 1
    assert ward.woken == 1


async def test_trust_returns_when_all_has_arrived_and_samples_are_right(ward: Ward):
    """Not before either."""
    await ward.write("one", "two")
    await ward.deliver()
    await ward.write("three")
    await ward.sql.execute("update engarde.outbox set created_at = now() - interval '1 min'")
    await ward.fail()
    for _ in range(BREAKER.successes_to_close + 1):
        shown = await ward.look(after_s=2 * BREAKER.open_s)
    assert shown.state == "recovering"

    await ward.deliver()
    assert (await ward.look()).state == "healthy"


async def test_a_zerodb_that_lost_rows_is_not_trusted(ward: Ward):
    """The operator is told what to do."""
    (item,) = await ward.write("lost")
    await ward.deliver()
    await ward.fail()
    ward.store.lose(item.id)
    for _ in range(BREAKER.successes_to_close + 2):
        shown = await ward.look(after_s=2 * BREAKER.open_s)

    assert shown.state == "recovering"
    assert "has lost 1 of 1" in shown.reason
    assert "engarde restore content" in shown.reason


async def test_an_order_holds_on_every_daemon_and_outlives_it(ward: Ward):
    """Until it is taken back, on whichever of them."""
    shown = await ward.health.receive(FailOver("operator"))
    assert shown is not None
    assert (shown.state, shown.breaker) == ("failed_over", "held_open")

    ward.health = ward.another()
    assert (await ward.look()).breaker == "held_open"

    await ward.health.receive(FailBack("operator"))
    for _ in range(BREAKER.successes_to_close + 1):
        shown = await ward.look()
    assert shown.state == "healthy"


async def test_every_step_is_told_to_operators_and_to_nobody_else(ward: Ward):
    """In the events of the tenants they work in."""
    await ward.fail()
    assert await ward.sql.fetch(_TOLD, ward.tenant.id) == []

    tenant = ward.tenant
    await ward.sql.execute(_OPERATOR, tenant.id, tenant.brand_id, tenant.user_id)
    for _ in range(BREAKER.successes_to_close + 1):
        await ward.look(after_s=2 * BREAKER.open_s)

    told = [tuple(row) for row in await ward.sql.fetch(_TOLD, tenant.id)]
    assert told == [("failed_over", "recovering"), ("recovering", "healthy")]


async def test_counting_what_waits_takes_a_small_share_of_the_time(ward: Ward):
    """After a count that took a second none is made for long; the store is looked at all the same."""
    ward.clock_step_s = 1.0
    await ward.write("one")
    await ward.look()
    ward.clock_step_s = 0.0
    await ward.write("two")

    waiting = []
    for _ in "123":
        await ward.look(after_s=7.0)
        waiting.append(ward.board.read().waiting["zerodb"].rows)

    assert waiting == [1, 1, 2]
