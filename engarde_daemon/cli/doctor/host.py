"""What can be checked without a database: the data directory and the embedded ZeroDB."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread

from engarde_daemon.adapters.zerodb.embedded import FILE_NAME
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.config import Settings
from sql import statements

_SQL = statements("doctor")
_GB = 1024**3
_MB = 1024**2
_FREE_BYTES_MIN = 200 * _MB
_FILE_CHECK_LIMIT_S = 30.0
_STEPS_BETWEEN_LOOKS = 100_000


async def check_data_directory(settings: Settings) -> Finding:
    """Whether the daemon can write there, and whether there is room."""
    name, path = "data directory", settings.storage.path
    ground = ground_of(path)
    if not ground.is_dir() or not os.access(ground, os.W_OK | os.X_OK):
        return Finding(
            name,
            State.FAULT,
            f"{ground} cannot be written to",
            "Let the daemon's user write there, or choose another [storage] data_dir.",
        )
    free = shutil.disk_usage(ground).free
    seen = f"{path} with {free / _GB:.1f} GB free"
    if free < _FREE_BYTES_MIN:
        return Finding(name, State.FAULT, seen, "Free space: PostgreSQL stops on a full disk.")
    piles_up_here = settings.postgres.dsn == "embedded"
    if piles_up_here and free < settings.delivery.staging_limit_bytes:
        return Finding(
            name,
            State.WARNING,
            seen,
            "Free space or lower [delivery] staging_limit_bytes: so many bytes may pile up here "
            "while ZeroDB is away.",
        )
    return Finding(name, State.OK, seen)


def ground_of(path: Path) -> Path:
    """The path, or the nearest one above it that can be seen to be there.

    `Path.exists` raises where a folder above is closed to us (Python 3.11).
    """
    return next(place for place in (path, *path.parents) if os.path.exists(place))  # noqa: PTH110


async def check_zerodb_file(name: str, folder: Path) -> Finding:
    """Whether the file of an embedded ZeroDB is sound."""
    file = folder / FILE_NAME
    if not os.path.exists(file):  # noqa: PTH110, ASYNC240 - see `ground_of`
        return Finding(name, State.OK, "embedded, not made yet")
    try:
        faults = await to_thread.run_sync(_faults_of, file, limiter=CapacityLimiter(1))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            return _damaged(name, file, str(error))
        seen = f"{file} is too large to be checked within {_FILE_CHECK_LIMIT_S:g} s"
        return Finding(
            name, State.WARNING, seen, "Check it with `sqlite3 FILE 'pragma quick_check'`."
        )
    except sqlite3.DatabaseError as error:
        return _damaged(name, file, str(error))
    if faults != "ok":
        return _damaged(name, file, faults)
    return Finding(name, State.OK, f"embedded, {file.stat().st_size / _MB:.1f} MB, sound")


def _faults_of(file: Path) -> str:
    address = f"file:{quote(str(file))}?mode=ro"
    end = time.monotonic() + _FILE_CHECK_LIMIT_S
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
        return str(connection.execute(_SQL["sqlite_faults"]).fetchone()[0])


def _damaged(name: str, file: Path, seen: str) -> Finding:
    return Finding(
        name,
        State.FAULT,
        f"{file}: {seen[:200]}",
        "Stop the daemon and put back the newest sound copy of the file.",
    )
