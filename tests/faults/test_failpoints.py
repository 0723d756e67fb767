"""Killed at each of its failpoints and started again, the daemon keeps all its promises."""

import random
from collections.abc import AsyncIterator

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.failpoints import catalogue
from tests.faults.conftest import LONG
from tests.faults.killing import CASES
from tests.faults.killing.site import Plot, Site, faulty_site
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

ROUNDS = 5 if LONG else 1


@pytest.fixture(scope="module")
async def site(postgres_server: EmbeddedPostgres) -> AsyncIterator[Site]:
    """One for all cases; each kills the daemon and starts it again."""
    async with faulty_site(postgres_server) as site:
        yield site


def test_every_failpoint_has_a_case():
    """A place at which nobody dies is not worth its name."""
    assert list(CASES) == [point.name for point in catalogue()]


@pytest.mark.timeout(600 if LONG else 60)
@pytest.mark.parametrize("point", CASES)
async def test_killed_there_the_daemon_keeps_its_promises(point: str, site: Site, told_seed: str):
    """At a pass that the seed says, under load; the next life makes everything whole."""
    for round_ in range(ROUNDS):
        chance = random.Random(f"{told_seed}/{point}/{round_}")
        await CASES[point](site, Plot(point, chance))
