"""Several daemons begin at once on one data directory, and each finds whole files in it."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engarde_daemon.adapters.private_files import create_private, replace_private

WRITERS = 8


def test_of_several_that_create_a_file_the_first_one_wins(tmp_path: Path):
    """Each goes on with the same content afterwards, and it never changes again."""
    file = tmp_path / "data" / "secrets.key"
    together = threading.Barrier(WRITERS)

    def create_and_read(number: int) -> bytes:
        together.wait()
        create_private(file, b"%d\n" % number)
        return file.read_bytes()

    with ThreadPoolExecutor(WRITERS) as writers:
        found = set(writers.map(create_and_read, range(WRITERS)))

    assert found == {file.read_bytes()}
    assert list(file.parent.iterdir()) == [file]


def test_of_several_that_replace_a_file_each_writes_it_whole(tmp_path: Path):
    """None of them stumbles over another's unfinished one."""
    file = tmp_path / "credentials.json"
    together = threading.Barrier(WRITERS)

    def replace(number: int) -> None:
        together.wait()
        replace_private(file, b"%d" % number * 1000)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(replace, range(WRITERS)))

    assert file.read_bytes() in {b"%d" % number * 1000 for number in range(WRITERS)}
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("write", [create_private, replace_private])
def test_it_is_its_owners_alone(tmp_path: Path, write):
    """Whatever the mask of the process."""
    write(tmp_path / "secret", b"content")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path):
    """Not under any name."""
    (tmp_path / "taken").mkdir()

    with pytest.raises(IsADirectoryError):
        replace_private(tmp_path / "taken", b"content")

    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]
