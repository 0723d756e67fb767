"""Each operation on each state of a reservation, one line of the table a test."""

import uuid
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.ledger import Entry, Verdict
from tests.support.database import PLANS, SMALL, Tenant, add_tenant

LIMIT = 100
MONTHLY = 20
AMOUNT = 60
ACTUAL = 25
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
_RUN_OUT = "update engarde.reservations set expires_at = clock_timestamp() where id = $1"


class Desk:
    """A tenant with room for 100 bytes, and the book in which its promises stand."""

    def __init__(self, book: PostgresLedgerBook, sql: asyncpg.Connection, tenant: Tenant) -> None:
        self.book = book
        self.sql = sql
        self.tenant = tenant
        self.id = str(uuid.uuid4())

    async def do(self, verb: Any, amount: int = AMOUNT, **other: Any) -> Verdict:
        """One operation on the one promise that most tests are about."""
        entry = Entry(
            verb=verb,
            id=self.id,
            tenant_id=self.tenant.id,
            resource="storage",
            amount=amount,
            ttl_s=3600.0,
        )
        (verdict,) = await self.book.apply([msgspec.structs.replace(entry, **other)])
        return verdict

    async def bring_to(self, state: str) -> None:
        """Arrange the state of the promise, by operations wherever there are some."""
        if state == "none":
            return
        assert await self.do("reserve") is Verdict.OK
        if state in {"late", "expired"}:
            await self.sql.execute(_RUN_OUT, self.id)
        if state == "expired":
            assert await self.book.expire(10) == 1
        if state == "settled":
            assert await self.do("settle", ACTUAL) is Verdict.OK
        if state == "released":
            assert await self.do("release") is Verdict.OK

    async def pending(self) -> int:
        """What the usage row says is promised."""
        query = "select pending_bytes from content_storage_usage where tenant_id = $1"
        return int(await self.sql.fetchval(query, self.tenant.id) or 0)


@pytest.fixture
async def desk(sessions: Sessions, superuser: asyncpg.Connection) -> AsyncIterator[Desk]:
    """A desk whose books are right when a test ends."""
    tenant = await add_tenant(superuser, SMALL)
    book = PostgresLedgerBook(sessions.writers, PLANS)
    yield Desk(book, superuser, tenant)
    assert await book.drift([tenant.id]) == []


@pytest.mark.parametrize(
    ("verb", "amount", "state", "verdict", "pending"),
    [
        ("reserve", LIMIT, "none", Verdict.OK, LIMIT),
        ("reserve", LIMIT + 1, "none", Verdict.FULL, 0),
        ("reserve", 0, "none", Verdict.FULL, 0),
        ("reserve", -1, "none", Verdict.FULL, 0),
        ("reserve", AMOUNT, "pending", Verdict.REPLAYED, AMOUNT),
        ("reserve", AMOUNT, "late", Verdict.EXPIRED, AMOUNT),
        ("reserve", AMOUNT, "settled", Verdict.REPLAYED, 0),
        ("reserve", AMOUNT, "released", Verdict.REPLAYED, 0),
        ("reserve", AMOUNT, "expired", Verdict.EXPIRED, 0),
        ("reserve", AMOUNT - 1, "pending", Verdict.ID_REUSED, AMOUNT),
        ("reserve", AMOUNT - 1, "settled", Verdict.ID_REUSED, 0),
        ("settle", ACTUAL, "none", Verdict.UNKNOWN, 0),
        ("settle", AMOUNT, "pending", Verdict.OK, 0),
        ("settle", 0, "pending", Verdict.OK, 0),
        ("settle", AMOUNT + 1, "pending", Verdict.ABOVE_RESERVED, AMOUNT),
        ("settle", -1, "pending", Verdict.ABOVE_RESERVED, AMOUNT),
        ("settle", ACTUAL, "late", Verdict.EXPIRED, AMOUNT),
        ("settle", ACTUAL, "settled", Verdict.REPLAYED, 0),
        ("settle", ACTUAL + 1, "settled", Verdict.SETTLED, 0),
        ("settle", ACTUAL, "released", Verdict.RELEASED, 0),
        ("settle", ACTUAL, "expired", Verdict.EXPIRED, 0),
        ("release", 0, "none", Verdict.UNKNOWN, 0),
        ("release", 0, "pending", Verdict.OK, 0),
        ("release", 0, "late", Verdict.OK, 0),
        ("release", 0, "settled", Verdict.SETTLED, 0),
        ("release", 0, "released", Verdict.REPLAYED, 0),
        ("release", 0, "expired", Verdict.REPLAYED, 0),
    ],
)
async def test_the_table(
    desk: Desk, verb: str, amount: int, state: str, verdict: Verdict, pending: int
):
    """Verdict and promised room are those of the table."""
    await desk.bring_to(state)

    assert await desk.do(verb, amount) is verdict
    assert await desk.pending() == pending


@pytest.mark.parametrize(
    ("state", "count"), [("none", 0), ("pending", 1), ("late", 1), ("settled", 0), ("expired", 0)]
)
async def test_promises_that_are_open_are_counted(desk: Desk, state: str, count: int):
    """For whoever watches how much room is held back."""
    await desk.bring_to(state)

    assert await desk.book.pending() == count


@pytest.mark.parametrize("verb", ["reserve", "settle", "release"])
async def test_a_promise_of_another_tenant_is_out_of_reach(desk: Desk, verb: str):
    """Its id answers as one that is taken, and nothing happens to it."""
    other = await add_tenant(desk.sql, SMALL)
    await desk.bring_to("pending")

    assert await desk.do(verb, tenant_id=other.id) is Verdict.ID_REUSED
    assert await desk.pending() == AMOUNT
    assert await desk.book.drift([other.id]) == []


@pytest.mark.parametrize("verb", ["reserve", "settle", "release"])
async def test_a_promise_is_not_moved_to_another_account(desk: Desk, verb: str):
    """Pieces of January are neither bytes nor pieces of February."""
    january = {"resource": "generation", "period": JANUARY}
    assert await desk.do("reserve", 5, **january) is Verdict.OK

    assert await desk.do(verb, 5) is Verdict.ID_REUSED
    assert await desk.do(verb, 5, resource="generation", period=FEBRUARY) is Verdict.ID_REUSED
    assert await desk.do("settle", 5, **january) is Verdict.OK


async def test_generated_pieces_are_counted_by_month(desk: Desk):
    """A full January leaves all of February; what was promised and not used is free again."""
    january = {"resource": "generation", "period": JANUARY}
    february = {"resource": "generation", "period": FEBRUARY}
    assert await desk.do("reserve", MONTHLY, **january) is Verdict.OK
    assert await desk.do("settle", MONTHLY - 3, **january) is Verdict.OK

    desk.id = str(uuid.uuid4())
    assert await desk.do("reserve", 4, **january) is Verdict.FULL
    assert await desk.do("reserve", 3, **january) is Verdict.OK
    desk.id = str(uuid.uuid4())
    assert await desk.do("reserve", MONTHLY, **february) is Verdict.OK


async def test_a_larger_plan_makes_room_and_a_smaller_one_only_refuses(desk: Desk):
    """What is promised stays promised when the plan shrinks under it."""
    await desk.bring_to("pending")
    await desk.sql.execute("update tenants set plan_tier = 'free' where id = $1", desk.tenant.id)

    first, desk.id = desk.id, str(uuid.uuid4())
    assert await desk.do("reserve", 1) is Verdict.FULL
    desk.id = first
    assert await desk.do("settle", AMOUNT) is Verdict.OK


async def test_a_tenant_the_daemon_never_met_has_the_limit_of_its_plan(desk: Desk):
    """The platform makes tenants without telling; their first promise makes their usage row."""
    assert await desk.do("reserve", LIMIT + 1) is Verdict.FULL
    assert await desk.do("reserve", LIMIT) is Verdict.OK
    assert await desk.pending() == LIMIT


@pytest.mark.parametrize(
    "account", [{}, {"resource": "generation", "period": JANUARY}], ids=["storage", "generation"]
)
async def test_a_tenant_that_does_not_exist_gets_no_room(desk: Desk, account: dict[str, Any]):
    """No account, no room, and no row that nobody would ever clean up."""
    assert await desk.do("reserve", 1, tenant_id="nobody", **account) is Verdict.FULL
    assert await desk.sql.fetchval("select count(*) from engarde.reservations") == 0


async def test_the_batch_is_served_first_come_first_served(desk: Desk):
    """A smaller promise may still fit where a larger one before it did not."""
    wishes = [
        Entry(
            verb="reserve",
            id=f"wish-{place}",
            tenant_id=desk.tenant.id,
            resource="storage",
            amount=amount,
            ttl_s=60.0,
        )
        for place, amount in enumerate((60, 50, 40, 1))
    ]

    assert await desk.book.apply(wishes) == [Verdict.OK, Verdict.FULL, Verdict.OK, Verdict.FULL]


async def test_expiry_is_bounded_and_leaves_what_is_in_time(desk: Desk):
    """The oldest go first, and one sweep takes no more than it was told to."""
    for number, ttl_s in enumerate((0.0, 0.0, 3600.0)):
        desk.id = f"promise-{number}"
        assert await desk.do("reserve", 10, ttl_s=ttl_s) is Verdict.OK

    assert await desk.book.expire(1) == 1
    assert await desk.pending() == 20
    assert await desk.book.expire(10) == 1
    assert await desk.book.expire(10) == 0
    assert await desk.pending() == 10
