"""What the processes of one system cost: CPU time and memory, split by who spends it.

A system is one process and everything below it. PostgreSQL is counted apart, because all three
systems pay for one; so is any other process, such as the naive reference's document store.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable

import msgspec
import psutil

_MB = 1024 * 1024


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of CPU time since the processes began."""

    own_s: float
    postgres_s: float
    other_s: float

    def __sub__(self, earlier: "Cpu") -> "Cpu":
        return Cpu(
            own_s=self.own_s - earlier.own_s,
            postgres_s=self.postgres_s - earlier.postgres_s,
            other_s=self.other_s - earlier.other_s,
        )

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.own_s + self.postgres_s + self.other_s


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory in use now: resident size of the own process, shares of shared memory for others."""

    own_mb: float
    postgres_mb: float
    other_mb: float


def family(root: psutil.Process) -> list[psutil.Process]:
    """A process and all below it; nothing when it has ended."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_of(root: psutil.Process) -> Cpu:
    """CPU time of a family, children that have ended and were waited for included."""
    spent = _by_kind(root, _spent_s)
    return Cpu(own_s=spent["own"], postgres_s=spent["postgres"], other_s=spent["other"])


def memory_of(root: psutil.Process) -> Memory:
    """Memory of a family; PostgreSQL's processes share most of theirs, so it is split among them.

    Raises:
        NoSuchProcess: The process itself has ended.
    """
    shares = _by_kind(root, _share_mb)
    return Memory(
        own_mb=root.memory_info().rss / _MB,
        postgres_mb=shares["postgres"],
        other_mb=shares["other"],
    )


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def _share_mb(process: psutil.Process) -> float:
    full = process.memory_full_info()
    return float(getattr(full, "pss", full.uss)) / _MB  # pss exists on Linux alone


def _by_kind(root: psutil.Process, figure: Callable[[psutil.Process], float]) -> dict[str, float]:
    sums = defaultdict[str, float](float)
    for process in family(root):
        with contextlib.suppress(psutil.NoSuchProcess):  # a backend may end at any time
            sums[_kind(process, root)] += figure(process)
    return sums


def _kind(process: psutil.Process, root: psutil.Process) -> str:
    if process == root:
        return "own"
    return "postgres" if process.name().startswith("postgres") else "other"
