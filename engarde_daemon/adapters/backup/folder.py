"""Folders of files that only their owner reads.

Owns the modes: 0700 for folders, 0600 for files, from the moment at which each is made. Nothing is
followed that is a symbolic link, for what is copied here holds secrets.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024

Advance = Callable[[int], object]
"""Told how many bytes more are done."""


def make_folder(folder: Path) -> None:
    """Make a folder that nobody else can enter, and those above it that are missing."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700)


def copy_file(source: Path, target: Path, advance: Advance) -> None:
    """Copy a file's bytes into a new one.

    Raises:
        OSError: It cannot be read or written, is a symbolic link, or the new one is there already.
    """
    make_folder(target.parent)
    with _reading(source) as read, _writing(target) as write:
        while chunk := read.read(CHUNK_BYTES):
            write.write(chunk)
            advance(len(chunk))


def write_file(file: Path, content: bytes) -> None:
    """Write a new file."""
    with _writing(file) as out:
        out.write(content)


def chunks_of(file: Path) -> Iterator[bytes]:
    """The bytes of a file, which is no symbolic link."""
    with _reading(file) as read:
        while chunk := read.read(CHUNK_BYTES):
            yield chunk


def walk(root: Path) -> tuple[list[str], list[str]]:
    """The folders and the files below a folder, by their paths from there, in order."""
    folders: list[str] = []
    files: list[str] = []
    for place, inner, names in os.walk(root):
        here = Path(place).relative_to(root)
        folders += [(here / name).as_posix() for name in inner]
        files += [(here / name).as_posix() for name in names]
    return sorted(folders), sorted(files)


def size_of(folder: Path) -> int:
    """The bytes below a folder, about: files may come and go meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(place, name).lstat().st_size
            except FileNotFoundError:
                continue
    return size


def make_durable(root: Path) -> None:
    """Bring everything below a folder to the disk, and the folder itself."""
    folders, files = walk(root)
    for path in [*files, *folders, "."]:
        handle = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def rename_durably(source: Path, target: Path) -> None:
    """Give a folder its name in the instant in which it is whole; fsync(2) makes that last."""
    source.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(folder: Path) -> None:
    """Remove a folder and everything in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


def _reading(file: Path) -> FileIO:
    return FileIO(os.open(file, os.O_RDONLY | os.O_NOFOLLOW))


def _writing(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
