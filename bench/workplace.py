"""Where a run keeps its files, and the promise that nothing of it stays behind."""

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

_END_LIMIT_S = 10.0


class Workplace(msgspec.Struct, frozen=True, kw_only=True):
    """A directory for every file of the run, and what must be ended before it goes."""

    path: Path
    running: contextlib.ExitStack


@contextlib.contextmanager
def workplace() -> Iterator[Workplace]:
    """Open a workplace; neither files nor processes that work in it survive the block."""
    signal.signal(signal.SIGTERM, _exit_on_signal)
    with tempfile.TemporaryDirectory(prefix="engarde-bench-") as name:
        path = Path(name).resolve()
        path.chmod(0o711)  # PostgreSQL runs as another user when the bench runs as root
        running = contextlib.ExitStack()
        try:
            yield Workplace(path=path, running=running)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient Ctrl-C would leave servers
            running.close()
            _end_leftovers(path)


def _exit_on_signal(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _end_leftovers(path: Path) -> None:
    """End processes that lost their parent, such as the PostgreSQL of a daemon that crashed."""
    left = [
        process
        for process in psutil.process_iter()
        if any(str(path) in argument for argument in _arguments(process))
    ]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_END_LIMIT_S)


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
