"""What a reader must know about the machine to judge the figures, and nothing that names it."""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

_FLUSHES = 100
_PAGE_BYTES = 8192


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine of a run, as it was just before the run began."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    file_system: str
    flush_ms: float
    busy_cores: float


def describe_machine() -> Machine:
    """Look at this machine; takes about a second."""
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gb=round(psutil.virtual_memory().total / 1024**3, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        file_system=_file_system(Path(tempfile.gettempdir()).resolve()),
        flush_ms=round(_flush_ms(), 3),
        busy_cores=round(psutil.cpu_percent(interval=1.0) / 100 * (os.cpu_count() or 1), 2),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _file_system(path: Path) -> str:
    mounts = psutil.disk_partitions(all=True)
    holding = [mount for mount in mounts if path.is_relative_to(mount.mountpoint)]
    nearest = max(holding, key=lambda mount: len(mount.mountpoint), default=None)
    return nearest.fstype if nearest else "unknown"


def _flush_ms() -> float:
    """The median time of one small durable write: what each commit waits for."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_FLUSHES):
            started = time.perf_counter()
            os.pwrite(file.fileno(), bytes(_PAGE_BYTES), 0)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
