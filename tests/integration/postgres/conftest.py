"""Fixtures of the PostgreSQL tests: the shared server, and directories for servers of one's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.embedded.cluster import STOP_STEPS
from engarde_daemon.adapters.postgres.embedded.evidence import read_pid_file, serves
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess
from tests.support.postgres import enterable_directory, postgres_server

__all__ = ["place", "postgres_server", "root", "used_directory"]


@pytest.fixture
async def place() -> AsyncIterator[Path]:
    """An empty directory for one test's servers; what a failed test left running is ended."""
    with enterable_directory() as directory:
        yield directory
        for pid_file in directory.rglob("postmaster.pid"):
            await _end_server(pid_file.parent)


@pytest.fixture(scope="session")
async def used_directory(anyio_backend: str) -> AsyncIterator[Path]:
    """A directory whose server has run before, so that starting it again takes no initdb."""
    with enterable_directory(in_memory=True) as directory:
        async with EmbeddedPostgres(directory / "pg", ephemeral=True):
            pass
        yield directory / "pg"


@pytest.fixture
async def root(used_directory: Path) -> AsyncIterator[Path]:
    """The root of a stopped instance that already has data."""
    yield used_directory
    await _end_server(used_directory / "data")


async def _end_server(data: Path) -> None:
    said = read_pid_file(data)
    if said is not None and serves(said.pid, data):
        await WatchedProcess(said.pid).stop(*STOP_STEPS)
