"""Processors apart for servers that stand for somebody else's machine.

A hosted ZeroDB and BigQuery take no processor from the daemon, nor does it from them. So where the
question is whether the daemon keeps up with such a server, its stand-in gets half of the processors
alone, and whoever is compared, the daemon with its PostgreSQL as well as the bare client, the others.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_OUR_THREADS = Path("/proc/self/task")


@contextmanager
def processors_apart() -> Iterator[Callable[[], None]]:
    """Put what is started on half of the processors, and from the call of what this gives on the others.

    On one processor, and where the system cannot tell processes apart so, all of them are shared.
    """
    cores = _cores()
    half = len(cores) // 2
    if not half:
        yield lambda: None
        return
    _move_to(cores[half:])
    try:
        yield lambda: _move_to(cores[:half])
    finally:
        _move_to(cores)


def _cores() -> Sequence[int]:
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else ()


def _move_to(cores: Sequence[int]) -> None:
    """Move all of this process's threads; what they start inherits it."""
    if sys.platform == "linux":
        for thread in _OUR_THREADS.iterdir():
            os.sched_setaffinity(int(thread.name), cores)
