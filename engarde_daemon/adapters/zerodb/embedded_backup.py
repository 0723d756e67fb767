"""A copy of the embedded ZeroDB's file while it is written to.

Owns the consistency: the copy is the file as of one moment, because one read transaction is open
from its first page to its last. Without it SQLite begins anew with every write of another process.
https://www.sqlite.org/backup.html
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from engarde_daemon.adapters.backup.folder import Advance, make_folder
from engarde_daemon.adapters.zerodb.embedded_errors import refusals_of_using
from engarde_daemon.domain.errors import Corrupt
from sql import statements

PAGES_AT_ONCE = 1024
_BUSY_S = 10.0
_SQL = statements("zerodb/embedded")


def copy_store(file: Path, target: Path, advance: Advance) -> None:
    """Copy the file into a new one, and prove the copy.

    Raises:
        Corrupt: The copy is damaged, and so is the file.
        Unavailable: The file cannot be read, or the copy not be written.
    """
    make_folder(target.parent)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        refusals_of_using(file),
        closing(_opened(file)) as source,
        closing(_opened(target)) as copy,
    ):
        _copy(source, copy, advance)
        (found,) = copy.execute(_SQL["quick_check"]).fetchone()
        # Else a copy that was looked at would have files of a write-ahead log beside it.
        copy.execute(_SQL["close_log"]).fetchall()
    if found != "ok":
        raise Corrupt(f"The embedded ZeroDB {file} is damaged ({found[:200]}): restore it first.")


def _copy(source: sqlite3.Connection, copy: sqlite3.Connection, advance: Advance) -> None:
    (page_bytes,) = source.execute(_SQL["page_bytes"]).fetchone()
    done = 0

    def told(_: int, remaining: int, total: int) -> None:
        nonlocal done
        advance((total - remaining - done) * page_bytes)
        done = total - remaining

    source.execute(_SQL["begin_reading"])
    source.execute(_SQL["last_item"]).fetchone()  # a transaction reads from its first read on
    source.backup(copy, pages=PAGES_AT_ONCE, progress=told, sleep=0)
    source.execute(_SQL["end_reading"])


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
