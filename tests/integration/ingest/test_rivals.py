"""Two daemons that write the same content, each through its own connections."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anyio
import asyncpg
import pytest

from actors.ingest.actor import Ingest
from actors.ingest.messages import CreateContent, UpdateContent, Written
from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.core import Address
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import QuotaExceeded
from tests.support.acting import acting, together
from tests.support.content import creation, draft
from tests.support.database import PLANS, SMALL, Tenant, add_tenant

CHANGES = 30
LIMIT = 100


@pytest.fixture
async def addresses(sessions: Sessions, dsn_as: DsnAs) -> AsyncIterator[list[Address[Any]]]:
    """The ingest actors of two daemons."""
    async with (
        Sessions(dsn_as, SessionLimits(readers=1, writers=3)) as rival,
        acting(lambda: ingest_of(sessions)) as one,
        acting(lambda: ingest_of(rival)) as other,
    ):
        yield [one, other]


def ingest_of(sessions: Sessions) -> Ingest:
    """The ingest actor of a daemon with these connections."""
    return Ingest(
        PostgresContentLog(sessions.writers, PLANS),
        now=lambda: datetime.now(UTC),
        new_id=new_id,
        written=lambda _: None,
        admit_body=lambda _: True,
    )


def update(tenant: Tenant, content_id: str, body: str) -> UpdateContent:
    """A wish for another body, whatever is there."""
    return UpdateContent(
        tenant_id=tenant.id, content_id=content_id, user_id=tenant.user_id, patch=Patch(body=body)
    )


async def test_changes_of_one_item_through_both_make_versions_without_a_gap(
    addresses: list[Address[Any]],
    sessions: Sessions,
    tenant: Tenant,
    superuser: asyncpg.Connection,
):
    """Who lost a race starts again from the state that won, and no change is lost or doubled."""
    (item,) = await PostgresContentLog(sessions.writers, PLANS).commit([creation(tenant, "first")])
    assert isinstance(item, Item)
    versions: list[int] = []

    async def change(address: Address[Any], number: int) -> None:
        (answer,) = await together(address, [update(tenant, item.id, f"body {number}")])
        assert isinstance(answer, Written), answer
        versions.append(answer.item.version)

    async with anyio.create_task_group() as tasks:
        for number in range(CHANGES):
            tasks.start_soon(change, addresses[number % 2], number)

    assert sorted(versions) == list(range(2, CHANGES + 2))
    rows = await superuser.fetch("select version, body_sha256 from engarde.content_versions")
    assert sorted(row["version"] for row in rows) == list(range(1, CHANGES + 2))
    assert len({row["body_sha256"] for row in rows}) == CHANGES + 1


async def test_two_daemons_give_out_the_same_room_once(
    addresses: list[Address[Any]], sessions: Sessions, superuser: asyncpg.Connection
):
    """Ten bytes a piece, a hundred in all: ten are admitted between them."""
    tenant = await add_tenant(superuser, SMALL)
    wish = CreateContent(
        tenant_id=tenant.id,
        brand_id=tenant.brand_id,
        user_id=tenant.user_id,
        draft=draft("x" * 10),
    )
    answers: list[Any] = []

    async def ask(address: Address[Any]) -> None:
        answers.extend(await together(address, [wish]))

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(ask, addresses[number % 2])

    assert sum(isinstance(answer, Written) for answer in answers) == LIMIT // 10
    assert sum(isinstance(answer, QuotaExceeded) for answer in answers) == 40 - LIMIT // 10
    assert await PostgresLedgerBook(sessions.writers, PLANS).drift([tenant.id]) == []


async def test_batches_over_tenants_in_opposite_orders_do_not_deadlock(
    sessions: Sessions, dsn_as: DsnAs, superuser: asyncpg.Connection
):
    """Usage rows are locked in one order, whatever the order of the writes; new tenants, too."""
    tenants = [await add_tenant(superuser, SMALL) for _ in range(6)]

    async def write(log: PostgresContentLog, order: list[Tenant]) -> None:
        for _ in range(10):
            outcomes = await log.commit([creation(tenant, "") for tenant in order])
            assert all(isinstance(outcome, Item) for outcome in outcomes)

    async with Sessions(dsn_as, SessionLimits(readers=1, writers=3)) as rival:
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                log = PostgresContentLog((sessions, rival)[number % 2].writers, PLANS)
                tasks.start_soon(write, log, tenants[number:] + tenants[:number])

    book = PostgresLedgerBook(sessions.writers, PLANS)
    assert await book.drift([tenant.id for tenant in tenants]) == []


async def test_an_unknown_item_is_unknown_to_both(addresses: list[Address[Any]], tenant: Tenant):
    """Nothing is created by a change of what is not there."""
    for address in addresses:
        (answer,) = await together(address, [update(tenant, str(uuid.uuid4()), "nothing")])
        assert not isinstance(answer, Written)
