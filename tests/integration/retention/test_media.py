"""Retention forgets what nobody needs, and nothing else."""

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.cli.retention.work import Gone, run_out
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Patch, Write
from engarde_daemon.domain.content import Details, Item
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.retention import MediaLook
from tests.support.content import draft
from tests.support.database import OPEN, PLANS, Tenant, add_tenant

KEPT_DAYS = 30  # of every plan of these tests that bounds them
_ADD_FILE = """
    insert into engarde.media_files (id, tenant_id, brand_id, user_id, content_id, file_name, file_type,
        mime_type, file_size_bytes, sha256, storage_provider, storage_path, processing_status, created_at)
    values ($1, $2, $3, $4, $5, 'f', 'image', 'image/png', 10, repeat('0', 64), 'file', $1, $6,
        now() - make_interval(days => $7))
"""
_COUNT = "select engarde.lock_usage_v1($1), engarde.count_media_v1($1, 1, 10)"
_FILES = "select id from engarde.media_files"
_AGE_TRASH = "update content_items set deleted_at = deleted_at - interval '31 days'"
_AGE_VERSIONS = "update engarde.content_versions set created_at = created_at - interval '31 days'"
_DELIVERED = "delete from engarde.outbox"


class House:
    """A tenant whose things can be made old."""

    def __init__(
        self,
        sessions: Sessions,
        tenant: Tenant,
        sql: asyncpg.Connection,
        plans: Mapping[str, Plan] = PLANS,
    ) -> None:
        self.tenant = tenant
        self.sql = sql
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.retention = PostgresRetention(sessions.writers, plans)

    async def file(
        self, *, days: int = 0, content_id: str | None = None, status: str = "ready"
    ) -> str:
        """A file that was kept so many days ago."""
        media_id = str(uuid.uuid4())
        t = self.tenant
        whose = (media_id, t.id, t.brand_id, t.user_id, content_id)
        await self.sql.execute(_ADD_FILE, *whose, status, days)
        await self.sql.execute(_COUNT, t.id)
        return media_id

    async def item(self, *media: str) -> Item:
        """A content that shows these files."""
        wish = msgspec.structs.replace(draft("body"), details=Details(media=media))
        return await self.commit(
            changes.create(
                wish,
                content_id=str(uuid.uuid4()),
                tenant_id=self.tenant.id,
                brand_id=self.tenant.brand_id,
                user_id=self.tenant.user_id,
                at=datetime.now(UTC),
            )
        )

    async def commit(self, write: Write) -> Item:
        """Commit a write that nothing can refuse."""
        (outcome,) = await self.log.commit([write])
        assert isinstance(outcome, Item), outcome
        return outcome

    async def show(self, item: Item, *media: str) -> Item:
        """Let a content say something else and show other files."""
        return await self.commit(
            changes.update(item, Patch(media=media, body="new"), by="u", at=item.created_at)
        )

    async def throw_away(self, item: Item) -> Item:
        """Put a content into the trash."""
        return await self.commit(changes.delete(item, by="u", at=item.created_at))

    async def files(self) -> set[str]:
        """The files that are left."""
        return {row["id"] for row in await self.sql.fetch(_FILES)}

    async def run_out(self) -> Gone:
        """Let retention run to its end."""
        return await run_out(self.retention, now=datetime.now(UTC))

    async def promised(self) -> dict[str, int]:
        """What a dry run says."""
        return {one.what: one.pieces for one in await self.retention.report()}


@pytest.fixture
async def house(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> House:
    """A house in which nothing is."""
    return House(sessions, tenant, superuser)


class TestKept:
    """What somebody may still need stays."""

    async def test_files_that_content_shows(self, house: House):
        """However old: now, in a version that can be restored, or in the trash."""
        shown, earlier, trashed = [await house.file(days=400) for _ in range(3)]
        item = await house.item(earlier)
        await house.show(item, shown)
        await house.throw_away(await house.item(trashed))

        assert await house.run_out() == Gone(trashed_items=0, old_versions=0, media_files=0)
        assert await house.files() == {shown, earlier, trashed}

    async def test_files_that_were_made_for_a_content(self, house: House):
        """Though no version of it shows them."""
        item = await house.item()
        kept = await house.file(days=400, content_id=item.id)

        await house.run_out()

        assert await house.files() == {kept}

    async def test_files_of_no_content_within_the_days_of_the_plan(self, house: House):
        """Somebody may be about to use them."""
        young = await house.file(days=KEPT_DAYS - 1)
        await house.file(days=KEPT_DAYS + 1)

        assert (await house.promised())["media files"] == 1
        assert (await house.run_out()).media_files == 1
        assert await house.files() == {young}

    async def test_files_that_are_being_examined(self, house: House):
        """Their bytes are in use."""
        files = {await house.file(days=400, status=status) for status in ("pending", "processing")}

        await house.run_out()

        assert await house.files() == files

    async def test_a_plan_without_a_bound_keeps_everything(
        self, sessions: Sessions, superuser: asyncpg.Connection
    ):
        """For ever, but for what was of a content that was erased."""
        unbounded = msgspec.structs.replace(PLANS[OPEN], retention_days=None)
        tenant = await add_tenant(superuser, OPEN)
        house = House(sessions, tenant, superuser, {**PLANS, OPEN: unbounded})
        kept = await house.file(days=9_000)
        await house.file(content_id="erased")

        assert (await house.run_out()).media_files == 1
        assert await house.files() == {kept}


class TestGone:
    """What nobody needs goes, and its room is given back."""

    async def test_what_expires_takes_its_files_along(self, house: House):
        """A trashed item, and a version that nobody can restore any more."""
        trashed, earlier, shown = [await house.file(days=400) for _ in range(3)]
        await house.throw_away(await house.item(trashed))
        await house.show(await house.item(earlier), shown)
        await house.sql.execute(_DELIVERED)
        for made_old in (_AGE_TRASH, _AGE_VERSIONS):
            await house.sql.execute(made_old)

        gone = await house.run_out()

        assert gone == Gone(trashed_items=1, old_versions=1, media_files=2)
        assert await house.files() == {shown}

    async def test_a_file_is_looked_at_once_in_a_while(self, house: House):
        """And a few at a time."""
        for _ in range(3):
            await house.file()
        now = datetime.now(UTC) + timedelta(seconds=1)

        look = await house.retention.expire_media(2, unseen_since=now)

        assert look == MediaLook(2, 0)
        assert await house.retention.expire_media(
            9, unseen_since=now - timedelta(days=1)
        ) == MediaLook(0, 0)


@pytest.mark.parametrize("seed", range(4))
async def test_live_content_never_loses_anything(house: House, seed: int):
    """Whatever was made, changed, thrown away and forgotten before; and a second run finds nothing."""
    chance = random.Random(seed)
    files = [await house.file(days=chance.choice([0, 29, 31, 400])) for _ in range(20)]
    items = [await house.item(*chance.sample(files, k=chance.randint(0, 3))) for _ in range(12)]
    for place, item in enumerate(items):
        if chance.random() < 0.5:
            items[place] = await house.show(item, *chance.sample(files, k=chance.randint(0, 2)))
        if chance.random() < 0.3:
            files.append(await house.file(days=chance.choice([0, 400]), content_id=item.id))
        if chance.random() < 0.4:
            items[place] = await house.throw_away(items[place])
    await house.sql.execute(_DELIVERED)
    if chance.random() < 0.8:
        await house.sql.execute(_AGE_TRASH)
    live = [item for item in items if item.deleted_at is None]
    promised = await house.promised()

    gone = await house.run_out()

    left = await house.files()
    rows = await house.sql.fetch("select id from content_items")
    assert {item.id for item in live} <= {row["id"] for row in rows}
    assert {media for item in live for media in item.details.media} <= left
    assert gone.trashed_items == promised["trashed items"]
    assert gone.media_files >= promised["media files"]
    assert await house.run_out() == Gone(trashed_items=0, old_versions=0, media_files=0)
    assert await house.files() == left
