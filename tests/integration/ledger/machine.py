"""Random operations on the book and on its model, step by step, which must agree each time.

Owns the count of what it did: a machine that hardly does anything agrees with everything.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.ports.ledger import Entry, Resource, Verb
from tests.integration.ledger.model import Model
from tests.support.database import LARGE, OPEN, PLANS, SMALL, add_tenant

TENANTS = 3
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
ACCOUNTS: tuple[tuple[Resource, date | None], ...] = (
    ("storage", None),
    ("generation", JANUARY),
    ("generation", FEBRUARY),
)
YEAR_S = 365 * 86_400.0
"""So long that a clock which somebody sets during the run changes nothing."""
AMOUNTS = (40, 20, 60, 11, 50, 9, 100, 10)
"""The usual amount of each promise: several fill a small plan to the last byte or piece."""
PROMISES = len(AMOUNTS)
_BOOKS = """
    select u.tenant_id, 'storage' as resource, null::date as period, u.pending_bytes as pending,
        0::bigint as used
    from content_storage_usage u
    union all
    select g.tenant_id, 'generation', g.period, g.pending_items, g.used_items
    from engarde.generation_usage g
"""
_RUN_OUT = "update engarde.reservations set expires_at = '-infinity' where id = $1"
_CHANGE_PLAN = "update tenants set plan_tier = $2 where id = $1"


class Bench:
    """A database reached from the thread in which Hypothesis runs."""

    def __init__(self, portal: BlockingPortal, pool: asyncpg.Pool) -> None:
        self._portal = portal
        self.pool = pool
        self.book = PostgresLedgerBook(pool, PLANS)

    def call(self, work: Callable[..., Coroutine[Any, Any, Any]], *given: Any) -> Any:
        """Do something in the event loop and wait for it."""
        return self._portal.call(work, *given)


@contextmanager
def bench(dsn: str) -> Iterator[Bench]:
    """Open a database for a machine."""
    with start_blocking_portal("asyncio") as portal:
        pool = portal.call(lambda: asyncpg.create_pool(dsn, min_size=1, max_size=1))
        try:
            yield Bench(portal, pool)
        finally:
            portal.call(pool.close)


@st.composite
def entries(draw: Callable[..., Any]) -> tuple[Verb, int, int, float, bool]:
    """One operation: what, on which promise, how much, for how long, and whether astray.

    Most operations are the expected ones: a promise is made of its usual amount, and used in
    whole or in part. An operation that goes astray names another tenant or account.
    """
    place = draw(st.integers(0, PROMISES - 1))
    verb: Verb = draw(st.sampled_from(("reserve", "reserve", "settle", "settle", "release")))
    usual = AMOUNTS[place]
    if verb == "reserve":
        amount = draw(st.sampled_from((usual, usual, usual, usual, 0, -1, 100, 101)))
    else:
        amount = draw(st.sampled_from((usual, usual - 1, 1, 0, usual + 1, -1)))
    ttl_s = draw(st.sampled_from((YEAR_S, YEAR_S, YEAR_S, -YEAR_S)))
    return verb, place, amount, ttl_s, draw(st.integers(0, 14)) == 14


def _place_of(drawn: tuple[Verb, int, int, float, bool]) -> int:
    return drawn[1]


class LedgerMachine(RuleBasedStateMachine):
    """Random operations on the book of a desk and on the model."""

    desk: ClassVar[Bench]
    done: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.desk.call(self._clear)
        plans = (SMALL, LARGE, OPEN)
        self.tenants = [self.desk.call(self._add_tenant, plan) for plan in plans]
        self.model = Model(PLANS, dict(zip(self.tenants, plans, strict=True)))
        self.ids = [str(uuid.uuid4()) for _ in range(PROMISES)]

    @rule(drawn=st.lists(entries(), min_size=3, max_size=PROMISES, unique_by=_place_of))
    def apply(self, drawn: list[tuple[Verb, int, int, float, bool]]) -> None:
        """Apply several operations at once."""
        batch = [self._entry(*one) for one in drawn]
        expected = [self.model.apply(entry) for entry in batch]
        assert self.desk.call(self.desk.book.apply, batch) == expected, batch
        self.done.update(verdict.value for verdict in expected)

    # One rule for all that happens around the operations, or those would be too few.
    @rule(
        event=st.sampled_from(("time passes", "time passes", "expire", "plan changes")),
        place=st.integers(0, PROMISES - 1),
        plan=st.sampled_from((SMALL, LARGE, OPEN)),
    )
    def happen(self, event: str, place: int, plan: str) -> None:
        """Let time pass, or somebody change a plan."""
        if event == "time passes":
            self.model.run_out(self.ids[place])
            self.desk.call(self.desk.pool.execute, _RUN_OUT, self.ids[place])
        elif event == "plan changes":
            tenant = self.tenants[place % TENANTS]
            self.model.plan_of[tenant] = plan
            self.desk.call(self.desk.pool.execute, _CHANGE_PLAN, tenant, plan)
        else:
            expired = self.model.expire()
            assert self.desk.call(self.desk.book.expire, 100) == expired
            self.done["given back"] += expired

    @invariant()
    def the_books_agree(self) -> None:
        """Each account holds what the model says."""
        for tenant, resource, period, pending, used in self.desk.call(self.desk.pool.fetch, _BOOKS):
            account = (tenant, resource, period)
            assert pending == self.model.pending(tenant, resource, period), account
            assert resource == "storage" or used == self.model.used(tenant, period), account

    def teardown(self) -> None:
        """Count everything once more in the end."""
        assert self.desk.call(self.desk.book.drift, self.tenants) == []

    def _entry(self, verb: Verb, place: int, amount: int, ttl_s: float, astray: bool) -> Entry:  # noqa: FBT001 - drawn, not written
        resource, period = ACCOUNTS[(place % 2 + (place > 5) + astray) % len(ACCOUNTS)]
        return Entry(
            verb=verb,
            id=self.ids[place],
            tenant_id=self.tenants[(place // 4 + astray) % TENANTS],
            resource=resource,
            period=period,
            amount=amount,
            ttl_s=ttl_s,
        )

    async def _add_tenant(self, plan: str) -> str:
        async with self.desk.pool.acquire() as sql:
            return (await add_tenant(sql, plan)).id

    async def _clear(self) -> None:
        await self.desk.pool.execute("delete from engarde.reservations")
        await self.desk.pool.execute("delete from engarde.generation_usage")
        await self.desk.pool.execute("delete from tenants")


def ledger_machine(on_desk: Bench) -> type[LedgerMachine]:
    """A machine over this database, which has done nothing yet."""

    class OnDesk(LedgerMachine):
        desk = on_desk
        done: ClassVar[Counter[str]] = Counter()

    return OnDesk
