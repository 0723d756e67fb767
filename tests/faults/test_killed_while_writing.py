"""Killed at each place on the way of a write into the three stores, nothing is lost or doubled."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.faults.conftest import LONG
from tests.support.crowd import Crowd
from tests.support.faulty import FaultyDaemon, faulty_daemon
from tests.support.oracle import Oracle
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

DEATHS = 10 if LONG else 1
POINTS = (
    "ingest.before_commit",
    "ingest.after_commit",
    "delivery.after_claim",
    "delivery.between_collections",
    "delivery.after_put",
    "replicator.after_freeze",
    "replicator.after_append",
)


@pytest.fixture(scope="module")
async def daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[FaultyDaemon]:
    """One for all cases; each kills it and starts it again."""
    async with faulty_daemon(postgres_server) as daemon:
        yield daemon


@asynccontextmanager
async def under_load(crowd: Crowd) -> AsyncIterator[None]:
    """Let a crowd write for the length of a block."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.work)
        yield
        crowd.stop()


@pytest.mark.timeout(600 if LONG else 60)
@pytest.mark.parametrize("point", POINTS)
async def test_killed_there_the_daemon_keeps_what_it_acknowledged(
    point: str, daemon: FaultyDaemon, told_seed: str
):
    """Under load, at a pass that the seed says; the next life makes everything whole."""
    chance = random.Random(f"{told_seed}/{point}")
    await daemon.receive_guest()
    crowd = Crowd(daemon, f"{told_seed} {point}")

    async with under_load(crowd):
        for _ in range(DEATHS):
            await crowd.acknowledges(chance.randint(1, 50))
            daemon.will_die_at(point, at_pass=chance.randint(1, 3))
            await daemon.dies()
            await daemon.start()
        await crowd.acknowledges(20)

    await Oracle(daemon).holds(crowd.witness)
