"""A manifest that was changed, or that leads elsewhere, makes no backup."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from engarde_daemon.adapters.backup.folder import copy_file, write_file
from engarde_daemon.adapters.backup.manifest import (
    FILE_NAME,
    FORMAT,
    Fault,
    FileEntry,
    Manifest,
    faults_of,
    list_files,
    read_manifest,
    write_manifest,
)
from engarde_daemon.domain.errors import Rejected


def ignored(_: int) -> None:
    """Nobody watches."""


def manifest_of(folder: Path, **other: object) -> Manifest:
    """What describes a folder."""
    plain = Manifest(
        format=FORMAT,
        engarde="0.1.0",
        holds_until=datetime(2026, 1, 1, tzinfo=UTC),
        stores=(),
        left_out=(),
        has_keys=False,
        folders=(),
        files=tuple(list_files(folder, ignored)),
    )
    return msgspec.structs.replace(plain, **other)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A backup of two files."""
    for name in ("one", "two"):
        write_file(tmp_path / name, name.encode())
    write_manifest(tmp_path, manifest_of(tmp_path))
    return tmp_path


def test_a_whole_backup_has_no_faults(kept: Path):
    """The manifest itself is none."""
    assert faults_of(kept, read_manifest(kept), ignored) == []


def test_each_fault_is_named(kept: Path):
    """Whatever kind it is of."""
    (kept / "one").write_bytes(b"ONE")
    (kept / "two").unlink()
    write_file(kept / "three", b"three")

    assert faults_of(kept, read_manifest(kept), ignored) == [
        Fault("one", "changed"),
        Fault("three", "not in the manifest"),
        Fault("two", "missing"),
    ]


@pytest.mark.parametrize("place", [0, 40, 200, -3])
def test_a_manifest_of_which_a_byte_was_changed_is_refused(kept: Path, place: int):
    """Wherever it lies."""
    content = bytearray((kept / FILE_NAME).read_bytes())
    content[place] ^= 1
    (kept / FILE_NAME).write_bytes(content)

    with pytest.raises(Rejected, match=r"changed|damaged"):
        read_manifest(kept)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path):
    """Nor is a file."""
    write_file(tmp_path / "file", b"")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(Rejected, match="no backup"):
            read_manifest(place)


def test_a_backup_of_a_newer_daemon_is_refused(tmp_path: Path):
    """It may mean something else by the same words."""
    write_manifest(tmp_path, manifest_of(tmp_path, format=FORMAT + 1))

    with pytest.raises(Rejected, match="newer daemon"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "", "."])
@pytest.mark.parametrize("kind", ["folders", "files"])
def test_a_path_that_leads_out_of_the_backup_is_refused(tmp_path: Path, path: str, kind: str):
    """However its seal fits."""
    entry = FileEntry(path=path, bytes=0, sha256=hashlib.sha256().hexdigest())
    write_manifest(tmp_path, manifest_of(tmp_path, **{kind: (entry if kind == "files" else path,)}))

    with pytest.raises(Rejected, match="outside"):
        read_manifest(tmp_path)


def test_a_symbolic_link_is_not_followed(tmp_path: Path):
    """It could lead to a secret of somebody else."""
    (tmp_path / "link").symlink_to(os.devnull)

    with pytest.raises(OSError, match=r"[Ss]ymbolic link|Too many levels"):
        copy_file(tmp_path / "link", tmp_path / "copy", ignored)
