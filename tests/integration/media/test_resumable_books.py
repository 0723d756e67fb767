"""The books of resumable uploads: who may append, and when an upload is over."""

import uuid

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.media import PostgresMediaBook
from engarde_daemon.adapters.postgres.resuming import (
    PostgresResumableBook,
    PostgresResumableLibrary,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.resuming import Part, ResumableUpload, UploadKey, Waits
from tests.integration.media.test_books import let_time_pass, usage
from tests.support.database import LARGE, PLANS, Tenant, add_tenant

LENGTH = 100
LASTS_S = 600.0
WAITS = Waits(waits_s=600.0, promised_s=900.0, joined_s=0.0)


class House:
    """One upload of a tenant, and its books."""

    def __init__(self, sessions: Sessions, tenant: Tenant) -> None:
        upload_id = str(uuid.uuid4())
        self.book = PostgresResumableBook(sessions.writers, PLANS)
        self.library = PostgresResumableLibrary(sessions.readers)
        self.media = PostgresMediaBook(sessions.writers, PLANS)
        self.key = UploadKey(tenant.id, upload_id)
        self.upload = ResumableUpload(
            id=upload_id,
            tenant_id=tenant.id,
            brand_id=tenant.brand_id,
            user_id=tenant.user_id,
            content_id=None,
            file_name="a.pdf",
            claimed_type=None,
            storage_path=f"media/{tenant.id}/{upload_id}",
            length_bytes=LENGTH,
        )

    async def opened(self, *, most: int = 10) -> bool:
        """Begin it."""
        return await self.book.open(self.upload, lasts_s=LASTS_S, most=most)

    async def held(self, from_byte: int = 0) -> int | None:
        """Come to append."""
        return await self.book.hold(self.key, from_byte=from_byte, lasts_s=LASTS_S)

    async def advanced(self, token: int | None, *sizes: int) -> bool:
        """Note what was stored."""
        assert token is not None
        return await self.book.advance(self.key, token, sizes, waits=WAITS)

    async def seen(self) -> ResumableUpload | None:
        """What a reader sees."""
        return await self.library.find(self.key)


@pytest.fixture
async def house(sessions: Sessions, tenant: Tenant) -> House:
    """An upload that was just begun."""
    house = House(sessions, tenant)
    assert await house.opened()
    return house


async def test_only_the_last_who_came_may_append(house: House):
    """Whoever came before learns it, and nothing of theirs counts."""
    first, second = await house.held(), await house.held()

    assert not await house.advanced(first, 10)
    assert await house.advanced(second, 20, 30)

    seen = await house.seen()
    assert seen is not None
    assert (seen.offset_bytes, seen.parts) == (50, 2)
    assert await house.book.parts(house.key) == [
        Part(number=1, token=2, size_bytes=20),
        Part(number=2, token=2, size_bytes=30),
    ]


async def test_nobody_appends_at_another_byte(house: House):
    """Neither before nor behind the end."""
    await house.advanced(await house.held(), 50)

    assert [await house.held(at) for at in (0, 49, 51)] == [None] * 3
    assert await house.held(50) is not None


async def test_more_than_the_length_is_never_noted(house: House):
    """The books refuse it, whoever counted wrong."""
    token = await house.held()
    with pytest.raises(asyncpg.CheckViolationError):
        await house.advanced(token, LENGTH + 1)


async def test_another_tenant_finds_changes_and_ends_nothing(
    house: House, superuser: asyncpg.Connection
):
    """With the right id."""
    token = await house.held()
    assert token is not None
    other = UploadKey((await add_tenant(superuser, LARGE)).id, house.key.upload_id)

    assert await house.library.find(other) is None
    assert await house.book.hold(other, from_byte=0, lasts_s=LASTS_S) is None
    assert not await house.book.advance(other, token, [10], waits=WAITS)
    assert await house.book.parts(other) == []
    assert await house.book.promises(other) == []
    assert not await house.book.end(other, outcome=None, failure=None)
    assert await house.advanced(token, 10)


async def test_what_nobody_went_on_with_is_over(
    house: House, superuser: asyncpg.Connection, tenant: Tenant
):
    """Even before it is swept; its parts are to go with it."""
    token = await house.held()
    await house.advanced(token, 10)
    await let_time_pass(superuser)

    assert await house.seen() is None
    assert await house.held(10) is None
    await house.media.give_up_overdue(10)
    assert not await house.advanced(token, 10)
    (leftover,) = await house.media.claim_leftovers(10, lease_s=60)
    assert (leftover.storage_path, leftover.in_parts) == (house.upload.storage_path, True)
    assert await usage(superuser, tenant) == (0, 0, 0)


async def test_an_upload_ends_once(house: House):
    """Its outcome is told for as long as its row is there."""
    assert await house.book.end(house.key, outcome="refused", failure="It is none.")
    assert not await house.book.end(house.key, outcome="kept", failure=None)
    assert await house.held() is None

    seen = await house.seen()
    assert seen is not None
    assert (seen.outcome, seen.failure) == ("refused", "It is none.")


async def test_only_what_is_whole_is_claimed_to_be_joined(house: House):
    """By one daemon at a time, and again when that one was not heard of."""
    await house.advanced(await house.held(), LENGTH - 1)
    assert await house.book.claim_whole(5, lease_s=60) == []

    await house.advanced(await house.held(LENGTH - 1), 1)
    assert await house.book.claim_whole(5, lease_s=0) == [house.key]
    assert await house.book.claim_whole(5, lease_s=60) == [house.key]
    assert await house.book.claim_whole(5, lease_s=60) == []

    await house.book.end(house.key, outcome="kept", failure=None)
    assert await house.book.claim_whole(5, lease_s=0) == []


async def test_a_tenant_has_a_bounded_number_under_way(house: House):
    """Ended ones make room for others."""
    first = house.key
    house.upload = msgspec.structs.replace(house.upload, id=str(uuid.uuid4()))

    assert not await house.opened(most=1)
    await house.book.end(first, outcome=None, failure=None)
    assert await house.opened(most=1)
