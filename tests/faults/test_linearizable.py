"""Two daemons are one object to whoever asks, however their network fails.

Every client notes when it asked and what it heard, and the checker looks for one order that explains
all of it. A body that is read is the body of the version it is read with, no read goes back in time,
of two writes that guard the same version one wins, and what nobody answered happened once or never.
"""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.linearizability import NotLinearizable, check
from engarde_daemon.testing.linearizability.models import Patch, Read, VersionedItem
from engarde_daemon.testing.proxy import FaultyProxy
from tests.faults.conftest import LONG
from tests.support.between import QUICK, GuestDaemon, wired
from tests.support.onlookers import Onlookers
from tests.support.oracle import Oracle, superuser
from tests.support.postgres import fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

pytestmark = pytest.mark.timeout(600 if LONG else 300)

HARMS = 60 if LONG else 4
CLIENTS = 3
# The last committed state of an item is gone, as after a failover to a standby that lagged behind.
_FORGET = """
    update content_items i
    set version = v.version, body_version = v.body_version, body_sha256 = v.body_sha256,
        zerodb_id = v.zerodb_id, storage_size_bytes = v.size_bytes
    from engarde.content_versions v
    where i.id = $1 and v.content_id = i.id and v.version = i.version - 1
"""


class Duo(NamedTuple):
    """Two daemons, each behind a network of its own to their one PostgreSQL."""

    one: GuestDaemon
    other: GuestDaemon
    networks: tuple[FaultyProxy, FaultyProxy]


@pytest.fixture
async def duo(place: Path, postgres_server: EmbeddedPostgres) -> AsyncIterator[Duo]:
    """Both serve; the embedded ZeroDB makes them share a data directory."""
    async with AsyncExitStack() as stack, fresh_database(postgres_server) as name:
        daemons, networks = [], []
        for number in range(2):
            wire = await stack.enter_async_context(wired(postgres_server, name))
            daemon = GuestDaemon(
                place / "data",
                direct_dsn=postgres_server.dsn(database=name),
                environ={**QUICK, "ENGARDE_POSTGRES__DSN": wire.dsn},
                log=f"{number}.log",
            )
            await stack.enter_async_context(cleared_away_after(daemon))
            await daemon.start()
            daemons.append(daemon)
            networks.append(wire.proxy)
        yield Duo(daemons[0], daemons[1], (networks[0], networks[1]))


async def harm(network: FaultyProxy, chance: random.Random) -> None:
    """Let one thing go wrong for a while."""
    match chance.randrange(6):
        case 0:
            network.reset()
        case 1:
            network.requests.latency_s = chance.uniform(0.01, 0.2)
        case 2:
            network.replies.hold()
        case 3:
            network.hold()
        case 4:
            network.lose_answer_to(b"commit_writes" if chance.random() < 0.2 else b'"body_version"')
        case _:
            network.replies.cut_after(b"SELECT")
    await anyio.sleep(chance.uniform(0.1, 0.6))
    if chance.random() < 0.3:
        network.reset()
    network.heal()


async def test_whatever_the_network_does_all_answers_fit_into_one_order(duo: Duo, told_seed: str):
    """Cut, late, lost and held back, with one daemon killed in the middle and started again."""
    chance = random.Random(told_seed)
    onlookers = Onlookers(duo.one.credentials.tenant_id, told_seed)
    async with duo.one.client() as http:
        await onlookers.make_items(http, lasting=5, mortal=1)

    async with anyio.create_task_group() as tasks:
        for number in range(2 * CLIENTS):
            daemon = duo.other if number % 2 else duo.one
            tasks.start_soon(onlookers.work, daemon, f"c{number}")
        for number in range(HARMS):
            await harm(chance.choice(duo.networks), chance)
            if number == HARMS // 2:
                await duo.one.kill()
                await duo.one.start()
        onlookers.stopped = True

    for daemon in (duo.one, duo.other):
        async with daemon.client() as http:
            await onlookers.read_all(http)
    check(onlookers.history, VersionedItem())
    assert await duo.other.stop() == 0
    await Oracle(duo.one).agrees_with(onlookers.witness)
    print(f"{len(onlookers.history)} operations: {dict(onlookers.statuses)}")  # noqa: T201 - a figure


async def test_a_write_that_is_forgotten_is_noticed(lone_daemon: Daemon):
    """What a failover without a synchronous standby would do is found in the answers alone."""
    onlookers = Onlookers(lone_daemon.credentials.tenant_id, "forgotten")
    async with lone_daemon.client() as http:
        await onlookers.make_items(http, lasting=1, mortal=0)
        (content_id,) = onlookers.witness.shared
        await onlookers.send(http, content_id, Patch("second"), client="one")
        await onlookers.send(http, content_id, Read(), client="other")
        check(onlookers.history, VersionedItem())

        async with superuser(lone_daemon) as sql:
            assert await sql.execute(_FORGET, content_id) == "UPDATE 1"
        await onlookers.send(http, content_id, Read(), client="other")

    with pytest.raises(NotLinearizable, match="second"):
        check(onlookers.history, VersionedItem())
