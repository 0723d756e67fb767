"""Harmed at any of its failpoints, the daemon keeps all its promises."""

import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.failpoints import catalogue
from engarde_daemon.testing.faulty.fuses import Fault, Fuse, Harm
from tests.faults.conftest import LONG
from tests.faults.killing import CASES
from tests.faults.killing.carrying import CLIENTS, under_load
from tests.faults.killing.site import Plot, Site, faulty_site
from tests.support.crowd import Crowd
from tests.support.faulty import FaultyDaemon
from tests.support.oracle import Oracle, eventually, superuser
from tests.support.postgres import postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

# A death and a start each: three seconds on a machine of one's own.
pytestmark = pytest.mark.timeout(600 if LONG else 300)

ROUNDS = 5 if LONG else 1
FAULTS = {
    # Whoever writes is told that nothing is known, and may ask again.
    "ingest.before_commit": Fault.UNAVAILABLE,
    "ingest.after_commit": Fault.UNAVAILABLE,
    # What works in the background crashes, and is started again.
    "delivery.after_claim": Fault.MISTAKE,
    "delivery.between_collections": Fault.MISTAKE,
    "delivery.after_put": Fault.MISTAKE,
    "replicator.after_freeze": Fault.MISTAKE,
    "replicator.after_append": Fault.MISTAKE,
    "replicator.after_finish": Fault.MISTAKE,
}
SLOW = {"recovery.before_page"}
"""Those that wait for several pages of a restore: for the long form."""
BEDS = ("delivery.after_put", "replicator.after_append")
"""Where a daemon sleeps with work of others in its hands."""
_OWED = "select exists (select from engarde.outbox)"


@pytest.fixture(scope="module")
async def site(postgres_server: EmbeddedPostgres) -> AsyncIterator[Site]:
    """One for all cases; each kills the daemon and starts it again."""
    async with faulty_site(postgres_server) as site:
        yield site


def test_every_failpoint_has_a_case():
    """A place at which nobody dies is not worth its name."""
    assert list(CASES) == [point.name for point in catalogue()]


@pytest.mark.parametrize("point", [one for one in CASES if LONG or one not in SLOW])
async def test_killed_there_the_daemon_keeps_its_promises(point: str, site: Site, told_seed: str):
    """At a pass that the seed says, under load; the next life makes everything whole."""
    for round_ in range(ROUNDS):
        chance = random.Random(f"{told_seed}/{point}/{round_}")
        await CASES[point](site, Plot(point, chance))


async def test_an_error_there_costs_nothing_either(site: Site, told_seed: str):
    """One after the other, under load: the daemon lives on, and makes everything whole."""
    daemon = site.daemon
    await daemon.receive_guest()
    crowd = Crowd(daemon, told_seed, clients=CLIENTS)
    pid = daemon.pid

    async with under_load(crowd):
        await crowd.acknowledges(CLIENTS)
        for point, fault in FAULTS.items():
            daemon.lay(point, Fuse(harm=Harm.RAISE, fault=fault))
            await daemon.reaches(point)
        await crowd.acknowledges(CLIENTS)

    assert daemon.pid == pid
    assert daemon.alive
    assert crowd.statuses["503"] > 0
    await Oracle(daemon).holds(crowd.witness)


async def test_who_slept_past_its_lease_changes_nothing_any_more(site: Site):
    """Another daemon has taken over by then, and each version is in each store once."""
    sleeper = site.daemon
    await sleeper.receive_guest()
    for bed in BEDS:
        sleeper.lay(bed, Fuse(harm=Harm.HOLD))
    await write_some(sleeper)
    for bed in BEDS:
        await sleeper.reaches(bed)

    other = Daemon(sleeper.data_dir, environ=sleeper.environ, log="other.log")
    before = len(sleeper.events())
    async with cleared_away_after(other), superuser(sleeper) as sql:
        await other.start()
        await eventually(lambda: nothing_is_owed(sql))
        for bed in BEDS:
            sleeper.wake(bed)
        await eventually(lambda: was_told(sleeper, before))
        await Oracle(sleeper).is_sound()


async def write_some(daemon: FaultyDaemon) -> None:
    """Write a few items."""
    async with daemon.client() as http:
        for number in range(5):
            body = {"title": f"Item {number}", "body": f"{number} says " * 20}
            assert (await http.post("/api/content", json=body)).status_code == 201


async def nothing_is_owed(sql: asyncpg.Connection) -> bool:
    """Whether no store lacks anything any more."""
    return not await sql.fetchval(_OWED)


async def was_told(sleeper: Daemon, before: int) -> bool:
    """Whether the sleeper learnt by now that its turn is over."""
    said = "another daemon took the archive's stream over"
    return any(event["event"] == said for event in sleeper.events()[before:])
