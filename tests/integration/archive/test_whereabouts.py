"""Which files a search for a content has to open."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engarde_daemon.adapters.archive.whereabouts import Whereabouts


@pytest.fixture
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own."""
    with duckdb.connect() as cursor:
        yield cursor


@pytest.fixture
def folder(tmp_path: Path, cursor: duckdb.DuckDBPyConnection) -> Path:
    """A folder of three files: a, with a1 and a2; b, with b1; and one without rows."""
    put(cursor, tmp_path / "a", "a1", "a2", "a1")
    put(cursor, tmp_path / "b", "b1")
    put(cursor, tmp_path / "nothing")
    return tmp_path


def put(cursor: duckdb.DuckDBPyConnection, path: Path, *content_ids: str) -> None:
    """Write a file that holds these contents."""
    cursor.execute(
        "COPY (SELECT unnest($ids::VARCHAR[]) AS content_id) TO $file (FORMAT parquet)",
        {"ids": list(content_ids), "file": str(path)},
    )


def names(paths: list[str]) -> list[str]:
    """The files by their names."""
    return [Path(path).name for path in paths]


def search(
    cursor: duckdb.DuckDBPyConnection, known: Whereabouts, folder: Path, *content_ids: str
) -> list[str]:
    """The files that may hold one of the contents, by their names."""
    files = [str(path) for path in sorted(folder.iterdir())]
    return names(known.narrow(cursor, files, content_ids))


@pytest.mark.parametrize(
    ("asked", "files"),
    [(["a2"], ["a"]), (["b1"], ["b"]), (["a1", "b1", "x"], ["a", "b"]), (["x"], []), ([], [])],
)
def test_only_files_that_hold_a_content_are_opened(cursor, folder, asked, files):
    """The first time, when they are read, and the second, from what is kept."""
    known = Whereabouts()

    assert search(cursor, known, folder, *asked) == files
    assert search(cursor, known, folder, *asked) == files


def test_what_is_kept_is_not_read_again(cursor, folder):
    """A file that can no longer be read, but is the same by its time, is still known."""
    known, path = Whereabouts(), folder / "a"
    search(cursor, known, folder, "a1")
    stamp = path.stat().st_mtime_ns
    path.write_bytes(b"no parquet")
    os.utime(path, ns=(stamp, stamp))

    assert search(cursor, known, folder, "a1") == ["a"]


def test_a_file_put_in_place_of_another_is_read_anew(cursor, folder):
    """As when a folder comes back from a copy."""
    known, path = Whereabouts(), folder / "b"
    search(cursor, known, folder, "b1")
    put(cursor, path, "c1")
    os.utime(path, ns=(1, 1))

    assert search(cursor, known, folder, "c1") == ["b"]


@pytest.fixture
def many(tmp_path: Path, cursor: duckdb.DuckDBPyConnection) -> Path:
    """A folder of twenty files of one content each."""
    for number in range(20):
        put(cursor, tmp_path / f"{number:02d}", f"c{number}")
    return tmp_path


def test_files_beyond_the_bound_may_hold_anything(cursor, many):
    """They are opened rather than missed."""
    found = search(cursor, Whereabouts(entries_max=1), many, "c0")

    assert found[0] == "00"
    assert found[-1] == "19"
    assert len(found) < 20


def test_room_is_made_by_what_went(cursor, many):
    """Merged files make way for those that replace them."""
    known = Whereabouts(entries_max=10)
    unknown = search(cursor, known, many, "x")
    assert unknown
    for path in sorted(many.iterdir())[:15]:
        path.unlink()

    assert search(cursor, known, many, "x") == []


def test_a_file_that_went_meanwhile_is_named(cursor, folder):
    """Its reader lists the files again."""
    (folder / "b").unlink()

    with pytest.raises(FileNotFoundError):
        Whereabouts().narrow(cursor, [str(folder / "b")], ["b1"])
