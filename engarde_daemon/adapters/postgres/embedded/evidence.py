"""What tells whether a server runs: its lock, its `postmaster.pid`, its command line, its logs.

Invariant: `server.lock` alone decides. Every process of the server inherits the descriptor, so the
lock is free exactly when none of them lives, also across containers on one kernel (flock(2)).
A pid found in a file may long mean another process; it is believed only together with its command.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from engarde_daemon.adapters.postgres.embedded.process import exists

_STATUS_LINE = 7  # miscadmin.h, LOCK_FILE_LINE_PM_STATUS
_SOCKET_LINE = 4  # miscadmin.h, LOCK_FILE_LINE_SOCKET_DIR
_TAIL_BYTES = 1500


class PidFile(msgspec.Struct, frozen=True):
    """What a server says about itself in `postmaster.pid`."""

    pid: int
    socket_directory: Path
    ready: bool


def try_lock(path: Path) -> int | None:
    """Lock the file and return its descriptor, or None while somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def read_pid_file(data: Path) -> PidFile | None:
    """Read `postmaster.pid`, or None if there is none or the server has not yet filled it."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        return PidFile(
            pid=int(lines[0]),
            socket_directory=Path(lines[_SOCKET_LINE]),
            ready=lines[_STATUS_LINE].strip() == "ready",
        )
    except (FileNotFoundError, ValueError, IndexError):
        return None


def serves(pid: int, data: Path) -> bool:
    """Whether this process is a server of this data directory: not a zombie, not a reused pid."""
    processes = Path("/proc")
    if not (processes / "self").exists():  # macOS: a reused pid cannot be told apart
        return exists(pid)
    try:
        words = (processes / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(data) in words


def forget_dead_server(data: Path, socket_directory: Path) -> None:
    """Remove what a killed server left; only for the holder of the server's lock.

    Otherwise a reused pid in one of these files makes PostgreSQL refuse to start.
    """
    (data / "postmaster.pid").unlink(missing_ok=True)
    for path in socket_directory.glob(".s.PGSQL.*"):
        path.unlink(missing_ok=True)


def last_words(startup_log: Path, data: Path) -> str:
    """The end of what the server printed and logged, to be quoted when it cannot start."""
    logs = [startup_log]
    try:
        # "stderr log/postgresql-Mon.log"; only the name counts, so that it cannot lead elsewhere
        current = (data / "current_logfiles").read_text(encoding="utf-8", errors="replace")
        logs.append(data / "log" / Path(current.split()[1]).name)
    except (FileNotFoundError, IndexError):
        pass
    return "\n".join(filter(None, map(_tail, logs)))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
