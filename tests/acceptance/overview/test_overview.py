"""An operator sees in one look whether content is safe, and if not, why and what that means."""

import signal
import socket
from collections.abc import AsyncIterator

import anyio
import httpx
import psutil
import pytest

from engarde_daemon.protocol import Missed, Severity, Snapshot, StoreState, StoreView
from engarde_daemon.testing.zerodb_cloud import Fault
from tests.acceptance.bulk.asking import create_many
from tests.acceptance.content import draft, problem_of
from tests.acceptance.recovery.conftest import Site
from tests.support.daemon import SharedDaemon
from tests.support.patience import PATIENCE_S
from tests.support.watching import watch

FOR_EVER = 10**9
ROUND_ITEMS = 50


@pytest.fixture
async def operator(daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An operator of the shared daemon."""
    key = daemon.new_key(await daemon.quick_tenant(), "operator")
    async with daemon.caller(key.api_key) as http:
        yield http


@pytest.fixture
async def watcher(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """An operator of the site."""
    async with site.daemon.client(site.daemon.credentials.operator_key) as http:
        yield http


def store(snapshot: Snapshot, name: str) -> StoreView:
    """One store of a snapshot."""
    (view,) = [one for one in snapshot.stores if one.name == name]
    return view


async def test_where_all_is_well_one_sentence_says_so(site: Site, watcher: httpx.AsyncClient):
    """With the number of versions, and no risk beside it."""
    async with watch(watcher) as shown:
        await site.write(3)
        await site.until_carried()
        snapshot = await shown.snapshot(lambda s: s.safety.versions == 3 and not s.safety.since)

    assert snapshot.safety.words == "All 3 versions are in ZeroDB and the archive."
    assert (snapshot.safety.severity, list(snapshot.safety.risks)) == (Severity.OK, [])
    assert {view.state for view in snapshot.stores} == {StoreState.HEALTHY}
    assert snapshot.daemon.actors[0].path == "root"
    assert {queue.queue for queue in snapshot.backlog if queue.rows} == set()


async def test_a_zerodb_that_does_not_answer_is_shown_with_its_effect(
    site: Site, watcher: httpx.AsyncClient
):
    """Before it is given up, when it is, and until all that waited has arrived."""
    async with watch(watcher) as shown:
        await shown.snapshot(lambda s: store(s, "zerodb").state is StoreState.HEALTHY)
        site.cloud.faults.add(Fault.BLACK_HOLE, count=FOR_EVER)
        first = store(await shown.snapshot(lambda s: bool(s.safety.risks)), "zerodb")
        fallen = await shown.event(lambda event: event.type == "store.failed_over")
        await site.write(5)
        waiting = await shown.snapshot(lambda s: s.safety.missing["zerodb"] == 5)
        site.cloud.faults.clear()
        await shown.event(lambda event: event.type == "store.healthy")
        await site.until_carried()
        after = await shown.snapshot(lambda s: s.safety.missing["zerodb"] == 0)

    assert (first.severity, first.state) == (Severity.WARNING, StoreState.DEGRADED)
    assert "answer" in first.cause
    assert "Writes go on, their bodies wait in PostgreSQL" in first.effect
    assert "ZeroDB is failed over." in fallen.text
    assert waiting.safety.severity is Severity.WARNING
    assert "5 not in ZeroDB yet" in waiting.safety.words
    assert after.safety.versions == 5


async def test_a_postgres_that_hangs_is_shown_to_those_who_watch(
    site: Site, watcher: httpx.AsyncClient
):
    """Though everything else that is shown comes from it."""
    server = psutil.Process(site.daemon.postmaster)
    await site.write(1)
    async with watch(watcher) as shown:
        await shown.snapshot(lambda s: s.safety.versions == 1)
        frozen = [server, *server.children()]
        for process in frozen:
            process.send_signal(signal.SIGSTOP)
        try:
            hung = await shown.snapshot(lambda s: s.stores[0].state is StoreState.AWAY)
        finally:
            for process in frozen:
                process.send_signal(signal.SIGCONT)
        await shown.snapshot(lambda s: s.stores[0].state is StoreState.HEALTHY)

    assert hung.safety.severity is Severity.FAULT
    assert "did not answer within" in hung.stores[0].cause
    assert "Nothing can be read or written" in hung.stores[0].effect
    assert hung.safety.words.startswith("PostgreSQL does not answer. When it was last asked: ")


async def test_who_comes_back_gets_the_events_between(
    daemon: SharedDaemon, operator: httpx.AsyncClient, http: httpx.AsyncClient
):
    """And each once."""
    async with watch(operator) as shown:
        first = (await http.post("/api/content", json=draft())).json()["id"]
        await shown.event(lambda event: event.subject == first)
        place = shown.last_event_id
    second = (await http.post("/api/content", json=draft())).json()["id"]
    async with watch(operator) as elsewhere:
        await elsewhere.event(lambda event: event.subject == second)

    async with watch(operator, after=place) as shown:
        told = await shown.event(lambda event: event.subject in {first, second})

    assert (told.subject, told.text) == (second, "content created, version 1")


async def test_who_was_in_another_life_is_told_that_something_is_missing(
    operator: httpx.AsyncClient,
):
    """Rather than left to believe that nothing happened."""
    async with watch(operator, after="00000000.7") as shown:
        frame = await shown.next()

    assert isinstance(frame, Missed)


async def test_who_does_not_read_is_dropped(
    daemon: SharedDaemon, operator: httpx.AsyncClient, http: httpx.AsyncClient
):
    """While somebody who reads is shown everything."""
    key = operator.headers["X-API-Key"]
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", daemon.process.port))
    deaf.sendall(f"GET /api/admin/feed HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
    deaf.recv(1)
    port = deaf.getsockname()[1]

    async with watch(operator) as shown:
        with anyio.fail_after(PATIENCE_S):
            while port in {one.raddr.port for one in daemon.process.connections()}:
                await create_many(http, [draft() for _ in range(ROUND_ITEMS)])
                await shown.snapshot()
    deaf.close()


async def test_a_read_only_key_sees_everything_and_does_nothing(daemon: SharedDaemon):
    """Which is what a dashboard on a wall needs."""
    tenant = await daemon.quick_tenant()
    made = daemon.command(
        "keys", "create", "--tenant", tenant.tenant_id, "--role", "operator", "--read-only"
    )
    async with daemon.caller(made["api_key"]) as http:
        for path in ("overview", "queues", "jobs", "actors", "tenants"):
            assert (await http.get(f"/api/admin/{path}")).status_code == 200
        async with watch(http) as shown:
            await shown.snapshot()
        refused = await http.post("/api/admin/actors/delivery/pause")

        assert "read-only" in problem_of(refused, 403)["detail"]
        assert refused.headers["Engarde-Role"] == "viewer"
        problem_of(await http.post("/api/admin/queues/archive/retry"), 403)
        problem_of(await http.post("/api/keys", json={"role": "operator"}), 403)


async def test_queues_that_nobody_can_retry_are_refused(operator: httpx.AsyncClient):
    """One is the tenants' own, and one is none."""
    problem_of(await operator.post("/api/admin/queues/webhooks/retry"), 409)
    problem_of(await operator.post("/api/admin/queues/nothing/retry"), 404)


async def test_a_queue_is_retried_by_its_name(operator: httpx.AsyncClient):
    """And the answer says how much there was to retry."""
    for queue in ("delivery", "archive", "index"):
        answer = await operator.post(f"/api/admin/queues/{queue}/retry")

        assert answer.json() == {"queue": queue, "retried": 0}


async def test_queues_show_mailboxes_and_what_waits(operator: httpx.AsyncClient):
    """Of this daemon, and on all ways out of PostgreSQL."""
    shown = (await operator.get("/api/admin/queues")).json()

    assert {"ingest", "delivery", "observer"} <= {box["name"] for box in shown["mailboxes"]}
    assert [queue["backlog"]["queue"] for queue in shown["queues"]] == [
        "delivery",
        "archive",
        "index",
        "webhooks",
    ]
