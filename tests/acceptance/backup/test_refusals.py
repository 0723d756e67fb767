"""What is no whole backup is never taken for one, and nothing is restored into what is in use."""

import shutil
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import psutil
import pytest

from engarde_daemon.adapters.postgres.backup import hold
from tests.acceptance.backup.conftest import engarde
from tests.support.oracle import eventually, superuser
from tests.support.running import ENGARDE, Daemon, environment


async def test_a_damaged_file_is_named_and_nothing_is_restored(kept: Path, place: Path):
    """One byte is enough."""
    file = kept / "zerodb" / "zerodb.sqlite3"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    code, told, _ = await engarde("backup", "verify", kept, cwd=place)
    assert code == 1
    assert told["faults"] == [{"path": "zerodb/zerodb.sqlite3", "kind": "changed"}]

    code, _, said = await engarde("restore", "backup", kept, "--data-dir", place / "new", cwd=place)
    assert code == 1
    assert "zerodb/zerodb.sqlite3 (changed)" in said
    assert not (place / "new").exists()


async def test_a_whole_backup_is_found_whole(kept: Path, place: Path):
    """By everything that is in it."""
    code, told, _ = await engarde("backup", "verify", kept, cwd=place)

    assert (code, told["faults"], told["has_keys"]) == (0, [], True)
    assert told["stores"] == ["archive", "postgres", "zerodb"]


def test_nobody_else_can_read_a_backup(kept: Path):
    """It holds secrets."""
    modes = {stat.S_IMODE(path.stat().st_mode) for path in kept.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in [kept, *kept.rglob("*/")]}

    assert (modes, folders) == ({0o600}, {0o700})


async def test_keys_can_be_left_out(data_dir: Path, place: Path):
    """And the backup says so."""
    told = ("--data-dir", data_dir, "--without-keys")
    code, made, _ = await engarde("backup", place / "kept", *told, cwd=place)

    assert code == 0
    assert made["left_out"] == ["the key that seals tenants' secrets, and credentials.json"]
    key = (data_dir / "secrets.key").read_bytes().strip()
    files = [path for path in (place / "kept").rglob("*") if path.is_file()]
    assert {path.name for path in files}.isdisjoint({"secrets.key", "credentials.json"})
    assert not [path for path in files if key in path.read_bytes()]


# Whoever runs the tests in the background has them, and all that they start, ignore Ctrl-C.
_HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


async def exit_code_of_interrupted(daemon: Daemon, target: Path, number: signal.Signals) -> int:
    """Begin a backup, and send it a signal as soon as there is something of it."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    backup = [ENGARDE, "backup", str(target), "--data-dir", str(daemon.data_dir)]
    command = [sys.executable, "-c", _HEARING, *backup]
    async with await anyio.open_process(command, env=environment({})) as process:

        async def begun() -> bool:
            return any(path.exists() for path in (unfinished, target))

        await eventually(begun)
        with suppress(ProcessLookupError):
            process.send_signal(number)
        return await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_an_interrupted_backup_is_none(daemon: Daemon, place: Path, number: signal.Signals):
    """And does not stand in the way of the next one."""
    unfinished, target = place / "kept.unfinished", place / "kept"
    while await exit_code_of_interrupted(daemon, target, number) == 0:
        shutil.rmtree(target)  # it was whole before the signal came

    assert not target.exists()
    assert unfinished.exists() == (number is signal.SIGKILL)
    code, _, said = await engarde("backup", "verify", unfinished, cwd=place)
    assert code == 1
    assert "no backup" in said
    assert (await engarde("backup", target, "--data-dir", daemon.data_dir, cwd=place))[0] == 0
    assert not unfinished.exists()


async def test_a_data_directory_in_use_is_left_alone(kept: Path, data_dir: Path, place: Path):
    """Nothing is mixed into it."""
    before = names_in(data_dir)

    code, _, said = await engarde("restore", "backup", kept, "--data-dir", data_dir, cwd=place)

    assert code == 1
    assert "is not empty" in said
    assert names_in(data_dir) == before


async def test_a_backup_that_travelled_without_empty_folders_and_modes_is_put_back(
    kept: Path, place: Path
):
    """Object stores keep neither."""
    as_an_object_store_does(kept)
    (place / "aside").mkdir()
    (place / "new").symlink_to("aside")

    told = ("restore", "backup", kept, "--data-dir", place / "new")
    code, restored, said = await engarde(*told, cwd=place)

    assert code == 0, said
    assert restored["data_dir"] == str(place / "aside")


def as_an_object_store_does(kept: Path) -> None:
    """Lose empty folders and modes."""
    for path in sorted(kept.rglob("*/"), reverse=True):
        path.chmod(0o755)
        with suppress(OSError):
            path.rmdir()


@pytest.fixture
def empty_mount() -> Path:
    """A place where something is mounted that is empty."""
    mounted = [Path(one.mountpoint) for one in psutil.disk_partitions(all=True)]
    empty = [path for path in mounted if path.is_dir() and not any(path.iterdir())]
    if not empty:
        pytest.skip("nothing empty is mounted here")
    return empty[0]


async def test_a_mounted_directory_is_refused_before_any_work(
    kept: Path, place: Path, empty_mount: Path
):
    """No folder can take its place, which would be found out at the very end."""
    told = ("restore", "backup", kept, "--data-dir", empty_mount)
    code, _, said = await engarde(*told, cwd=place)

    assert code == 1
    assert "name a folder in it" in said


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_a_backup_is_not_put_over_another(kept: Path, data_dir: Path, place: Path):
    """Nor into what it is of."""
    again = await engarde("backup", kept, "--data-dir", data_dir, cwd=place)
    inside = await engarde("backup", data_dir / "kept", "--data-dir", data_dir, cwd=place)

    assert again[0] == inside[0] == 1
    assert "is there already" in again[2]
    assert "lies in the data directory" in inside[2]


async def test_two_backups_at_once_are_refused(daemon: Daemon, place: Path):
    """The second one says so."""
    async with superuser(daemon) as sql:
        await hold(sql)
        told = ("--data-dir", daemon.data_dir)
        code, _, said = await engarde("backup", place / "kept", *told, cwd=place)

    assert code == 1
    assert "Another backup" in said
