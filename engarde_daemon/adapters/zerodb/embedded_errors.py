"""What the embedded ZeroDB says when SQLite fails.

Owns the rule that no error of the driver leaves the adapter: each becomes one sentence that names
the file and what an operator can do. SQLite's codes: https://www.sqlite.org/rescode.html
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engarde_daemon.domain.errors import Corrupt, Unavailable

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "is locked by another process: stop whatever else writes to it",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: let the daemon's user write to [storage] data_dir",
    sqlite3.SQLITE_CORRUPT: "is damaged: move it away, start again and restore from the archive",
    sqlite3.SQLITE_FULL: "has no room to grow: free space on the disk of [storage] data_dir",
    sqlite3.SQLITE_IOERR: "met a disk error: check the disk of [storage] data_dir",
    sqlite3.SQLITE_NOTADB: "is no SQLite file: move it away, start again and restore from the archive",
    sqlite3.SQLITE_READONLY: "is read-only: let the daemon's user write to [storage] data_dir",
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def refusals_of_opening(file: Path) -> Iterator[None]:
    """Translate what SQLite and the file system say while a file is opened.

    Raises:
        Corrupt: The file is damaged, or no such file at all.
        Unavailable: The file cannot be opened for another reason.
    """
    try:
        yield
    except sqlite3.Error as error:
        refused = Corrupt if _code_of(error) in _DAMAGED else Unavailable
        raise refused(_sentence(file, error)) from error
    except OSError as error:
        raise Unavailable(
            f"The folder {file.parent} cannot be used ({error.strerror}): "
            "let the daemon's user write to [storage] data_dir."
        ) from error


@contextmanager
def refusals_of_using(file: Path) -> Iterator[None]:
    """Translate what SQLite says while an open file is used.

    Damage found now is an outage like any other: the archive serves while the file is restored.

    Raises:
        Unavailable: The file does not answer.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(_sentence(file, error)) from error


def _sentence(file: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    remedy = _REMEDIES.get(_code_of(error), "did not take a statement: `prepare` it first")
    return f"The embedded ZeroDB {file} {remedy} ({name})."


def _code_of(error: sqlite3.Error) -> int:
    """The primary code: the driver gives the extended one, whose low byte it is."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
