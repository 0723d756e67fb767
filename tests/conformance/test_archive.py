"""What every archive promises, wherever its rows lie."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from engarde_daemon.domain.snapshots import ContentSnapshot, snapshot_id
from engarde_daemon.ports.archive import Appended, Archive, ArchiveTable, Frozen, Span
from engarde_daemon.testing.records import WRITTEN_AT
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.conformance.archives import ARCHIVES

ACME = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"
BOND = "9b7e2f44-51aa-4d0e-b0c4-2f1d0c5e7b02"
CONTENT = "5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"
OTHER = "6f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5"
DAY = timedelta(days=1)
ALWAYS = Span(WRITTEN_AT - DAY, WRITTEN_AT + 30 * DAY)


@pytest.fixture(params=ARCHIVES)
async def archive(request, tmp_path) -> AsyncIterator[Archive]:
    """Each archive in turn, empty and prepared."""
    async with ARCHIVES[request.param](tmp_path / "archive") as archive:
        await archive.prepare()
        yield archive


class Pen:
    """Writes batches one after the other, as replication does."""

    def __init__(self, archive: Archive, stream: str) -> None:
        self._archive = archive
        self._stream = stream
        self._written = 0

    def batch(self, *snapshots: ContentSnapshot) -> Frozen:
        """The next batch."""
        return frozen_of(
            snapshots, stream=self._stream, offset=self._written, first_id=self._written + 1
        )

    async def write(self, *snapshots: ContentSnapshot) -> Frozen:
        """Append the next batch, which nothing refuses."""
        batch = self.batch(*snapshots)
        assert await self._archive.append(batch) == Appended()
        self._written += len(snapshots)
        return batch


@pytest.fixture
async def pen(archive: Archive) -> Pen:
    """A pen on a fresh stream."""
    return Pen(archive, await archive.open_stream(ArchiveTable.SNAPSHOTS))


def acme(
    body: str = "Hello", *, content_id: str = CONTENT, version: int = 1, days: float = 0.0
) -> ContentSnapshot:
    """A row of the tenant that most tests are about."""
    at = WRITTEN_AT + days * DAY
    return snapshot_with(body, content_id=content_id, tenant_id=ACME, version=version, at=at)


def bond(body: str = "Hello", *, content_id: str = OTHER) -> ContentSnapshot:
    """A row of the other tenant."""
    return snapshot_with(body, content_id=content_id, tenant_id=BOND)


async def scanned(archive: Archive, span: Span = ALWAYS, **whose: str) -> list[ContentSnapshot]:
    """Everything a scan meets."""
    return [row async for page in archive.scan(span, **whose) for row in page]


def versions(rows: Sequence[ContentSnapshot]) -> list[tuple[str, int]]:
    """Which versions these are, in their order."""
    return [(row.content_id, row.version) for row in rows]


class TestRefusals:
    """A row that cannot be stored is named, and nothing of its batch is stored."""

    @pytest.mark.parametrize("column", ["content_id", "tenant_id", "snapshot_timestamp"])
    async def test_a_row_without_a_required_value_is_refused(self, archive, pen, column):
        """The answer names it by its place, and its column by name."""
        batch = pen.batch(acme(), bond())
        rows = [batch.rows[0], {**batch.rows[1], column: None}]

        appended = await archive.append(msgspec.structs.replace(batch, rows=rows))

        assert list(appended.refused) == [1]
        assert column in appended.refused[1]
        assert await scanned(archive) == []

    async def test_an_unknown_column_is_refused(self, archive, pen):
        """Rather than dropped."""
        batch = pen.batch(acme())
        rows = [{**batch.rows[0], "surprise": 1}]

        appended = await archive.append(msgspec.structs.replace(batch, rows=rows))

        assert "surprise" in appended.refused[0]

    async def test_after_a_refusal_the_others_go_to_the_same_place(self, archive, pen):
        """The refused batch took none."""
        bad = pen.batch(acme(), bond())
        rows = [bad.rows[0], {**bad.rows[1], "title": None}]
        await archive.append(msgspec.structs.replace(bad, rows=rows))

        await pen.write(acme())

        assert await scanned(archive) == [acme()]


class TestRepeats:
    """A batch is one batch, however often it is sent."""

    async def test_a_batch_sent_again_changes_nothing(self, archive, pen):
        """Its answer was lost."""
        batch = await pen.write(acme(), bond())

        assert await archive.append(batch) == Appended()

        assert sorted(versions(await scanned(archive))) == [(CONTENT, 1), (OTHER, 1)]

    async def test_a_row_that_came_in_two_batches_is_told_once(self, archive, pen):
        """By every way of reading."""
        await pen.write(acme(), acme("second", version=2))
        await pen.write(acme(), bond())

        keys = [key async for page in archive.keys(ALWAYS) for key in page]

        assert sorted(versions(await scanned(archive))) == [(CONTENT, 1), (CONTENT, 2), (OTHER, 1)]
        assert [(key.content_id, key.version) for key in keys] == [
            (CONTENT, 1),
            (CONTENT, 2),
            (OTHER, 1),
        ]
        assert await archive.get_many([acme().key], ALWAYS) == {acme().key: acme()}


class TestReading:
    """What went in comes out, and nothing else."""

    @pytest.mark.parametrize(
        "body",
        ["", "Grüße 🌱\n\t\r\n", "'; DROP TABLE x; --", "a\x01\x7f\u2028", "x" * 2_000_000],
        ids=["empty", "unicode", "quotes", "control", "large"],
    )
    async def test_a_row_comes_back_as_it_was(self, archive, pen, body):
        """With every column, to the microsecond."""
        row = msgspec.structs.replace(
            acme(body),
            metadata={"n": [1, 2.5, None, True, 2**53, {"ü": "\u0000"}], "": {}},
            deleted_at=datetime(2026, 5, 1, 12, 0, 0, 1, tzinfo=UTC),
            campaign_space_id="space",
        )
        await pen.write(row)

        assert await scanned(archive) == [row]
        assert await archive.get_many([row.key], ALWAYS) == {row.key: row}

    async def test_versions_are_found_by_their_key_alone(self, archive, pen):
        """Another tenant's, another body's and another version's key find nothing."""
        await pen.write(acme(), bond())
        key = acme().key
        wrong = [
            msgspec.structs.replace(key, tenant_id=BOND),
            msgspec.structs.replace(key, sha256="0" * 64),
            msgspec.structs.replace(key, version=2),
        ]

        assert await archive.get_many([*wrong, key], ALWAYS) == {key: acme()}

    async def test_a_body_that_does_not_fit_its_hash_is_not_given(self, archive, pen):
        """It counts as missing."""
        damaged = msgspec.structs.replace(acme(), content_body="rotten")
        await pen.write(damaged)

        assert await archive.get_many([damaged.key], ALWAYS) == {}

    async def test_the_newest_version_of_each_content(self, archive, pen):
        """Over several days and batches, of one tenant."""
        await pen.write(acme(), acme("third", version=3, days=3), bond())
        await pen.write(acme("second", version=2, days=1), acme("other", content_id=OTHER))

        found = await archive.newest(ACME, [CONTENT, OTHER, "nobody"], ALWAYS)

        assert {name: row.content_body for name, row in found.items()} == {
            CONTENT: "third",
            OTHER: "other",
        }
        assert await archive.newest(BOND, [CONTENT], ALWAYS) == {}

    async def test_a_span_is_half_open(self, archive, pen):
        """Its beginning belongs to it, its end does not."""
        rows = [acme(version=1), acme(version=2, days=1), acme(version=3, days=2)]
        await pen.write(*rows)
        span = Span(WRITTEN_AT, WRITTEN_AT + 2 * DAY)

        assert versions(await scanned(archive, span)) == [(CONTENT, 1), (CONTENT, 2)]
        assert (await archive.newest(ACME, [CONTENT], span))[CONTENT].version == 2
        assert list(await archive.get_many([row.key for row in rows], span)) == [
            rows[0].key,
            rows[1].key,
        ]

    async def test_the_versions_of_a_content_come_in_their_order(self, archive, pen):
        """Also where one was sent late."""
        late, early = acme("1", version=1), acme("2", version=2, days=0.001)
        await pen.write(early, acme("3", version=3, days=2), acme("x", content_id=OTHER))
        await pen.write(late, acme("4", version=4, days=2.001))

        told = [row.version for row in await scanned(archive) if row.content_id == CONTENT]

        assert told == [1, 2, 3, 4]

    async def test_keys_are_in_order_over_everything(self, archive, pen):
        """By tenant, content and version, whenever they came."""
        await pen.write(acme(content_id=OTHER), bond(), acme("2", version=2, days=1))
        await pen.write(acme())

        keys = [key async for page in archive.keys(ALWAYS) for key in page]

        assert [(key.tenant_id, key.content_id, key.version) for key in keys] == [
            (ACME, CONTENT, 1),
            (ACME, CONTENT, 2),
            (ACME, OTHER, 1),
            (BOND, OTHER, 1),
        ]
        assert keys[0].at == WRITTEN_AT

    async def test_a_tenant_and_a_brand_can_be_read_alone(self, archive, pen):
        """Neither sees the other's."""
        branded = msgspec.structs.replace(acme("b", content_id=OTHER), brand_id="brand")
        await pen.write(acme(), branded, bond(content_id=str(uuid.uuid4())))

        assert await scanned(archive, tenant_id=ACME, brand_id="brand") == [branded]
        assert versions(await scanned(archive, tenant_id=ACME)) == [(CONTENT, 1), (OTHER, 1)]

    async def test_an_empty_archive_has_nothing(self, archive):
        """And says so without an error."""
        assert await scanned(archive) == []
        assert await archive.newest(ACME, [CONTENT], ALWAYS) == {}
        assert await archive.get_many([acme().key], ALWAYS) == {}


class TestStreams:
    """What is asked when a stream has ended."""

    async def test_it_is_known_which_rows_are_there(self, archive, pen):
        """Of those that are asked for."""
        await pen.write(acme(), bond())
        ids = [acme().snapshot_id, acme(version=2).snapshot_id]

        held = await archive.held(ArchiveTable.SNAPSHOTS, ids, ALWAYS)

        assert held == {acme().snapshot_id}

    async def test_a_closed_stream_knows_its_rows_or_says_that_it_does_not(self, archive, pen):
        """And a new stream can be written to."""
        batch = await pen.write(acme(), bond())

        state = await archive.close_stream(batch.stream)

        assert state.rows in {2, None}
        fresh = await archive.open_stream(ArchiveTable.SNAPSHOTS)
        again = frozen_of([acme("2", version=2)], stream=fresh, first_id=3)
        assert await archive.append(again) == Appended()


class TestErasing:
    """What is erased is gone for every reader."""

    async def test_every_version_of_a_content_goes(self, archive, pen):
        """From all days; its neighbours and other tenants' stay."""
        await pen.write(acme(), acme("2", version=2, days=2), acme("x", content_id=OTHER), bond())

        assert await archive.erase(ACME, [CONTENT]) == 2

        assert versions(await scanned(archive)) == [(OTHER, 1), (OTHER, 1)]
        assert await archive.newest(ACME, [CONTENT], ALWAYS) == {}

    async def test_another_tenants_content_is_not_erased(self, archive, pen):
        """Not even under its id."""
        await pen.write(acme())

        assert await archive.erase(BOND, [CONTENT]) == 0
        assert versions(await scanned(archive)) == [(CONTENT, 1)]

    async def test_one_version_of_a_content_goes(self, archive, pen):
        """The others stay, and so does another tenant's row of the same content and number."""
        rows = [acme(), acme("2", version=2, days=2), acme("3", version=3, days=2)]
        await pen.write(*rows)
        gone = [rows[0].snapshot_id, rows[1].snapshot_id, snapshot_id(CONTENT, 9)]

        assert await archive.forget_versions(BOND, gone) == 0
        assert await archive.forget_versions(ACME, gone) == 2
        assert await archive.forget_versions(ACME, gone) == 0

        assert versions(await scanned(archive)) == [(CONTENT, 3)]
        assert (await archive.newest(ACME, [CONTENT], ALWAYS))[CONTENT].version == 3

    async def test_erasing_again_finds_nothing(self, archive, pen):
        """It is idempotent."""
        await pen.write(acme())
        await archive.erase(ACME, [CONTENT])

        assert await archive.erase(ACME, [CONTENT]) == 0


async def test_preparing_again_keeps_everything(archive, pen):
    """Every start prepares."""
    await pen.write(acme())
    await archive.prepare()

    assert await scanned(archive) == [acme()]


async def test_many_small_batches_are_all_there(archive, pen):
    """However their rows are stored in the end."""
    rows = [acme(str(n), content_id=str(uuid.UUID(int=n)), days=n % 2) for n in range(80)]
    for row in rows:
        await pen.write(row)

    assert sorted(versions(await scanned(archive))) == sorted(versions(rows))
