"""The manifest of a backup: every file with its SHA-256, under a seal of its own.

Owns what makes a folder a backup. The manifest is written last and names everything; a folder
without one, or with one that was changed, is none. A path in it never leads out of the folder.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from engarde_daemon.adapters.backup.folder import Advance, chunks_of, walk, write_file
from engarde_daemon.domain.errors import Rejected

FORMAT = 1
FILE_NAME = "manifest.json"


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    path: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is in a backup."""

    format: int
    engarde: str
    holds_until: datetime
    """Every write that was acknowledged before this moment is in it."""
    stores: tuple[str, ...]
    left_out: tuple[str, ...]
    has_keys: bool
    folders: tuple[str, ...]
    files: tuple[FileEntry, ...]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files)


class Fault(msgspec.Struct, frozen=True):
    """A file that is not as the manifest says."""

    path: str
    kind: Literal["missing", "changed", "not in the manifest"]


class _Sealed(msgspec.Struct, frozen=True):
    sha256: str
    manifest: msgspec.Raw


def list_files(folder: Path, advance: Advance) -> Iterator[FileEntry]:
    """Read every file below a folder, and describe it."""
    for path in walk(folder)[1]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks_of(folder / path):
            digest.update(chunk)
            size += len(chunk)
            advance(len(chunk))
        yield FileEntry(path=path, bytes=size, sha256=digest.hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make a backup of a folder by describing it."""
    told = msgspec.json.encode(manifest)
    sealed = _Sealed(hashlib.sha256(told).hexdigest(), msgspec.Raw(told))
    write_file(folder / FILE_NAME, msgspec.json.encode(sealed) + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """What a folder says that it holds.

    Raises:
        Rejected: It is no backup, was changed, or is of a newer daemon.
    """
    file = folder / FILE_NAME
    try:
        sealed = msgspec.json.decode(file.read_bytes(), type=_Sealed)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise Rejected(f"{file} was changed: its contents do not match its seal.")
        manifest = msgspec.json.decode(sealed.manifest, type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise Rejected(f"{folder} is no backup, or an unfinished one: {file} is missing.") from None
    except msgspec.MsgspecError as error:
        raise Rejected(f"{file} is damaged ({error}).") from None
    if manifest.format > FORMAT:
        raise Rejected(f"{folder} was made by a newer daemon ({manifest.engarde}): use that one.")
    if not all(map(_stays_inside, [*manifest.folders, *(one.path for one in manifest.files)])):
        raise Rejected(f"{file} names a path outside of the backup.")
    return manifest


def faults_of(folder: Path, manifest: Manifest, advance: Advance) -> list[Fault]:
    """What is wrong with the files of a backup; each of them is read."""
    found = {entry.path: entry for entry in list_files(folder, advance)}
    found.pop(FILE_NAME, None)
    meant = {entry.path: entry for entry in manifest.files}
    faults = [Fault(path, "missing") for path in meant if path not in found]
    faults += [Fault(path, "not in the manifest") for path in found if path not in meant]
    faults += [Fault(p, "changed") for p, one in meant.items() if found.get(p, one) != one]
    return sorted(faults, key=lambda fault: fault.path)


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts
