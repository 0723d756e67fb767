"""Three daemons on one PostgreSQL: one is killed, all are restarted, and nobody is refused.

Leases have their default length here: how soon another daemon takes over is what is tried.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import anyio
import asyncpg
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.zerodb_cloud import Fault, ZeroDBCloud
from tests.support.archived import archived_rows
from tests.support.balancer import Balancer
from tests.support.oracle import eventually, listed
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

CLIENTS = 3
THINK_S = 0.2
"""Between two writes of a client: three daemons and their callers may share two processors."""
TAKEOVER_MOST_S = 15.0
LOOK_S = 2.0
"""How long after a lease's end the next look and the work itself may take."""
_LEASES = """
    select max(extract(epoch from leased_until - clock_timestamp()))::float8 from (
        select leased_until from engarde.outbox
        union all select leased_until from engarde.archive_streams) l
    where leased_until > clock_timestamp()
"""
_OWED = "select count(*) from engarde.outbox"


class Trio(NamedTuple):
    """Three daemons that serve the same content, and what they share."""

    daemons: Sequence[Daemon]
    cloud: ZeroDBCloud
    sql: asyncpg.Connection


@pytest.fixture(scope="module")
async def only_trio(postgres_server: EmbeddedPostgres) -> AsyncIterator[Trio]:
    """Daemons with one database, one hosted ZeroDB and one folder for the archive."""
    async with (
        AsyncExitStack() as stack,
        fresh_database(postgres_server) as name,
        ZeroDBCloud() as cloud,
    ):
        place = stack.enter_context(enterable_directory(in_memory=True))
        dsn = postgres_server.dsn(database=name)
        environ = {
            "ENGARDE_POSTGRES__DSN": dsn,
            "ENGARDE_POSTGRES__READER_CONNECTIONS": "3",
            "ENGARDE_POSTGRES__WRITER_CONNECTIONS": "4",
            "ENGARDE_ZERODB__MODE": "cloud",
            "ENGARDE_ZERODB__BASE_URL": cloud.base_url,
            "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
            "ENGARDE_ZERODB__API_KEY": cloud.api_key,
            # As long as a starved balancer may take to look.
            "ENGARDE_SERVER__DRAIN_S": "4",
        }
        daemons = [
            Daemon(place / "data", environ=environ, log=f"{number}.log") for number in range(3)
        ]
        for daemon in daemons:
            await stack.enter_async_context(cleared_away_after(daemon))
        sql = await asyncpg.connect(dsn, timeout=PATIENCE_S)
        stack.callback(sql.terminate)
        yield Trio(daemons, cloud, sql)


@pytest.fixture
async def trio(only_trio: Trio) -> Trio:
    """All three alive."""
    for daemon in only_trio.daemons:
        if not daemon.alive:
            await daemon.start()
    return only_trio


class Load:
    """Clients of their own daemons, who remember what was acknowledged."""

    def __init__(self, trio: Trio) -> None:
        self._trio = trio
        self._victim = trio.daemons[0]
        self.acknowledged: dict[str, str] = {}
        self.errors: list[str] = []
        self.stopped = False
        self._progress = anyio.Event()

    async def work(self) -> None:
        """Write through every daemon until told to stop."""
        async with anyio.create_task_group() as clients:
            for place, daemon in enumerate(self._trio.daemons):
                for number in range(CLIENTS):
                    clients.start_soon(self._client, daemon, f"{place}-{number}")

    async def acknowledges(self, more: int) -> None:
        """Wait until this many more writes were acknowledged."""
        wanted = len(self.acknowledged) + more
        with anyio.fail_after(PATIENCE_S):
            while len(self.acknowledged) < wanted:
                await self._progress.wait()

    async def _client(self, daemon: Daemon, name: str) -> None:
        async with daemon.client() as http:
            serial = 0
            while not self.stopped:
                serial += 1
                if not await self._write(http, daemon, f"client {name} item {serial}"):
                    return

    async def _write(self, http: httpx.AsyncClient, daemon: Daemon, title: str) -> bool:
        """Write one; False when the daemon of this client is the one that was killed."""
        body = {"title": title, "body": f"{title} says {'so ' * 200}"}
        try:
            answer = await http.post("/api/content", json=body)
        except httpx.TransportError as error:
            if daemon is not self._victim:
                self.errors.append(f"{title}: {type(error).__name__}")
            return False
        if answer.status_code != 201:
            self.errors.append(f"{title}: {answer.status_code}")
            return True
        self.acknowledged[answer.json()["id"]] = title
        self._progress.set()
        self._progress = anyio.Event()
        await anyio.sleep(THINK_S)
        return True


async def test_the_leases_of_a_killed_daemon_are_taken_over(trio: Trio):
    """Under load: nothing is lost, nothing is there twice, and callers of the others see nothing."""
    victim, load = trio.daemons[0], Load(trio)
    await hold_leases(trio, victim, load)
    async with anyio.create_task_group() as clients:
        clients.start_soon(load.work)
        await load.acknowledges(60)
        await victim.kill()
        trio.cloud.faults.clear()
        killed_at, left_s = time.monotonic(), await trio.sql.fetchval(_LEASES)
        await load.acknowledges(60)
        load.stopped = True

    assert left_s is not None, "the victim held nothing"
    assert left_s + LOOK_S <= TAKEOVER_MOST_S
    await eventually(lambda: is_carried(trio), within_s=TAKEOVER_MOST_S * 2)
    print(f"taken over {time.monotonic() - killed_at:.1f} s after the kill")  # noqa: T201 - a figure
    assert load.errors == []
    await everything_is_there(trio, load)


async def hold_leases(trio: Trio, victim: Daemon, load: Load) -> None:
    """Have the victim wait for a ZeroDB that does not answer, with leases in its hands."""
    trio.cloud.faults.add(Fault.BLACK_HOLE, method="POST", path_end="/rows")
    async with victim.client() as http:
        for number in range(5):
            title = f"held {number}"
            made = await http.post("/api/content", json={"title": title, "body": title * 50})
            load.acknowledged[made.json()["id"]] = title

    async def is_held() -> bool:
        return trio.cloud.faults.met[Fault.BLACK_HOLE] > 0

    await eventually(is_held)


async def is_carried(trio: Trio) -> bool:
    """Whether no store lacks anything any more."""
    return not await trio.sql.fetchval(_OWED)


async def everything_is_there(trio: Trio, load: Load) -> None:
    """In the lists of those who live, in ZeroDB and in the archive: each once."""
    for daemon in trio.daemons[1:]:
        async with daemon.client() as http:
            shown = await listed(http)
            assert {name: shown.get(name) for name in load.acknowledged} == load.acknowledged
            assert len(set(shown.values())) == len(shown)
    kept = {
        row["content_id"]
        for table in trio.cloud.tables
        for row in trio.cloud.rows(table)
        if "content_id" in row
    }
    assert load.acknowledged.keys() <= kept
    archived = archived_rows(trio.daemons[0].data_dir)
    assert load.acknowledged.keys() <= {content_id for _, content_id, _, _ in archived}
    assert set(archived.values()) == {1}


async def test_a_rolling_restart_fails_no_request(trio: Trio):
    """One after the other, behind somebody who asks who is ready; a 503 is asked again elsewhere."""
    balancer = Balancer(trio.daemons, trio.daemons[0].credentials.api_key)
    made: dict[str, str] = {}
    stopped = anyio.Event()

    async def write(name: str) -> None:
        async with AsyncExitStack() as stack:
            http = [await stack.enter_async_context(one) for one in balancer.clients()]
            serial = 0
            while not stopped.is_set():
                serial += 1
                title = f"{name} {serial}"
                content_id = await balancer.create(http, {"title": title, "body": title * 20})
                if content_id is not None:
                    made[content_id] = title
                await anyio.sleep(THINK_S)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(balancer.watch)
        async with anyio.create_task_group() as clients:
            for number in range(2 * CLIENTS):
                clients.start_soon(write, f"client {number}")
            for daemon in trio.daemons:
                assert await daemon.stop() == 0
                await daemon.start()
            stopped.set()
        tasks.cancel_scope.cancel()

    assert balancer.failures == []
    assert len({number for number, status in balancer.answers if status == 201}) == 3
    async with trio.daemons[0].client() as http:
        shown = await listed(http)
    assert {name: shown.get(name) for name in made} == made
    print(f"{len(made)} creations: {json.dumps(sorted(map(list, balancer.answers.items())))}")  # noqa: T201 - figures
