"""The log of events has no gaps, whoever writes it, and shows each tenant its own."""

import random
from datetime import UTC, datetime
from typing import Any

import anyio
import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.events import PostgresEventLog, PostgresEventReader
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound
from engarde_daemon.domain.events import Event, EventDraft, EventType
from engarde_daemon.ports.events import Placed
from tests.support.content import creation
from tests.support.database import LARGE, PLANS, Tenant, add_tenant

WRITERS = 16
WRITES = 12
EVERYTHING = 10_000


async def events_of(reader: PostgresEventReader, tenant: Tenant, after: int = 0) -> list[Placed]:
    """What a listener of the tenant can read."""
    return (await reader.after({tenant.id: after}, most=EVERYTHING)).get(tenant.id, [])


def completed(tenant: Tenant, number: int = 0) -> EventDraft:
    """An event that no write of content makes."""
    return EventDraft(
        tenant_id=tenant.id,
        type=EventType.IMPORT_COMPLETED,
        brand_id=tenant.brand_id,
        subject_id=f"import-{number}",
        data={"imported": number},
    )


async def test_who_reads_after_a_place_misses_nothing(
    dsn_as: DsnAs, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """While 16 writers write and wait before they commit, some of them without committing at all."""
    tenants = [await add_tenant(superuser, LARGE) for _ in range(2)]
    chance = random.Random(7)
    written = [0, 0]
    followed: list[list[int]] = [[], []]
    done = anyio.Event()

    async def write(link: asyncpg.Connection, number: int) -> None:
        tenant = tenants[number % 2]
        for n in range(WRITES):
            transaction = link.transaction()
            await transaction.start()
            await link.execute(
                "select engarde.append_events_v1(array[row($1, 'import.completed', null, $2, null,"
                " null, null, null)::engarde.event_draft])",
                tenant.id,
                f"{number}/{n}",
            )
            await anyio.sleep(chance.random() / 100)
            if chance.random() < 0.1:
                await transaction.rollback()
            else:
                await transaction.commit()
                written[number % 2] += 1

    async def follow(place: int) -> None:
        while True:
            finished = done.is_set()
            last = followed[place][-1] if followed[place] else 0
            news = await events_of(reader, tenants[place], after=last)
            followed[place] += [placed.position for placed in news]
            if finished and not news:
                return

    async with anyio.create_task_group() as followers:
        followers.start_soon(follow, 0)
        followers.start_soon(follow, 1)
        links = [await asyncpg.connect(dsn_as("engarde_actor")) for _ in range(WRITERS)]
        async with anyio.create_task_group() as writers:
            for number, link in enumerate(links):
                writers.start_soon(write, link, number)
        for link in links:
            await link.close()
        done.set()

    assert followed == [list(range(1, count + 1)) for count in written]


async def test_writes_of_content_are_told_with_their_version(
    sessions: Sessions, tenant: Tenant, reader: PostgresEventReader
):
    """In the transaction of the write, in the order of the batch."""
    log = PostgresContentLog(sessions.writers, PLANS)
    first, second = creation(tenant, "one", title="One"), creation(tenant, "two", title="Two")
    await log.commit([first, second])
    await log.commit([changes.update(first.item, Patch(title="Uno"), by="someone", at=now())])

    told = [placed.event for placed in await events_of(reader, tenant)]

    assert [event.type for event in told] == ["content.created"] * 2 + ["content.updated"]
    assert [data_of(event)["title"] for event in told] == ["One", "Two", "Uno"]
    assert data_of(told[2])["version"] == 2
    assert told[2].actor_id == "someone"
    assert told[2].brand_id == tenant.brand_id
    assert len({event.id for event in told}) == 3


async def test_a_refused_write_is_not_told(
    sessions: Sessions, tenant: Tenant, reader: PostgresEventReader
):
    """And leaves no gap in the positions."""
    log = PostgresContentLog(sessions.writers, PLANS)
    missing = changes.update(creation(tenant, "never").item, Patch(title="x"), by="u", at=now())

    outcomes = await log.commit([creation(tenant, "a"), missing, creation(tenant, "b")])

    assert [type(outcome) for outcome in outcomes] == [Item, NotFound, Item]
    assert [placed.position for placed in await events_of(reader, tenant)] == [1, 2]


async def test_an_erased_content_leaves_only_ids(
    sessions: Sessions,
    tenant: Tenant,
    reader: PostgresEventReader,
    superuser: asyncpg.Connection,
):
    """What an event tells of a content goes with the content."""
    write = creation(tenant, "secret", title="Secret")
    await PostgresContentLog(sessions.writers, PLANS).commit([write])
    (before,) = await events_of(reader, tenant)

    await superuser.execute(
        "select engarde.erase_content_v1('erasure', $1, $2, 'someone', 'request')",
        tenant.id,
        write.item.id,
    )
    (after,) = await events_of(reader, tenant)

    assert b"Secret" in bytes(before.event.data)
    assert b"Secret" not in bytes(after.event.data)
    assert write.item.id.encode() in bytes(after.event.data)
    assert before.event.id == after.event.id


async def test_actors_append_in_order(
    sessions: Sessions, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """For several tenants at once; those nobody knows are left out."""
    ours, theirs = [await add_tenant(superuser, LARGE) for _ in range(2)]
    nobody = Tenant("nobody", "no-brand", "no-user")
    log = PostgresEventLog(sessions.writers)

    count = await log.append(
        [completed(ours, 1), completed(theirs, 2), completed(nobody), completed(ours, 3)]
    )

    assert count == 3
    told = await events_of(reader, ours)
    assert [(placed.position, data_of(placed.event)["imported"]) for placed in told] == [
        (1, 1),
        (2, 3),
    ]
    assert len(await events_of(reader, theirs)) == 1


async def test_many_tenants_are_read_in_one_question(
    sessions: Sessions, superuser: asyncpg.Connection, reader: PostgresEventReader
):
    """Each from its own place, and at most so many of each."""
    tenants = [await add_tenant(superuser, LARGE) for _ in range(3)]
    drafts = [completed(tenant, n) for tenant in tenants for n in range(5)]
    await PostgresEventLog(sessions.writers).append(drafts)

    found = await reader.after({tenants[0].id: 0, tenants[1].id: 3, tenants[2].id: 5}, most=3)

    positions = {id_: [placed.position for placed in events] for id_, events in found.items()}
    assert positions == {tenants[0].id: [1, 2, 3], tenants[1].id: [4, 5]}


async def test_the_bounds_tell_what_can_be_read(
    sessions: Sessions, tenant: Tenant, reader: PostgresEventReader, superuser: asyncpg.Connection
):
    """Also when nothing was written yet, and when everything is past its retention."""
    log = PostgresEventLog(sessions.writers)
    empty = await reader.bounds(tenant.id)
    await log.append([completed(tenant, n) for n in range(5)])
    full = await reader.bounds(tenant.id)
    await superuser.execute(
        "update engarde.events set occurred_at = now() - interval '8 days' where position <= 3"
    )
    forgotten = await log.forget(older_than_days=7, most=2)
    forgotten += await log.forget(older_than_days=7, most=2)
    short = await reader.bounds(tenant.id)
    await log.forget(older_than_days=-1, most=10)
    gone = await reader.bounds(tenant.id)

    assert (empty.first, empty.last) == (1, 0)
    assert (full.first, full.last) == (1, 5)
    assert forgotten == 3
    assert (short.first, short.last) == (4, 5)
    assert (gone.first, gone.last) == (6, 5)


def data_of(event: Event) -> Any:
    """What an event tells of its subject."""
    return msgspec.json.decode(event.data)


def now() -> datetime:
    """The moment of a change."""
    return datetime.now(UTC)
