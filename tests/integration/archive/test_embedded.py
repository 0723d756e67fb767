"""The files of the embedded archive: merged, swept, rewritten, and asked by analysts."""

import fcntl
import os
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import anyio
import duckdb
import pytest

from engarde_daemon.adapters.archive.analysis import ask
from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.archive.rewriting import GRACE_S, sweep
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.adapters.archive.walking import READING, reading_for_long
from engarde_daemon.domain.analytics import Question
from engarde_daemon.domain.errors import Invalid, Unavailable
from engarde_daemon.ports.archive import Appended, ArchiveTable, Span
from engarde_daemon.testing.records import WRITTEN_AT
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with

TABLE = ArchiveTable.SNAPSHOTS
ALWAYS = Span(WRITTEN_AT - timedelta(days=1), WRITTEN_AT + timedelta(days=9))
MANY = 70


class Wall:
    """A clock on the wall that stands still."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def wall() -> Wall:
    """A clock."""
    return Wall()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the archive lies."""
    return tmp_path / "archive"


@pytest.fixture
async def archive(root: Path, wall: Wall) -> AsyncIterator[EmbeddedArchive]:
    """An empty archive."""
    async with EmbeddedArchive(root, timeout_s=30.0, now=wall) as archive:
        await archive.prepare()
        yield archive


async def write(archive: EmbeddedArchive, first: int, count: int, *, days: int = 0) -> None:
    """Append as many rows in batches of one, each a file of its own."""
    at = WRITTEN_AT + timedelta(days=days)
    for number in range(first, first + count):
        row = snapshot_with(f"Body {number}", content_id=f"c{number}", tenant_id="acme", at=at)
        batch = frozen_of([row], stream="files", offset=number - 1, first_id=number)
        assert await archive.append(batch) == Appended()


async def bodies(archive: EmbeddedArchive) -> list[str]:
    """Every body there is."""
    return [row.content_body async for page in archive.scan(ALWAYS) for row in page]


class TestMerging:
    """Many small files become few, and nobody notices."""

    async def test_a_day_of_many_small_files_becomes_one_of_few(self, archive, root):
        """With the same rows."""
        await write(archive, 1, MANY)

        assert len(listing(root, TABLE).live) < 34
        assert sorted(await bodies(archive)) == sorted(f"Body {n}" for n in range(1, MANY + 1))

    async def test_a_batch_sent_again_after_the_merge_is_not_told_twice(self, archive):
        """Its file lies inside the merged one."""
        await write(archive, 1, MANY)
        await write(archive, 1, 3)

        assert len(await bodies(archive)) == MANY

    async def test_versions_that_came_in_many_batches_keep_their_order(self, archive):
        """Also where the last of them came first."""
        versions = [MANY, *range(1, MANY)]
        for number, version in enumerate(versions, start=1):
            row = snapshot_with("Body", content_id="c", tenant_id="acme", version=version)
            batch = frozen_of([row], stream="files", offset=number - 1, first_id=number)
            await archive.append(batch)

        told = [row.version async for page in archive.scan(ALWAYS) for row in page]

        assert told == sorted(versions)

    async def test_merged_files_go_after_a_time_of_grace(self, archive, root):
        """Who listed them may still read them until then."""
        await write(archive, 1, MANY)
        replaced = len(listing(root, TABLE).superseded)

        assert sweep(root, now=time.time() + GRACE_S - 5) == 0
        assert sweep(root, now=time.time() + GRACE_S + 5) == replaced > 31
        assert listing(root, TABLE).superseded == []
        assert len(await bodies(archive)) == MANY

    async def test_nothing_goes_while_somebody_walks_over_everything(self, archive, root):
        """A restore may take longer than any grace."""
        await write(archive, 1, MANY)
        walk = archive.scan(ALWAYS)
        await anext(walk)

        assert sweep(root, now=time.time() + 2 * GRACE_S) == 0
        await walk.aclose()
        assert sweep(root, now=time.time() + 2 * GRACE_S) > 0

    async def test_a_quiet_day_becomes_one_file(self, archive, root, wall):
        """However few it has."""
        await write(archive, 1, 5)
        day = listing(root, TABLE).live[-1].path.parent
        os.utime(day, (wall.now - 3600, wall.now - 3600))
        wall.now += 120
        await write(archive, 6, 1, days=1)

        live = [(one.first, one.last) for one in listing(root, TABLE).live]
        assert live == [(0, 0), (1, 5), (6, 6)]

    async def test_a_walk_waits_for_a_sweep_and_holds_up_nobody(self, archive, root):
        """Whoever sweeps may wait for a disk."""
        await write(archive, 1, 1)
        found: list[str] = []

        async def walk() -> None:
            found.extend(await bodies(archive))

        with (root / READING).open("w") as sweeping:
            fcntl.flock(sweeping, fcntl.LOCK_EX)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(walk)
                await anyio.wait_all_tasks_blocked()
                assert found == []
                fcntl.flock(sweeping, fcntl.LOCK_UN)

        assert found == ["Body 1"]

    async def test_what_a_crash_left_unfinished_is_no_row_and_goes(self, archive, root):
        """A file counts from the instant it has its name."""
        await write(archive, 1, 1)
        left = listing(root, TABLE).live[-1].path.with_name("seg-1.parquet.unfinished-1")
        left.write_bytes(b"half a fi")

        assert await bodies(archive) == ["Body 1"]
        assert sweep(root, now=time.time() + 2 * GRACE_S) == 1
        assert not left.exists()


class TestPointReads:
    """What is known of the files narrows a search, and hides nothing."""

    async def test_another_tenants_newer_version_of_the_same_id_is_not_given(self, archive):
        """Though it lies in the same file."""
        mine = snapshot_with("mine", content_id="c", tenant_id="acme")
        rows = [
            snapshot_with("theirs", content_id="c", tenant_id="bond", version=n) for n in (1, 2)
        ]
        await archive.append(frozen_of([*rows, mine], stream="files"))

        assert await archive.newest("acme", ["c"], ALWAYS) == {"c": mine}

    async def test_what_was_appended_after_a_search_is_found_by_the_next(self, archive):
        """Also once it was merged."""
        await write(archive, 1, 1)
        assert await archive.newest("acme", [f"c{MANY}"], ALWAYS) == {}

        await write(archive, 2, MANY - 1)

        assert set(await archive.newest("acme", ["c1", f"c{MANY}"], ALWAYS)) == {"c1", f"c{MANY}"}

    async def test_what_was_erased_after_a_search_is_not_found_by_the_next(self, archive):
        """What is kept of the file still names it."""
        await write(archive, 1, 2)
        assert set(await archive.newest("acme", ["c1"], ALWAYS)) == {"c1"}

        await archive.erase("acme", ["c1"])

        assert set(await archive.newest("acme", ["c1", "c2"], ALWAYS)) == {"c2"}


class TestSums:
    """Figures are added up over the days that are asked for."""

    async def test_the_last_day_there_is_can_be_asked_for(self, archive):
        """No day comes after it, and none is needed."""
        days = Question(tenant_id="acme", since=date(9999, 12, 1), until=date.max)

        assert await archive.sums(days, besides=[], most=1) == {}


class TestErasing:
    """Erased rows are in no file, not even in one that is about to go."""

    async def test_no_file_holds_what_was_erased(self, archive, root):
        """Each is asked by itself."""
        await write(archive, 1, MANY)

        assert await archive.erase("acme", ["c1", f"c{MANY}"]) == 2

        for path in root.rglob(f"{TABLE}/*/*.parquet"):
            rows = duckdb.read_parquet(str(path)).project("content_id").fetchall()
            assert ("c1",) not in rows
        assert len(await bodies(archive)) == MANY - 2

    async def test_no_file_changes_under_its_readers(self, archive, root):
        """What was erased from has another name: of half this and half that comes nonsense."""
        await write(archive, 1, MANY)
        before = {path: path.read_bytes() for path in root.rglob(f"{TABLE}/*/*.parquet")}

        await archive.erase("acme", ["c1"])

        after = {path: path.read_bytes() for path in root.rglob(f"{TABLE}/*/*.parquet")}
        assert [path for path in before.keys() & after.keys() if before[path] != after[path]] == []
        assert before.keys() != after.keys()

    async def test_an_erased_row_does_not_come_back_from_a_replaced_file(self, archive, root):
        """Even if the file that replaced it were lost."""
        await write(archive, 1, MANY)
        await archive.erase("acme", ["c1"])
        for one in listing(root, TABLE).live:
            if one.last - one.first > 1:
                one.path.unlink()

        assert "Body 1" not in await bodies(archive)

    async def test_what_a_crash_left_unfinished_goes_with_an_erasure(self, archive, root, wall):
        """It may hold what is erased, and the next row may be long in coming."""
        await write(archive, 1, 2)
        left = listing(root, TABLE).live[-1].path.with_name("seg-1.parquet.unfinished-1")
        left.write_bytes(b"half a fi")
        wall.now += 2 * GRACE_S

        await archive.erase("acme", ["c1"])

        assert not left.exists()

    async def test_what_a_crash_left_of_an_erasure_brings_nothing_back(self, archive, root):
        """The file that was about to go lies beside the one that took its place."""
        rows = [snapshot_with(f"Body {n}", content_id=f"c{n}", tenant_id="acme") for n in (1, 2, 3)]
        await archive.append(frozen_of(rows, stream="files"))
        left = listing(root, TABLE).live[-1].path
        before = left.read_bytes()
        await archive.erase("acme", ["c1"])
        left.write_bytes(before)

        await archive.erase("acme", ["c3"])

        assert await bodies(archive) == ["Body 2"]
        assert not left.exists()


class TestTrouble:
    """What is wrong is said in a sentence."""

    async def test_a_file_in_place_of_the_folder(self, tmp_path, wall):
        """The setting is named."""
        (tmp_path / "archive").write_text("in the way")

        with pytest.raises(Unavailable, match=r"\[storage\] data_dir"):
            async with EmbeddedArchive(tmp_path / "archive", timeout_s=5.0, now=wall):
                pass

    async def test_a_damaged_file(self, archive, root):
        """Reading it is refused, not answered with less."""
        await write(archive, 1, 1)
        listing(root, TABLE).live[-1].path.write_bytes(b"no parquet at all, of some length")

        with pytest.raises(Unavailable, match="archive"):
            await bodies(archive)

    async def test_a_closed_archive(self, root, wall):
        """A late caller is refused."""
        async with EmbeddedArchive(root, timeout_s=5.0, now=wall) as archive:
            await archive.prepare()

        with pytest.raises(Unavailable, match="closed"):
            await archive.erase("acme", ["c1"])


class TestAnalysts:
    """A question reads the archive, and can do nothing else."""

    @pytest.mark.parametrize(
        "question",
        [
            "copy (select 1) to '{root}/stolen.csv'",
            "select 1; drop view content_snapshots",
            "set enable_external_access = true",
            "attach '{root}/other.db'",
            "create table t as select 1",
            "explain analyze copy (select 1) to '{root}/stolen.csv'",
            "select * from read_text('/etc/hostname')",
            "select * from read_csv('{outside}')",
            "select * from glob('/etc/*')",
            "select * from nowhere",
            "selekt",
            "",
        ],
    )
    @pytest.mark.usefixtures("archive")
    async def test_anything_else_is_refused(self, root, tmp_path, question):
        """And leaves no file behind."""
        outside = tmp_path / "outside.csv"
        outside.write_text("secret\n1\n")

        with pytest.raises(Invalid):
            list(ask(root, question.format(root=root, outside=outside)).rows)

        assert not (root / "stolen.csv").exists()

    async def test_the_newest_version_of_each_content_is_current(self, archive, root):
        """Once, also where it was sent twice."""
        old = snapshot_with("old", content_id="c", tenant_id="acme")
        new = snapshot_with("new", content_id="c", tenant_id="acme", version=2)
        await archive.append(frozen_of([old, new], stream="files"))
        await archive.append(frozen_of([new], stream="files", offset=2, first_id=3))

        answer = ask(root, "select content_body, metadata.metadata.n from content_current")

        assert list(answer.rows) == [{"content_body": "new", "n": 1.5}]
        assert ask(root, "from content_snapshots").columns[:2] == ["content_id", "snapshot_id"]

    def test_where_there_is_no_archive(self, root):
        """It is said how to get one."""
        with pytest.raises(Unavailable, match="engarde run"):
            ask(root, "select 1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files in a folder of others")
def test_what_root_makes_belongs_to_the_folders_owner(tmp_path: Path):
    """A daemon of another user has to open it, after root made a backup before its first row."""
    os.chown(tmp_path, 65534, 65534)

    with reading_for_long(tmp_path):
        owner = (tmp_path / READING).stat()

    assert (owner.st_uid, owner.st_gid) == (65534, 65534)
