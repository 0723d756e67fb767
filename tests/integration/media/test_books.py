"""The books of media files: nothing counts that is not kept, and nothing kept is swept."""

import uuid
from collections.abc import Sequence

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.media import PostgresMediaBook, PostgresMediaLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.media import MediaProperties
from engarde_daemon.ports.ledger import Entry, Verdict
from engarde_daemon.ports.media import (
    Attempt,
    Beginning,
    Case,
    Finding,
    Keeping,
    Leftover,
    NewMedia,
    Promise,
)
from tests.support.database import LARGE, PLANS, Tenant, add_tenant

SIZE = 1000
LEASE_S = 60.0
FAILED = Finding(failure="It is not what it seemed.")


@pytest.fixture
def book(sessions: Sessions) -> PostgresMediaBook:
    """The book of the test's database."""
    return PostgresMediaBook(sessions.writers, PLANS)


@pytest.fixture
def ledger(sessions: Sessions) -> PostgresLedgerBook:
    """The ledger of the test's database."""
    return PostgresLedgerBook(sessions.writers, PLANS)


def attempt_for(tenant: Tenant, media_id: str | None = None) -> Attempt:
    """An attempt to keep a file."""
    upload_id = str(uuid.uuid4())
    return Attempt(
        upload_id=upload_id,
        media_id=media_id or str(uuid.uuid4()),
        tenant_id=tenant.id,
        storage_path=f"media/{tenant.id}/{upload_id}",
    )


def file_of(attempt: Attempt, tenant: Tenant, *, size: int = SIZE) -> NewMedia:
    """The file that an attempt stored."""
    return NewMedia(
        id=attempt.media_id,
        tenant_id=attempt.tenant_id,
        brand_id=tenant.brand_id,
        user_id=tenant.user_id,
        content_id=None,
        file_name="sun.png",
        file_type="image",
        mime_type="image/png",
        file_size_bytes=size,
        sha256="0" * 64,
        storage_provider="zerodb_binary",
        storage_path=attempt.storage_path,
    )


async def promised(
    book: PostgresMediaBook, ledger: PostgresLedgerBook, attempt: Attempt, *amounts: int
) -> list[Promise]:
    """Room that was noted in the intent and reserved, in steps."""
    promises = [Promise(str(uuid.uuid4()), amount) for amount in amounts]
    for promise in promises:
        assert await book.extend(attempt, promise.reservation_id, lease_s=LEASE_S)
        entry = Entry(
            verb="reserve",
            id=promise.reservation_id,
            tenant_id=attempt.tenant_id,
            resource="storage",
            amount=promise.amount_bytes,
            ttl_s=600,
        )
        assert await ledger.apply([entry]) == [Verdict.OK]
    return promises


async def kept(
    book: PostgresMediaBook, ledger: PostgresLedgerBook, tenant: Tenant
) -> tuple[Attempt, NewMedia]:
    """A file that was kept."""
    attempt = attempt_for(tenant)
    assert await book.begin(attempt, lease_s=LEASE_S) is Beginning.BEGUN
    promises = await promised(book, ledger, attempt, SIZE)
    assert await book.keep(attempt, file_of(attempt, tenant), promises) is Keeping.KEPT
    return attempt, file_of(attempt, tenant)


async def usage(superuser: asyncpg.Connection, tenant: Tenant) -> tuple[int, int, int]:
    """Files, bytes and promised bytes of a tenant, when nothing drifts."""
    drift = await superuser.fetch("select * from engarde.quota_drift_v2($1)", [tenant.id])
    assert drift == []
    row = await superuser.fetchrow(
        "select total_media_files, total_media_storage_bytes, pending_bytes "
        "from content_storage_usage where tenant_id = $1",
        tenant.id,
    )
    return tuple(row) if row else (0, 0, 0)


async def let_time_pass(superuser: asyncpg.Connection) -> None:
    """End every lease and every pause."""
    await superuser.execute(
        "update engarde.media_uploads set leased_until = '-infinity', sweep_due_at = '-infinity'"
    )
    await superuser.execute("update engarde.media_files set leased_until = '-infinity'")


async def swept(book: PostgresMediaBook) -> Sequence[Leftover]:
    """What is to be removed now."""
    await book.give_up_overdue(10)
    leftovers = await book.claim_leftovers(10, lease_s=LEASE_S)
    await book.settle_leftovers(leftovers)
    return leftovers


async def claimed(book: PostgresMediaBook) -> Case:
    """The one file that waits."""
    (case,) = await book.claim_cases(10, lease_s=LEASE_S)
    return case


async def test_an_intent_counts_nothing(
    book: PostgresMediaBook, superuser: asyncpg.Connection, tenant: Tenant
):
    """Neither as a file nor as bytes."""
    assert await book.begin(attempt_for(tenant), lease_s=LEASE_S) is Beginning.BEGUN

    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_promises_become_the_bytes_of_the_file(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """What was reserved too much is free again, however many steps it came in."""
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    promises = await promised(book, ledger, attempt, 600, 300, 700)
    assert await usage(superuser, tenant) == (0, 0, 1600)

    assert await book.keep(attempt, file_of(attempt, tenant), promises) is Keeping.KEPT

    assert await usage(superuser, tenant) == (1, SIZE, 0)


async def test_a_file_without_room_is_not_kept(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Where less was promised than it holds, or the promise ran out."""
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    promises = await promised(book, ledger, attempt, SIZE - 1)
    assert await book.keep(attempt, file_of(attempt, tenant), promises) is Keeping.LOST

    promises += await promised(book, ledger, attempt, SIZE)
    await superuser.execute("update engarde.reservations set expires_at = '-infinity'")
    assert await book.keep(attempt, file_of(attempt, tenant), promises) is Keeping.LOST
    assert (await usage(superuser, tenant))[:2] == (0, 0)


async def test_what_was_given_up_cannot_be_kept(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """However late its writer comes: the sweeper may be at its bytes already."""
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    promises = await promised(book, ledger, attempt, SIZE)
    await book.give_up(attempt)

    assert await book.keep(attempt, file_of(attempt, tenant), promises) is Keeping.LOST
    assert not await book.extend(attempt, None, lease_s=LEASE_S)
    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_what_is_kept_is_never_swept(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Not even by a writer that gives it up because it did not hear the answer."""
    attempt, _ = await kept(book, ledger, tenant)
    await book.give_up(attempt)
    await let_time_pass(superuser)

    assert await swept(book) == []
    assert await usage(superuser, tenant) == (1, SIZE, 0)


async def test_a_writer_that_fell_silent_is_given_up(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Its room is free again, and its bytes are to go."""
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    await promised(book, ledger, attempt, SIZE, SIZE)
    assert await swept(book) == []

    await let_time_pass(superuser)

    assert [leftover.storage_path for leftover in await swept(book)] == [attempt.storage_path]
    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_leftovers_come_again_until_no_writer_can_be_left(
    book: PostgresMediaBook, superuser: asyncpg.Connection, tenant: Tenant
):
    """Three times in all, each after a longer pause."""
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    await book.give_up(attempt)

    rounds = []
    for _ in range(4):
        rounds.append(len(await swept(book)))
        rounds.append(len(await swept(book)))
        await let_time_pass(superuser)

    assert rounds == [1, 0, 1, 0, 1, 0, 0, 0]


async def test_one_file_has_one_upload_at_a_time(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Busy while the first is under way, begun after it fell silent, and kept once it is there."""
    first = attempt_for(tenant)
    second, third = (attempt_for(tenant, first.media_id) for _ in range(2))
    await book.begin(first, lease_s=LEASE_S)
    assert await book.begin(second, lease_s=LEASE_S) is Beginning.BUSY

    await let_time_pass(superuser)
    assert await book.begin(second, lease_s=LEASE_S) is Beginning.BEGUN
    promises = await promised(book, ledger, second, SIZE)
    assert await book.keep(first, file_of(first, tenant), promises) is Keeping.LOST
    assert await book.keep(second, file_of(second, tenant), promises) is Keeping.KEPT

    assert await book.begin(third, lease_s=LEASE_S) is Beginning.KEPT


async def test_rivals_begin_one_upload(book: PostgresMediaBook, tenant: Tenant):
    """Whoever comes first; the others are told."""
    first = attempt_for(tenant)
    told: list[Beginning] = []

    async def begin(attempt: Attempt) -> None:
        told.append(await book.begin(attempt, lease_s=LEASE_S))

    async with anyio.create_task_group() as rivals:
        for _ in range(5):
            rivals.start_soon(begin, attempt_for(tenant, first.media_id))

    assert sorted(told) == [Beginning.BEGUN, *[Beginning.BUSY] * 4]


async def test_a_file_of_another_tenants_brand_or_content_is_not_kept(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Whatever the edge thought of it before."""
    other = await add_tenant(superuser, LARGE)
    attempt = attempt_for(tenant)
    await book.begin(attempt, lease_s=LEASE_S)
    promises = await promised(book, ledger, attempt, SIZE)

    stolen = Tenant(tenant.id, other.brand_id, tenant.user_id)
    assert await book.keep(attempt, file_of(attempt, stolen), promises) is Keeping.GONE


async def test_deleting_gives_the_room_back_once(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    sessions: Sessions,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """And the bytes follow."""
    attempt, file = await kept(book, ledger, tenant)
    library = PostgresMediaLibrary(sessions.readers)
    assert (await library.find(tenant.id, [file.id]))[file.id].sha256 == file.sha256

    assert await book.delete(tenant.id, file.id)
    assert not await book.delete(tenant.id, file.id)

    assert await library.find(tenant.id, [file.id]) == {}
    assert [leftover.storage_path for leftover in await swept(book)] == [attempt.storage_path]
    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_another_tenant_finds_and_deletes_nothing(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    sessions: Sessions,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """With the right id of a file, and in no list."""
    _, file = await kept(book, ledger, tenant)
    other = await add_tenant(superuser, LARGE)
    library = PostgresMediaLibrary(sessions.readers)

    assert not await book.delete(other.id, file.id)
    assert await library.find(other.id, [file.id]) == {}
    assert await library.page(other.id, None, after=None, size=10) == []
    assert len(await library.page(tenant.id, None, after=None, size=10)) == 1
    assert await library.page(tenant.id, [other.brand_id], after=None, size=10) == []


async def test_what_was_found_is_written_down_by_who_holds_the_case(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    sessions: Sessions,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """A daemon that took too long comes too late."""
    _, file = await kept(book, ledger, tenant)
    slow = await claimed(book)
    assert await book.claim_cases(10, lease_s=LEASE_S) == []
    await let_time_pass(superuser)
    quick = await claimed(book)

    assert not await book.settle_case(slow, FAILED)
    found = Finding(properties=MediaProperties(width=3, height=2, format="png"))
    assert await book.settle_case(quick, found)

    ready = (await PostgresMediaLibrary(sessions.readers).find(tenant.id, [file.id]))[file.id]
    assert (ready.processing_status, ready.media_metadata) == ("ready", found.properties)


async def test_a_file_that_cannot_be_kept_gives_its_room_back(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Its row stays, so that its owner learns why; deleting it frees nothing twice."""
    attempt, file = await kept(book, ledger, tenant)
    assert await book.settle_case(await claimed(book), FAILED)

    assert await usage(superuser, tenant) == (0, 0, 0)
    assert [leftover.storage_path for leftover in await swept(book)] == [attempt.storage_path]
    assert await book.delete(tenant.id, file.id)
    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_an_outage_uses_up_no_attempts(
    book: PostgresMediaBook,
    ledger: PostgresLedgerBook,
    superuser: asyncpg.Connection,
    tenant: Tenant,
):
    """Only a daemon that dies over a file does."""
    await kept(book, ledger, tenant)
    for _ in range(3):
        case = await claimed(book)
        assert case.attempts == 1
        await book.defer_case(case, after_s=60)
        assert await book.claim_cases(10, lease_s=LEASE_S) == []
        await let_time_pass(superuser)

    await claimed(book)
    await let_time_pass(superuser)
    assert (await claimed(book)).attempts == 2
