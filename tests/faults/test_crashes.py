"""Nothing that was acknowledged is lost, however the daemon or its PostgreSQL dies."""

import os
import random
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.config import Settings
from engarde_daemon.ports.ledger import Entry, Verdict
from tests.faults.conftest import LONG
from tests.support.crowd import Crowd
from tests.support.oracle import Oracle
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon

KILLS = 20 if LONG else 2
STOPS = 5 if LONG else 2
BETWEEN_MOST = 200 if LONG else 100
"""How many writes are acknowledged between two of them, at most."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory on a real disk: while it syncs is when a crash hurts most."""
    with enterable_directory() as directory:
        yield directory


@pytest.fixture
def daemon(lone_daemon: Daemon) -> Daemon:
    """A daemon on that disk."""
    return lone_daemon


@asynccontextmanager
async def under_load(daemon: Daemon, seed: str) -> AsyncIterator[Crowd]:
    """Let a crowd write for the length of a block."""
    crowd = Crowd(daemon, seed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.work)
        yield crowd
        crowd.stop()


@pytest.mark.timeout(600 if LONG else 300)
async def test_killed_under_load_the_daemon_keeps_every_acknowledged_write(
    daemon: Daemon, told_seed: str
):
    """Each life begins on what the last one left, with a PostgreSQL that never noticed."""
    chance = random.Random(told_seed)
    postmaster = daemon.postmaster

    async with under_load(daemon, told_seed) as crowd:
        for _ in range(KILLS):
            await crowd.acknowledges(chance.randint(1, BETWEEN_MOST))
            await promise_room(daemon)
            await daemon.kill()
            await daemon.start()
        await crowd.acknowledges(50)

    assert daemon.postmaster == postmaster, "the orphaned PostgreSQL was not adopted"
    await Oracle(daemon).agrees_with(crowd.witness)
    print(f"{KILLS} kills: {dict(crowd.statuses)}")  # noqa: T201 - a figure to look at


@pytest.mark.timeout(600 if LONG else 300)
async def test_when_postgres_dies_requests_are_refused_until_it_is_back(
    daemon: Daemon, told_seed: str
):
    """SIGQUIT is PostgreSQL's immediate shutdown: no client is told goodbye, no page is written."""
    chance = random.Random(told_seed)
    pid = daemon.pid

    async with under_load(daemon, told_seed) as crowd:
        for _ in range(STOPS):
            await crowd.acknowledges(chance.randint(1, BETWEEN_MOST))
            await promise_room(daemon)
            stop_at_once(daemon)
            await crowd.acknowledges(50)

    assert daemon.pid == pid
    assert daemon.alive, "the daemon had to be started again"
    assert crowd.statuses["503"] > 0
    assert set(crowd.statuses) <= {"200", "201", "404", "503"}, crowd.statuses
    await Oracle(daemon).agrees_with(crowd.witness)
    print(f"{STOPS} stops: {dict(crowd.statuses)}")  # noqa: T201 - a figure to look at


async def promise_room(daemon: Daemon) -> None:
    """Make a promise that nobody will live to settle."""
    entry = Entry(
        verb="reserve",
        id=str(uuid.uuid4()),
        tenant_id=daemon.credentials.tenant_id,
        resource="storage",
        amount=1000,
        ttl_s=0.5,
    )
    async with asyncpg.create_pool(daemon.dsn, min_size=1, max_size=1) as pool:
        plans = Settings().catalogue()
        assert await PostgresLedgerBook(pool, plans).apply([entry]) == [Verdict.OK]


def stop_at_once(daemon: Daemon) -> None:
    """End the embedded PostgreSQL as a crash does."""
    os.kill(daemon.postmaster, signal.SIGQUIT)
