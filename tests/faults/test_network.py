"""The network fails between the daemon and its stores, and every caller learns what is known.

The proxy stands where a network would. A commit whose answer is lost was a commit; a PostgreSQL that
does not answer costs a caller seconds and a 503, not the connection; a ZeroDB behind a bad line gets
each version once, when the line is well again.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.zerodb.documents import ITEMS
from engarde_daemon.config import Postgres
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.testing.proxy import FaultyProxy
from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from tests.faults.conftest import LONG
from tests.support.between import QUICK, GuestDaemon, wired
from tests.support.oracle import Oracle, eventually, listed, superuser
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after
from tests.support.witness import Witness

__all__ = ["postgres_server"]

pytestmark = pytest.mark.timeout(300 if LONG else 120)

ROUNDS = 5 if LONG else 1
PATIENCE_S = Postgres().request_timeout_s + 3.0
"""Nobody waits for PostgreSQL longer than that setting says; the rest is for a busy machine."""
AFTERWARDS_S = 20.0
_FUNCTION = """
    select pg_get_functiondef('engarde.commit_writes_v1(jsonb, text[], jsonb)'::regprocedure)
"""
_UNDER_WAY = (
    "select exists (select from engarde.outbox where attempts > 0 and last_error is null"
    " and leased_until > clock_timestamp())"
)
_NOTES_THE_KEY = "from unnest(batch) w where w.idempotency_key is not null"


class Line:
    """A daemon, the network to its PostgreSQL, and what was acknowledged over it."""

    def __init__(self, daemon: GuestDaemon, network: FaultyProxy) -> None:
        self.daemon, self.network = daemon, network
        self.witness = Witness(daemon.credentials.tenant_id)

    async def create(
        self, http: httpx.AsyncClient, title: str, *, key: str | None = None
    ) -> httpx.Response:
        """Ask for an item, and note what its answer says."""
        body = f"{title} {'and so on ' * 50}"
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await http.post(
            "/api/content", json={"title": title, "body": body}, headers=headers
        )
        if answer.status_code == 201:
            self.witness.created(answer.json()["id"], title, body)
        else:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
            self.witness.may_have_created(title)
        return answer

    async def until_well(self, http: httpx.AsyncClient) -> None:
        """Wait until content is shown and taken again."""

        async def is_well() -> bool:
            shown = await http.get("/api/content")
            return shown.status_code == 200 and (await http.get("/readyz")).status_code == 200

        await eventually(is_well, within_s=AFTERWARDS_S)


@pytest.fixture(scope="module")
async def only_line(postgres_server: EmbeddedPostgres) -> AsyncIterator[Line]:
    """One daemon for all cases of this module, and the oracle after the last of them."""
    with enterable_directory(in_memory=True) as place:
        async with (
            fresh_database(postgres_server) as name,
            wired(postgres_server, name) as wire,
            cleared_away_after(
                GuestDaemon(
                    place / "data",
                    direct_dsn=postgres_server.dsn(database=name),
                    environ={**QUICK, "ENGARDE_POSTGRES__DSN": wire.dsn},
                    log="daemon.log",
                )
            ) as daemon,
        ):
            await daemon.start()
            line = Line(daemon, wire.proxy)
            yield line
            await Oracle(daemon).agrees_with(line.witness)


@pytest.fixture
async def line(only_line: Line) -> AsyncIterator[Line]:
    """The line, which is well again whatever a test did to it, and whose books are right."""
    yield only_line
    only_line.network.heal()
    await Oracle(only_line.daemon).books_are_right()


async def lose_an_answer(line: Line, title: str) -> None:
    """A creation is committed and nobody hears of it; whoever asks again with its key, does."""
    line.network.lose_answer_to(title.encode())
    async with line.daemon.client() as http:
        first = await line.create(http, title, key=title)
        assert line.network.marks == [], "the answer was not lost"
        assert first.status_code == 503
        assert title in (await listed(http)).values(), "it was not committed"

        second = await line.create(http, title, key=title)
        assert second.status_code == 201
        assert second.headers["Idempotent-Replayed"] == "true"
        shown = Counter((await listed(http)).values())
        assert shown[title] == 1, f"it was made {shown[title]} times"


async def test_a_commit_whose_answer_is_lost_is_made_once(line: Line):
    """503 says that nothing is known, and the key finds out."""
    for number in range(ROUNDS):
        await lose_an_answer(line, f"lost-{number}")


async def test_without_the_note_of_its_key_it_would_be_made_twice(line: Line):
    """The case notices a database that forgets keys."""
    async with superuser(line.daemon) as sql:
        right = await sql.fetchval(_FUNCTION)
        assert right.count(_NOTES_THE_KEY) == 1
        await sql.execute(right.replace(_NOTES_THE_KEY, "from unnest(batch) w where false"))
        try:
            with pytest.raises((AssertionError, KeyError)):
                await lose_an_answer(line, "twice")
        finally:
            await sql.execute(right)
    async with line.daemon.client() as http:
        for content_id in [one for one, title in (await listed(http)).items() if title == "twice"]:
            line.witness.stories.pop(content_id, None)
            assert (await http.delete(f"/api/content/{content_id}")).status_code == 200


HARMS: dict[str, Callable[[FaultyProxy], None]] = {
    "requests get through and answers do not": lambda network: network.replies.hold(),
    "answers would get through, but requests do not": lambda network: network.requests.hold(),
    "nothing gets through": FaultyProxy.hold,
}


@pytest.mark.parametrize("harm", HARMS if LONG else [*HARMS][:1])
async def test_a_postgres_that_does_not_answer_costs_seconds_and_a_503(line: Line, harm: str):
    """Readers and writers alike; when it answers again, the daemon serves without a restart."""
    pid = line.daemon.pid
    async with line.daemon.client() as http:
        kept = (await line.create(http, f"before {harm}")).json()["id"]
        HARMS[harm](line.network)
        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as callers:
                for number in range(12):
                    callers.start_soon(line.create, http, f"{harm} {number}")
                for _ in range(6):
                    callers.start_soon(refused, http, f"/api/content/{kept}")
        line.network.heal()

        await line.until_well(http)
        assert (await http.get(f"/api/content/{kept}")).status_code == 200
        assert (await line.create(http, f"after {harm}")).status_code == 201
    assert line.daemon.pid == pid


async def refused(http: httpx.AsyncClient, path: str) -> None:
    """Ask for what cannot be had now."""
    answer = await http.get(path)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_slow_postgres_makes_slow_answers_and_no_errors(line: Line):
    """A tenth of a second for each question, and then a line of 64 KB a second."""
    async with line.daemon.client() as http:
        line.network.requests.latency_s = line.network.replies.latency_s = 0.05
        async with anyio.create_task_group() as callers:
            for number in range(20):
                callers.start_soon(line.create, http, f"late {number}")
        line.network.heal()
        line.network.replies.bytes_per_s = 65_536
        shown = Counter((await listed(http)).values())
        line.network.heal()

    assert [shown[f"late {number}"] for number in range(20)] == [1] * 20


class CloudOracle(Oracle):
    """The common oracle for a daemon whose ZeroDB is a server."""

    def __init__(self, daemon: Daemon, cloud: ZeroDBCloud) -> None:
        super().__init__(daemon)
        self._cloud = cloud

    async def _zerodb_has(self, witness: Witness) -> None:
        rows = self._cloud.rows(ITEMS.table)
        found = Counter((row["id"], row["storage_metadata"]["sha256"]) for row in rows)
        for key in witness.acknowledged():
            count = found[key.id, key.sha256]
            assert count == 1, f"{count} rows of {key}"

    async def _zerodb_ids(self) -> set[str]:
        return {row["id"] for row in self._cloud.rows(ITEMS.table)}


def crumbs(network: FaultyProxy) -> None:
    """Let bytes come at the speed of a telegraph."""
    network.requests.bytes_per_s = network.replies.bytes_per_s = 300


def go_away(network: FaultyProxy) -> None:
    """Hang up on everybody, and let nobody in; a connection kept open would be used until it ends."""
    network.refuses = True
    network.reset()


LINES: dict[str, Callable[[FaultyProxy], None]] = {
    "nothing gets through": FaultyProxy.hold,
    "rows arrive and answers do not": lambda network: network.replies.hold(),
    "answers break off in the middle": lambda network: network.replies.cut_after(b'"row_data"'),
    "the answer to one row is lost": lambda network: network.lose_answer_to(b"content_body"),
    "everything comes in crumbs": crumbs,
    "nobody is at home": go_away,
}


@asynccontextmanager
async def behind_a_line(data_dir: Path, cloud: ZeroDBCloud) -> AsyncIterator[Any]:
    """A daemon whose ZeroDB is at the end of a line."""
    port = int(cloud.base_url.split(":")[2].split("/")[0])
    async with FaultyProxy("127.0.0.1", port) as network:
        environ = {
            "ENGARDE_DELIVERY__LEASE_S": "2",
            "ENGARDE_REPLICATION__LEASE_S": "2",
            "ENGARDE_HEALTH__PROBE_EVERY_S": "0.2",
            "ENGARDE_HEALTH__PROBE_TIMEOUT_S": "0.5",
            "ENGARDE_HEALTH__OPEN_S": "1",
            "ENGARDE_HEALTH__OPEN_MAX_S": "1",
            "ENGARDE_ZERODB__MODE": "cloud",
            "ENGARDE_ZERODB__TIMEOUT_S": "1",
            "ENGARDE_ZERODB__BASE_URL": f"http://127.0.0.1:{network.port}/api/v1",
            "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
            "ENGARDE_ZERODB__API_KEY": cloud.api_key,
        }
        async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
            await daemon.start()
            yield daemon, network


async def test_a_zerodb_behind_a_bad_line_gets_every_version_once(data_dir: Path):
    """Nobody who writes or reads notices, and what was acknowledged meanwhile arrives afterwards."""
    async with ZeroDBCloud() as cloud, behind_a_line(data_dir, cloud) as (daemon, network):
        witness = Witness(daemon.credentials.tenant_id)
        for harm, let_fail in [*LINES.items()] * ROUNDS if LONG else [*LINES.items()][1:4:2]:
            async with daemon.client() as http:
                let_fail(network)
                is_met = is_ill if network.marks == [] else is_harmed
                for number in range(6):
                    title, body = f"{harm} {number} {len(witness.titles)}", f"{harm} {number} " * 20
                    made = await http.post("/api/content", json={"title": title, "body": body})
                    assert made.status_code == 201, made.text
                    witness.created(made.json()["id"], title, body)
                    shown = await http.get(f"/api/content/{made.json()['id']}")
                    assert sha256_of(shown.json()["body"]) == sha256_of(body)
                await eventually(partial(is_met, daemon, network), within_s=AFTERWARDS_S)
                network.reset()
                network.heal()
            await eventually(partial(is_carried, daemon), within_s=AFTERWARDS_S)

        await CloudOracle(daemon, cloud).agrees_with(witness)


async def is_harmed(_daemon: Daemon, network: FaultyProxy) -> bool:
    """Whether a connection carried the bytes for which it is broken."""
    return network.marks == []


async def is_ill(daemon: Daemon, _network: FaultyProxy) -> bool:
    """Whether the daemon has seen that ZeroDB fails, and no delivery hopes for an answer."""
    async with daemon.client(daemon.credentials.operator_key) as http:
        stores = (await http.get("/api/admin/recovery")).json()["stores"]
    async with superuser(daemon) as sql:
        is_hoping = await sql.fetchval(_UNDER_WAY)
    return bool(stores["zerodb"]["state"] != "healthy" and not is_hoping)


async def is_carried(daemon: Daemon) -> bool:
    """Whether no store lacks anything any more."""
    async with superuser(daemon) as sql:
        return not await sql.fetchval("select exists (select from engarde.outbox)")
