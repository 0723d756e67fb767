"""The archives under the conformance suite."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.ports.archive import Archive
from engarde_daemon.testing.archive import MemoryArchive


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[Archive]:
    """The archive in memory."""
    yield MemoryArchive()


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Archive]:
    """The archive in Parquet files."""
    async with EmbeddedArchive(folder, timeout_s=30.0, now=time.time) as archive:
        yield archive


ARCHIVES: dict[str, Callable[[Path], AbstractAsyncContextManager[Archive]]] = {
    "memory": memory,
    "embedded": embedded,
}
