"""What every archive promises of figures and of media rows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engarde_daemon.domain.analytics import Dimension, Group, Performance, Question, Sums
from engarde_daemon.ports.archive import Appended, Archive, ArchiveTable, Frozen, Span
from tests.conformance.archives import ARCHIVES

ACME, BOND = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01", "9b7e2f44-51aa-4d0e-b0c4-2f1d0c5e7b02"
AD = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"
POST = "6f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"
DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPAN = Span(NOON - timedelta(days=1), NOON + timedelta(days=9))
EVERYTHING = Question(tenant_id=ACME, since=DAY, until=DAY + timedelta(days=9))
FIGURE = Performance(
    tenant_id=ACME,
    content_id=AD,
    brand_id="brand",
    campaign_space_id="space",
    platform="meta",
    day=DAY,
    impressions=1000,
    clicks=20,
    likes=4,
    shares=3,
    comments=2,
    saves=1,
    conversions=2.5,
    spend=12.34,
    revenue=99.5,
    currency="EUR",
    avg_watch_time=3.25,
    custom_metrics={"reach": 800, "ü": None},
)


@pytest.fixture(params=ARCHIVES)
async def archive(request, tmp_path) -> AsyncIterator[Archive]:
    """Each archive in turn, empty and prepared."""
    async with ARCHIVES[request.param](tmp_path / "archive") as archive:
        await archive.prepare()
        yield archive


def told(figure: Performance = FIGURE, *, revision: int = 1, **changes: Any) -> dict[str, Any]:
    """A row that says so, in this revision."""
    row = msgspec.structs.replace(figure, **changes).row
    return row | {"revision": revision, "created_at": NOON + timedelta(seconds=revision)}


def seen(*, at: datetime = NOON, snapshot_id: str = "s1", content_id: str = AD) -> dict[str, Any]:
    """A row of a media file."""
    return {
        "media_id": "m",
        "snapshot_id": snapshot_id,
        "tenant_id": ACME,
        "content_id": content_id,
        "file_name": "sun.png",
        "file_type": "image",
        "file_size_bytes": 2**40,
        "media_metadata": {"width": 1},
        "snapshot_timestamp": at,
        "media_created_at": at,
        "ingested_at": at,
        "sha256": "0" * 64,
        "processing_status": "ready",
    }


class Pen:
    """Writes batches of one table, one after the other."""

    def __init__(self, archive: Archive, table: ArchiveTable) -> None:
        self._archive = archive
        self._table = table
        self._stream = ""
        self._written = 0

    async def write(self, *rows: Mapping[str, Any]) -> None:
        """Append the next batch, which nothing refuses."""
        self._stream = self._stream or await self._archive.open_stream(self._table)
        batch = Frozen(
            table=self._table,
            stream=self._stream,
            offset=self._written,
            first_id=self._written + 1,
            last_id=self._written + len(rows),
            rows=rows,
        )
        assert await self._archive.append(batch) == Appended()
        self._written += len(rows)


@pytest.fixture
async def pen(archive: Archive) -> Pen:
    """A pen for figures."""
    return Pen(archive, ArchiveTable.ANALYTICS)


async def sums(
    archive: Archive, *by: Dimension, besides: Sequence[str] = (), most: int = 100, **asked: Any
) -> dict[Group, Sums]:
    """What the figures add up to."""
    question = msgspec.structs.replace(EVERYTHING, by=frozenset(by), **asked)
    return dict(await archive.sums(question, besides=besides, most=most))


class TestMisfits:
    """A row that no table can take holds up nobody."""

    @pytest.mark.parametrize(
        ("column", "value"),
        [("impressions", 2**63), ("spend", "much"), ("metric_date", NOON), ("created_at", DAY)],
    )
    async def test_a_value_of_another_kind_is_refused(self, archive, column, value):
        """By its column; a batch that failed as a whole would be sent again for ever."""
        stream = await archive.open_stream(ArchiveTable.ANALYTICS)
        rows = [told(), {**told(content_id=POST), column: value}]

        appended = await archive.append(
            Frozen(
                table=ArchiveTable.ANALYTICS,
                stream=stream,
                offset=0,
                first_id=1,
                last_id=2,
                rows=rows,
            )
        )

        assert list(appended.refused) == [1]
        assert column in appended.refused[1]


class TestSums:
    """Figures are added up where they lie."""

    async def test_an_empty_archive_has_none(self, archive):
        """And says so without an error."""
        assert await sums(archive) == {}

    async def test_every_figure_comes_back(self, archive, pen):
        """With fractions of conversions."""
        await pen.write(told())

        assert await sums(archive) == {Group(): FIGURE.sums}

    async def test_the_newest_revision_counts(self, archive, pen):
        """Whenever it came, and however often."""
        await pen.write(told(revision=3, clicks=30), told(revision=1))
        await pen.write(told(revision=2, clicks=25), told(revision=3, clicks=30))

        (total,) = (await sums(archive)).values()

        assert (total.clicks, total.impressions) == (30, 1000)

    async def test_a_figure_that_left_a_brand_is_not_counted_there(self, archive, pen):
        """Its older revision does not stand for it."""
        await pen.write(told(revision=1), told(revision=2, brand_id="other"))

        assert await sums(archive, brand_ids=["brand"]) == {}
        assert list(await sums(archive, brand_ids=["other"])) == [Group()]
        assert await sums(archive, brand_ids=[]) == {}

    async def test_what_is_staged_is_told_by_others(self, archive, pen):
        """By its key."""
        await pen.write(told(), told(content_id=POST))

        (total,) = (await sums(archive, besides=[FIGURE.metric_id])).values()

        assert total == FIGURE.sums

    async def test_groups_by_each_dimension(self, archive, pen):
        """Days and all that has a name."""
        later = DAY + timedelta(days=1)
        await pen.write(told(), told(day=later, platform="google_ads"))
        both = frozenset(Dimension) - {Dimension.HOUR}

        assert await sums(archive, *both) == {
            Group(
                day=day, platform=platform, campaign="space", brand="brand", content=AD
            ): FIGURE.sums
            for day, platform in ((DAY, "meta"), (later, "google_ads"))
        }

    async def test_hours_are_told_apart_and_never_added_to_days(self, archive, pen):
        """They are a closer look at the same."""
        hour = datetime(2026, 6, 1, 9, tzinfo=UTC)
        await pen.write(told(), told(hour=hour, clicks=7))

        assert (await sums(archive))[Group()].clicks == 20
        assert list(await sums(archive, Dimension.HOUR)) == [Group(hour=hour)]

    async def test_money_of_several_currencies_is_told(self, archive, pen):
        """That it cannot be added up is for the asker to see."""
        await pen.write(
            told(), told(platform="x", currency="USD"), told(platform="y", currency=None)
        )

        (total,) = (await sums(archive)).values()

        assert total.currencies == {"EUR", "USD"}

    @pytest.mark.parametrize(
        "change",
        [
            {"tenant_id": BOND},
            {"day": DAY - timedelta(days=1)},
            {"day": DAY + timedelta(days=10)},
            {"platform": "google_ads"},
            {"content_id": POST},
        ],
    )
    async def test_what_is_not_asked_for_is_left_out(self, archive, pen, change):
        """By tenant, day, platform and content."""
        await pen.write(told(), told(**change))

        found = await sums(archive, platform="meta", content_id=AD)

        assert found == {Group(): FIGURE.sums}

    async def test_a_campaign_can_be_asked_for_alone(self, archive, pen):
        """What belongs to none is in no campaign."""
        await pen.write(told(), told(content_id=POST, campaign_space_id=None))

        assert await sums(archive, campaign_space_id="space") == {Group(): FIGURE.sums}

    async def test_groups_are_bounded(self, archive, pen):
        """No more are told than were asked for."""
        await pen.write(*(told(platform=str(number)) for number in range(5)))

        assert len(await sums(archive, Dimension.PLATFORM, most=3)) == 3


class TestRows:
    """The ends of streams, and erasing, as for snapshots."""

    async def test_it_is_known_which_revisions_are_there(self, archive, pen):
        """Another revision of the same key is another row."""
        await pen.write(told(revision=1))
        key = FIGURE.metric_id

        held = await archive.held(ArchiveTable.ANALYTICS, [f"{key}/1", f"{key}/2"], SPAN)

        assert held == {f"{key}/1"}

    async def test_it_is_known_which_media_rows_are_there(self, archive):
        """By their own ids."""
        await Pen(archive, ArchiveTable.MEDIA).write(seen())

        assert await archive.held(ArchiveTable.MEDIA, ["s1", "s2"], SPAN) == {"s1"}

    async def test_an_erased_content_takes_its_figures_and_media_rows_along(self, archive, pen):
        """Those of its neighbours stay."""
        await pen.write(told(), told(content_id=POST))
        media = Pen(archive, ArchiveTable.MEDIA)
        await media.write(seen(), seen(snapshot_id="s2", content_id=POST))

        assert await archive.erase(ACME, [AD]) == 2

        assert list(await sums(archive, Dimension.CONTENT)) == [Group(content=POST)]
        assert await archive.held(ArchiveTable.MEDIA, ["s1", "s2"], SPAN) == {"s2"}
