"""Data directories and daemons to be harmed, and the seed from which the harm follows."""

import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engarde_daemon.domain.plans import GB
from tests.support.hosting import HostDaemon
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon, cleared_away_after

LONG = "ENGARDE_FAULTS_LONG" in os.environ
TINY_BYTES = 37 * 1024
TINY_PLAN = {
    "ENGARDE_PLANS__TINY__STORAGE_GB": repr(TINY_BYTES / GB),
    "ENGARDE_PLANS__TINY__RETENTION_DAYS": "30",
    "ENGARDE_PLANS__TINY__MONTHLY_ITEMS": "100",
}
# What a dead daemon had claimed, waits for its lease to run out: by default 12 s.
SETTINGS = {"ENGARDE_DELIVERY__LEASE_S": "3", "ENGARDE_REPLICATION__LEASE_S": "3"}


@pytest.fixture(scope="session")
def seed() -> str:
    """What every random choice of a run follows from; a failing run is repeated with its seed."""
    return os.environ.get("ENGARDE_FAULTS_SEED") or secrets.token_hex(4)


@pytest.fixture
def told_seed(seed: str) -> str:
    """The seed, printed for whoever has to repeat a failure."""
    print(f"\nENGARDE_FAULTS_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    return seed


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that the user of the embedded PostgreSQL can enter."""
    with enterable_directory(in_memory=True) as directory:
        yield directory


@pytest.fixture(scope="session")
async def used_data_dir(anyio_backend: str) -> AsyncIterator[Path]:
    """The data directory of a daemon that ran once, to be copied."""
    with enterable_directory(in_memory=True) as directory:
        async with cleared_away_after(Daemon(directory / "data")) as daemon:
            await daemon.start()
            assert await daemon.stop() == 0
        yield directory / "data"


@pytest.fixture
def data_dir(used_data_dir: Path, place: Path) -> Path:
    """A data directory of one's own, which has its first start behind it."""
    # Not shutil.copytree: it would give the server's files to whoever runs the tests.
    subprocess.run(["cp", "-a", used_data_dir, place / "data"], check=True, timeout=60)
    return place / "data"


@pytest.fixture
async def lone_daemon(data_dir: Path) -> AsyncIterator[Daemon]:
    """A daemon that serves, on a data directory of its own."""
    async with cleared_away_after(Daemon(data_dir, environ=SETTINGS)) as daemon:
        await daemon.start()
        yield daemon


@pytest.fixture(scope="session")
async def host(anyio_backend: str) -> AsyncIterator[HostDaemon]:
    """One daemon for all tests to which it is enough to be its guests, whatever they do to it."""
    with enterable_directory(in_memory=True) as directory:
        environ = {**SETTINGS, **TINY_PLAN}
        async with cleared_away_after(HostDaemon(directory / "data", environ=environ)) as host:
            await host.start()
            yield host


@pytest.fixture
async def daemon(host: HostDaemon) -> HostDaemon:
    """A daemon that serves, with a tenant of one's own."""
    await host.receive_guest()
    return host
