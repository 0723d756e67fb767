"""What is due is published one by one, and one that cannot be holds up nobody."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from actors.ingest.messages import UpdateContent
from actors.steward.actor import Steward
from actors.steward.messages import PublishDue
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.performance import PostgresPerformanceBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.core import Actor
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Exhausted, Unavailable
from engarde_daemon.testing.archive import MemoryArchive
from engarde_daemon.testing.bodies import MemoryBodies
from tests.support.acting import acting
from tests.support.content import creation
from tests.support.database import PLANS, Tenant

_MAKE_DUE = (
    "update content_items set status = 'scheduled', scheduled_at = now() - interval '1 hour'"
)


class Refusing(Actor[UpdateContent]):
    """An ingest that refuses one item, and notes who was published."""

    def __init__(self, refused: str, error: Callable[[], Exception], seen: list[str]) -> None:
        self._refused = refused
        self._error = error
        self._seen = seen

    async def receive(self, message: UpdateContent) -> Any:
        """Refuse, or note."""
        self._seen.append(message.content_id)
        if message.content_id == self._refused:
            raise self._error()


async def due(sessions: Sessions, sql: asyncpg.Connection, tenant: Tenant) -> list[str]:
    """Two items that are due, in the order in which they are looked at."""
    log = PostgresContentLog(sessions.writers, PLANS)
    made = await log.commit([creation(tenant, "one"), creation(tenant, "two")])
    assert all(isinstance(item, Item) for item in made)
    await sql.execute(_MAKE_DUE)
    found = await PostgresRetention(sessions.writers, PLANS).due_items(10)
    return [key.content_id for key in found]


@asynccontextmanager
async def stewarding(
    sessions: Sessions, refused: str, error: Callable[[], Exception]
) -> AsyncIterator[tuple[Steward, list[str]]]:
    """A steward over an ingest that refuses one item, and what that was asked for."""
    seen: list[str] = []
    async with acting(lambda: Refusing(refused, error, seen)) as ingest:
        yield (
            Steward(
                housekeeping=PostgresOutbox(sessions.writers),
                retention=PostgresRetention(sessions.writers, PLANS),
                figures=PostgresPerformanceBook(sessions.writers),
                events=PostgresEventLog(sessions.writers),
                event_days=7,
                store=MemoryBodies(),
                archive=MemoryArchive(),
                ingest=ingest,  # type: ignore[arg-type]  # of all messages it hears this one alone
                new_id=lambda: str(uuid.uuid4()),
                now=lambda: datetime.now(UTC),
                sweep_every_s=60.0,
                publish_every_s=60.0,
            ),
            seen,
        )


async def test_an_item_that_is_refused_holds_up_no_other(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant
):
    """It would be the first of every round for ever."""
    first, second = await due(sessions, superuser, tenant)
    refusal = lambda: Exhausted("There is no room.")  # noqa: E731 - named for the reader
    async with stewarding(sessions, first, refusal) as (steward, seen):
        await steward.receive(PublishDue())

    assert seen == [first, second]


async def test_what_does_not_answer_is_left_alone_until_the_next_look(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant
):
    """The steward lives on: it asked, and there was no answer."""
    first, _ = await due(sessions, superuser, tenant)
    async with stewarding(sessions, first, lambda: Unavailable("away")) as (steward, seen):
        await steward.receive(PublishDue())

    assert seen == [first]
