"""What the embedded ZeroDB says, and what it keeps, when its file or its disk fails."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import pytest

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.adapters.zerodb.embedded_errors import refusals_of_using
from engarde_daemon.adapters.zerodb.embedded_file import refuse_old_sqlite
from engarde_daemon.domain.errors import Corrupt, Unavailable
from engarde_daemon.testing.records import key_of, record_with
from tests.integration.zerodb.unfortunate_writer import TENANT, numbered

ROWS = [numbered(number) for number in range(100)]
KEYS = [key_of(row) for row in ROWS]


@pytest.fixture
async def store(tmp_path):
    """A prepared store."""
    async with EmbeddedZeroDB(tmp_path) as store:
        await store.prepare()
        yield store


@pytest.fixture
async def impatient(store) -> AsyncIterator[EmbeddedZeroDB]:
    """The same file, opened by someone who gives up after a tenth of a second."""
    async with EmbeddedZeroDB(store.file.parent, timeout_s=0.1) as impatient:
        yield impatient


@pytest.fixture
async def filled(tmp_path) -> Path:
    """The file of a closed store with rows in it."""
    async with EmbeddedZeroDB(tmp_path) as store:
        await store.prepare()
        await store.put_many(ROWS)
    return store.file


def change(file: Path, statement: str, *parameters: object) -> None:
    """Do something to the file that the store does not know of."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(statement, parameters)


def log_of(store: EmbeddedZeroDB) -> Path:
    """The write-ahead log, which SQLite removes when the last connection is closed."""
    return store.file.with_name(f"{store.file.name}-wal")


@contextmanager
def locked(file: Path) -> Iterator[Callable[[], object]]:
    """Be another process that writes to the file, until it is told to stop."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection.rollback


async def refusal_of_opening(folder: Path) -> str:
    """What a person reads when the store does not open."""
    with pytest.raises((Corrupt, Unavailable)) as refused:
        await EmbeddedZeroDB(folder).open()
    assert isinstance(refused.value.__cause__, OSError | sqlite3.Error | None)
    return str(refused.value)


class TestOpening:
    """Files that cannot be used."""

    async def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        """The sentence names the folder and the setting that chose it."""
        (tmp_path / "occupied").write_text("a file, not a folder")
        folder = tmp_path / "occupied" / "zerodb"
        sentence = await refusal_of_opening(folder)
        assert str(folder) in sentence
        assert "[storage] data_dir" in sentence

    async def test_a_file_that_cannot_be_opened_is_named(self, tmp_path):
        """A folder in the file's place is a refusal, not a crash."""
        (tmp_path / "zerodb.sqlite3").mkdir()
        with pytest.raises(Unavailable, match=r"zerodb\.sqlite3 cannot be opened"):
            await EmbeddedZeroDB(tmp_path).open()

    async def test_a_file_of_something_else_is_corrupt(self, tmp_path):
        """Nothing is written into a file that is no database."""
        (tmp_path / "zerodb.sqlite3").write_text("Dear diary, " * 500)
        with pytest.raises(Corrupt, match=r"zerodb\.sqlite3 is no SQLite file"):
            await EmbeddedZeroDB(tmp_path).open()
        assert (tmp_path / "zerodb.sqlite3").read_text() == "Dear diary, " * 500

    @pytest.mark.parametrize("part", [0.01, 0.5, 0.95])
    async def test_a_truncated_file_is_corrupt(self, filled, part):
        """A file that lost its end is noticed before anybody counts on it."""
        content = filled.read_bytes()
        filled.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(Corrupt, match="move it away, start again and restore"):
            await EmbeddedZeroDB(filled.parent).open()

    async def test_a_damaged_schema_is_corrupt(self, filled):
        """The page that says what the tables are is read when the file is opened."""
        content = bytearray(filled.read_bytes())
        content[100:4096] = b"\xff" * 3996
        filled.write_bytes(content)
        with pytest.raises(Corrupt, match="is damaged"):
            await EmbeddedZeroDB(filled.parent).open()

    async def test_the_file_of_a_newer_daemon_is_refused(self, filled):
        """An old daemon does not guess what a newer one wrote."""
        change(filled, "PRAGMA user_version = 2")
        with pytest.raises(Corrupt, match="schema 2, this daemon knows 1"):
            await EmbeddedZeroDB(filled.parent).open()

    def test_an_old_sqlite_is_refused(self):
        """The sentence says which version is needed."""
        with pytest.raises(
            Unavailable, match=r"needs SQLite 3\.37\.0, this Python brings 3\.34\.1"
        ):
            refuse_old_sqlite((3, 34, 1))

    async def test_a_refused_file_can_be_opened_once_it_is_mended(self, filled):
        """A failed attempt leaves nothing behind."""
        change(filled, "PRAGMA user_version = 2")
        store = EmbeddedZeroDB(filled.parent)
        with pytest.raises(Corrupt):
            await store.open()
        change(filled, "PRAGMA user_version = 1")
        async with store:
            assert len(await store.get_many(KEYS)) == len(KEYS)


class TestClosed:
    """Stores that are not open."""

    async def test_a_store_that_was_never_opened_is_unavailable(self, tmp_path):
        """Every call says so in the words of the domain."""
        store = EmbeddedZeroDB(tmp_path)
        for call in (store.prepare, lambda: store.put_many(ROWS), lambda: store.get_many(KEYS)):
            with pytest.raises(Unavailable, match="is not open"):
                await call()

    async def test_a_closed_store_is_unavailable(self, tmp_path):
        """A late caller is refused, also in the middle of a walk."""
        async with EmbeddedZeroDB(tmp_path) as store:
            await store.prepare()
            await store.put_many([numbered(number) for number in range(600)])
            walk = store.scan()
            await anext(walk)
        with pytest.raises(Unavailable, match="is not open"):
            async for _ in walk:
                pass

    async def test_closing_twice_is_closing_once(self, tmp_path):
        """Clean-up code need not know what was cleaned up before."""
        store = EmbeddedZeroDB(tmp_path)
        await store.open()
        await store.close()
        await store.close()

    async def test_closing_lets_a_running_batch_end(self, store):
        """A batch that has begun is confirmed, then the file is closed."""
        proved: set[str] = set()

        async def put() -> None:
            proved.update(await store.put_many(ROWS))

        with locked(store.file) as release:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(put)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(store.close)
                await anyio.wait_all_tasks_blocked()
                release()
        assert len(proved) == len(ROWS)
        assert not log_of(store).exists()

    async def test_closing_refuses_everyone_who_waits(self, store):
        """Callers in line behind a running batch are told at once, not when their time is up."""
        refused: list[str] = []

        async def put() -> None:
            with pytest.raises(Unavailable) as caught:
                await store.put_many(ROWS)
            refused.append(str(caught.value))

        with locked(store.file) as release:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(store.put_many, ROWS)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(put)
                tasks.start_soon(put)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(store.close)
                await anyio.wait_all_tasks_blocked()
                release()
        assert len(refused) == 2
        assert all(sentence.endswith("is not open.") for sentence in refused)

    async def test_a_cancelled_owner_closes_the_file_all_the_same(self, tmp_path):
        """A daemon that is told to stop folds the log into the file."""
        with anyio.CancelScope() as scope:
            async with EmbeddedZeroDB(tmp_path) as store:
                await store.prepare()
                scope.cancel()
                await anyio.sleep_forever()
        assert not log_of(store).exists()

    async def test_a_store_that_is_not_prepared_says_so(self, tmp_path):
        """Missing collections are a state to mend, not an empty answer."""
        async with EmbeddedZeroDB(tmp_path) as store:
            with pytest.raises(Unavailable, match="prepare"):
                await store.get_many(KEYS)


class TestTrouble:
    """Failures of an open store."""

    async def test_a_locked_file_is_unavailable(self, impatient):
        """Waiting for another process has an end, and the sentence says whom to stop."""
        with locked(impatient.file), pytest.raises(Unavailable, match="locked by another process"):
            await impatient.put_many(ROWS)

    async def test_a_locked_file_takes_rows_again_afterwards(self, impatient, store):
        """A refused batch leaves no transaction open, neither here nor for others."""
        with locked(impatient.file), pytest.raises(Unavailable):
            await impatient.put_many(ROWS)
        assert len(await store.put_many(ROWS)) == len(ROWS)

    async def test_a_caller_waits_in_line_for_a_bounded_time(self, impatient):
        """Behind a batch that is stuck, the next one is refused rather than queued for ever."""
        refused: list[str] = []

        async def put() -> None:
            with pytest.raises(Unavailable) as caught:
                await impatient.put_many(ROWS)
            refused.append(str(caught.value))

        with locked(impatient.file):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(put)
        assert any("was busy for 0.1 s" in sentence for sentence in refused)

    async def test_a_locked_file_can_be_read(self, store):
        """Readers never wait for a writer."""
        await store.put_many(ROWS)
        with locked(store.file):
            assert len(await store.get_many(KEYS)) == len(KEYS)
            assert len([record async for record in store.scan()]) == len(KEYS)

    def test_a_failed_fsync_is_a_disk_error(self, tmp_path):
        """SQLite's extended codes are understood by their family."""
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        with (
            pytest.raises(Unavailable, match="met a disk error"),
            refusals_of_using(tmp_path / "zerodb.sqlite3"),
        ):
            raise error

    async def test_a_full_disk_is_unavailable_and_loses_nothing(self, store):
        """A batch without room is refused as a whole; what stood before stands."""
        await store.put_many(ROWS[:10])
        await _allow_pages(store, 40)
        with pytest.raises(Unavailable, match="has no room to grow"):
            await store.put_many(ROWS)
        assert len([record async for record in store.scan()]) == 10

    async def test_a_full_disk_takes_rows_again_once_there_is_room(self, store):
        """Nobody has to restart the daemon after making room."""
        await _allow_pages(store, 40)
        with pytest.raises(Unavailable):
            await store.put_many(ROWS)
        await _allow_pages(store, 1_000_000)
        assert len(await store.put_many(ROWS)) == len(ROWS)

    async def test_damage_met_while_running_is_an_outage(self, filled):
        """A page that went bad under way does not raise what only SQLite's users know."""
        async with EmbeddedZeroDB(filled.parent) as store:
            content = filled.read_bytes()
            filled.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
            with pytest.raises(Unavailable, match="is damaged"):
                await store.get_many(KEYS)

    @pytest.mark.parametrize(
        "document",
        [b"", b"{", b"\xff\xfe", b'{"metadata": {"a": ' + b"[" * 100_000, b'{"id": 1}'],
        ids=["empty", "cut off", "no UTF-8", "too deep", "wrong shape"],
    )
    async def test_a_document_that_cannot_be_read_is_damaged(self, store, document):
        """Whatever stands in a row, reading it is no accident."""
        await store.put_many(ROWS)
        change(
            store.file,
            "UPDATE content_items SET data = CAST(? AS TEXT) WHERE id = ?",
            document,
            ROWS[7].id,
        )
        assert len(await store.get_many(KEYS)) == len(KEYS) - 1
        assert ROWS[7].id in await store.put_many(ROWS)
        assert await store.get_many([KEYS[7]]) == {ROWS[7].id: ROWS[7]}
        assert store.damaged_rows_seen == 2

    async def test_a_row_filed_under_another_tenant_is_not_shown_to_it(self, store):
        """The document says whose it is, not the column."""
        await store.put_many(ROWS[:1])
        change(store.file, "UPDATE content_items SET tenant_id = 'other'")
        assert [record async for record in store.scan("other")] == []

    async def test_a_document_that_names_another_row_is_damaged(self, store):
        """An intact body under the wrong id is no answer, and is repaired like any damage."""
        row = record_with("Second", content_id=ROWS[0].id, tenant_id=TENANT, version=2)
        await store.put_many([row])
        change(store.file, "UPDATE content_items SET data = json_set(data, '$.id', 'other')")
        assert await store.get_many([key_of(row)]) == {}
        assert await store.put_many([row]) == {row.id}
        assert await store.get_many([key_of(row)]) == {row.id: row}

    async def test_a_cancelled_batch_leaves_the_store_usable(self, store):
        """The connection of a caller who went away serves the next one."""
        with locked(store.file) as release:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(store.put_many, ROWS)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
                release()
        assert len(await store.put_many(ROWS)) == len(ROWS)


async def _allow_pages(store: EmbeddedZeroDB, pages: int) -> None:
    """Bound the file as a full disk would; SQLite answers both with SQLITE_FULL."""
    writing = store._open_lanes().writing
    await writing.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))
