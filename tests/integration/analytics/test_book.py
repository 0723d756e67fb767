"""Figures are staged once, whoever tells them however often."""

from datetime import UTC, date, datetime

import anyio
import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.performance import (
    PostgresPerformanceBook,
    PostgresStagedFigures,
)
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.analytics import Performance, Question
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.analytics import Staging
from engarde_daemon.ports.content import ContentKey
from tests.support.content import creation
from tests.support.database import LARGE, PLANS, Tenant, add_tenant

DAY = date(2026, 6, 1)
_MAKE_OLD = "update engarde.performance_keys set staged_at = now() - interval '100 days'"
_REVISIONS = "select (archive_row ->> 'revision')::bigint from engarde.archive_dues order by id"


class Desk:
    """What the tests need of a database, of one tenant."""

    def __init__(self, sessions: Sessions, tenant: Tenant) -> None:
        self.tenant = tenant
        self.sessions = sessions
        self.book = PostgresPerformanceBook(sessions.writers)
        self.figures = PostgresStagedFigures(sessions.readers)

    async def write(self, body: str = "body") -> Item:
        """Make a content."""
        log = PostgresContentLog(self.sessions.writers, PLANS)
        (item,) = await log.commit([creation(self.tenant, body)])
        assert isinstance(item, Item)
        return item

    async def waiting(self, **question: object) -> list[Performance]:
        """What is staged."""
        asked = Question(tenant_id=self.tenant.id, since=DAY, until=DAY)
        return await self.figures.waiting(msgspec.structs.replace(asked, **question), most=100)


@pytest.fixture
async def desk(sessions: Sessions, tenant: Tenant) -> Desk:
    """A desk on which nothing lies."""
    return Desk(sessions, tenant)


def figure_of(item: Item, **changes: object) -> Performance:
    """A figure of a content, with its brand as reading gives it back."""
    figure = Performance(
        tenant_id=item.tenant_id,
        content_id=item.id,
        brand_id=item.brand_id,
        platform="meta",
        day=DAY,
        impressions=100,
        clicks=3,
        conversions=1.5,
        currency="EUR",
        custom_metrics={"reach": 80},
    )
    return msgspec.structs.replace(figure, **changes)


class TestRefused:
    """What belongs to nobody is not staged."""

    async def test_a_figure_of_no_content_is_named(self, desk: Desk):
        """The others are staged."""
        item = await desk.write()
        nobody = figure_of(item, content_id="nobody")

        staging = await desk.book.stage([figure_of(item), nobody])

        assert staging == Staging(staged=1, unknown=frozenset({"nobody"}))

    async def test_another_tenants_content_is_no_content(self, desk: Desk, superuser):
        """Nor does the other tenant see what is staged."""
        item = await desk.write()
        other = await add_tenant(superuser, LARGE)

        staging = await desk.book.stage([figure_of(item, tenant_id=other.id)])
        await desk.book.stage([figure_of(item)])

        assert staging == Staging(unknown=frozenset({item.id}))
        assert await desk.waiting(tenant_id=other.id) == []

    async def test_the_brand_is_that_of_the_content(self, desk: Desk):
        """Whatever the figure says: nobody puts a figure into a brand that is not its own."""
        item = await desk.write()

        await desk.book.stage([figure_of(item, brand_id="another")])

        assert await desk.waiting() == [figure_of(item)]


class TestRevisions:
    """A figure told again is no news, unless it says something else."""

    async def test_saying_it_again_changes_nothing(self, desk: Desk):
        """It lies there once."""
        figure = figure_of(await desk.write())
        await desk.book.stage([figure])

        assert await desk.book.stage([figure]) == Staging(unchanged=1)
        assert await desk.waiting() == [figure]

    async def test_a_changed_figure_is_the_one_that_counts(self, desk: Desk, superuser):
        """The archive gets both, the newer with the larger revision."""
        figure = figure_of(await desk.write())
        later = msgspec.structs.replace(figure, clicks=4)
        await desk.book.stage([figure])

        assert await desk.book.stage([later]) == Staging(staged=1)

        assert await desk.waiting() == [later]
        first, second = [row[0] for row in await superuser.fetch(_REVISIONS)]
        assert first < second

    async def test_of_two_with_one_key_the_last_counts(self, desk: Desk):
        """Also within one call."""
        figure = figure_of(await desk.write())
        later = msgspec.structs.replace(figure, clicks=4)

        assert await desk.book.stage([figure, later]) == Staging(staged=1)
        assert await desk.waiting() == [later]

    async def test_after_a_key_was_forgotten_its_revisions_still_grow(
        self, desk: Desk, superuser: asyncpg.Connection
    ):
        """Else the archive would hold the old figure for the newer."""
        figure = figure_of(await desk.write())
        await desk.book.stage([figure])
        assert await desk.book.forget(older_than_s=1e6, most=10) == 0
        await superuser.execute(_MAKE_OLD)

        assert await desk.book.forget(older_than_s=1e6, most=10) == 1
        assert await desk.book.stage([figure]) == Staging(staged=1)

        first, second = [row[0] for row in await superuser.fetch(_REVISIONS)]
        assert first < second

    async def test_rivals_stage_each_key_once(self, desk: Desk):
        """Whichever comes first."""
        items = [await desk.write(str(number)) for number in range(5)]
        figures = [figure_of(item) for item in items]
        staged = []

        async def stage(some: list[Performance]) -> None:
            staged.append((await desk.book.stage(some)).staged)

        async with anyio.create_task_group() as group:
            for turn in range(4):
                group.start_soon(stage, figures[turn:] + figures[:turn])

        assert sum(staged) == 5
        assert len(await desk.waiting()) == 5


class TestWaiting:
    """Readers find what the archive does not have yet."""

    async def test_days_and_content_narrow_it(self, desk: Desk):
        """What cannot matter is not read."""
        item, other = await desk.write("one"), await desk.write("two")
        hour = datetime(2026, 6, 2, 9, tzinfo=UTC)
        later = figure_of(item, day=date(2026, 6, 2), hour=hour)
        await desk.book.stage([figure_of(item), figure_of(other), later])

        assert await desk.waiting(content_id=item.id) == [figure_of(item)]
        assert await desk.waiting(since=later.day, until=later.day) == [later]

    async def test_an_erased_content_has_no_figures(self, desk: Desk):
        """Nor is anything remembered of what was said."""
        item = await desk.write()
        await desk.book.stage([figure_of(item)])
        retention = PostgresRetention(desk.sessions.writers, PLANS)
        key = ContentKey(desk.tenant.id, item.id)

        await retention.erase(key, erasure_id="e", by="user", reason="request")

        assert await desk.waiting() == []
        assert await desk.book.forget(older_than_s=-1.0, most=10) == 0
