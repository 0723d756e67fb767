"""The PostgreSQL that a test run shares, and databases of one's own on it.

A test module or conftest takes the fixture with `from tests.support.postgres import postgres_server`.
"""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.patience import PATIENCE_S

_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a name of its own there


@contextlib.contextmanager
def enterable_directory(*, in_memory: bool = False) -> Iterator[Path]:
    """A directory that every user can enter: pytest's own are closed to root's server user."""
    parent = _MEMORY if in_memory and _has_room(_MEMORY) else None
    directory = Path(tempfile.mkdtemp(prefix="engarde-test-", dir=parent)).resolve()
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def _has_room(directory: Path) -> bool:
    """Whether an ephemeral server fits, whose WAL may grow to 4 GB; a container's often has 64 MB."""
    return directory.exists() and shutil.disk_usage(directory).free > 8 * 1024**3


@pytest.fixture(scope="session")
async def postgres_server(anyio_backend: str) -> AsyncIterator[EmbeddedPostgres]:
    """One ephemeral server for the whole run; it ends with the run, even when that is killed."""
    with enterable_directory(in_memory=True) as directory:
        async with EmbeddedPostgres(directory / "postgres", ephemeral=True) as server:
            yield server


@contextlib.asynccontextmanager
async def fresh_database(
    server: EmbeddedPostgres, template: str | None = None
) -> AsyncIterator[str]:
    """Create a database, as a copy of `template` if given, and drop it at the end.

    Yields its name, for `server.dsn(database=name)`. Nobody may be connected to the template.
    """
    name = f"test_{uuid.uuid4().hex}"
    source = template or "template1"
    # file_copy takes about 14 ms, a seventh of the default strategy wal_log
    await _administer(server, f'create database "{name}" template "{source}" strategy file_copy')
    try:
        yield name
    finally:
        await _administer(server, f'drop database "{name}" with (force)')


async def _administer(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=PATIENCE_S)
