"""No event is lost, whatever dies, and nobody who stops reading holds the others up."""

import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.content import created
from tests.support.daemon import SharedDaemon
from tests.support.following import Stream, Told, follow
from tests.support.oracle import eventually
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.receiver import Reaction, Receiver
from tests.support.running import Daemon, cleared_away_after

WRITERS = 4
KILLS = 2
LONG_TITLE = "x" * 250


class Crowd:
    """Clients who create items until they are told to stop, and remember what was acknowledged."""

    def __init__(self, daemon: SharedDaemon) -> None:
        self.acknowledged: set[str] = set()
        self._daemon = daemon
        self._stopped = False

    async def write(self, http: httpx.AsyncClient) -> None:
        """Create one item after the other; those without an answer may exist or not."""
        while not self._stopped:
            try:
                self.acknowledged.add((await created(http))["id"])
            except httpx.TransportError:
                await self._daemon.process.serving.wait()

    @asynccontextmanager
    async def writing(self, http: httpx.AsyncClient) -> AsyncIterator[None]:
        """Write for the length of a block."""
        async with anyio.create_task_group() as writers:
            for _ in range(WRITERS):
                writers.start_soon(self.write, http)
            yield
            self._stopped = True

    async def acknowledges(self, more: int) -> None:
        """Wait until this many more were."""
        wanted = len(self.acknowledged) + more

        async def enough() -> bool:
            return len(self.acknowledged) >= wanted

        await eventually(enough)


async def listen(http: httpx.AsyncClient, daemon: SharedDaemon, heard: list[Told]) -> None:
    """Listen and come again after each end, as a client does, without being told anything twice."""
    while True:
        await daemon.process.serving.wait()
        try:
            async with follow(http, after=heard[-1].position if heard else 0) as stream:
                await hear(stream, heard)
        except httpx.TransportError:
            continue


async def hear(stream: Stream, heard: list[Told]) -> None:
    """Take events until the stream ends."""
    try:
        while True:
            heard.append(await stream.next())
    except (anyio.EndOfStream, httpx.TransportError):
        return


async def test_killed_again_and_again_it_loses_no_event(mortal: SharedDaemon):
    """A listener who comes again hears of every acknowledged write, in order and once."""
    heard: list[Told] = []
    crowd = Crowd(mortal)
    async with mortal.caller(mortal.process.credentials.api_key) as http:
        async with anyio.create_task_group() as listeners:
            listeners.start_soon(listen, http, mortal, heard)
            async with crowd.writing(http):
                for _ in range(KILLS):
                    await crowd.acknowledges(50)
                    await mortal.process.kill()
                    await mortal.process.start()
                await crowd.acknowledges(50)

            async def all_heard() -> bool:
                return crowd.acknowledged <= {told.document["data"]["id"] for told in heard}

            await eventually(all_heard)
            listeners.cancel_scope.cancel()

    assert [told.position for told in heard] == list(range(1, len(heard) + 1))
    assert len({told.document["id"] for told in heard}) == len(heard)


async def test_killed_while_it_calls_it_calls_again(mortal: SharedDaemon, receiver: Receiver):
    """Each acknowledged write is delivered, some perhaps twice under the same id."""
    crowd = Crowd(mortal)
    receiver.next_reactions.append(Reaction(hangs=True))
    async with mortal.caller(mortal.process.credentials.api_key) as http:
        await http.post("/api/webhooks", json={"url": receiver.url})
        async with crowd.writing(http):
            await receiver.arrived(1)
            for _ in range(KILLS):
                await crowd.acknowledges(20)
                await mortal.process.kill()
                await mortal.process.start()
            await crowd.acknowledges(20)

        async def all_delivered() -> bool:
            return crowd.acknowledged <= {call.document["data"]["id"] for call in receiver.calls}

        await eventually(all_delivered)
    documents = {call.id: call.body for call in receiver.calls}
    assert all(documents[call.id] == call.body for call in receiver.calls)


async def test_who_stops_reading_is_cut_off(daemon: SharedDaemon, admin: httpx.AsyncClient):
    """Others go on hearing meanwhile, and the connection is gone on both sides."""
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.connect(("127.0.0.1", daemon.process.port))
        key = admin.headers["X-API-Key"]
        idle.sendall(f"GET /api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
        idle.recv(1)
        port = idle.getsockname()[1]

        async def cut_off() -> bool:
            return not any(c.raddr.port == port for c in daemon.process.connections())

        async with follow(admin) as stream:
            position = stream.began_after
            while not await cut_off():
                async with anyio.create_task_group() as writers:
                    for _ in range(20):
                        writers.start_soon(lambda: created(admin, title=LONG_TITLE))
                for told in await stream.take(20):
                    position += 1
                    assert told.position == position


async def test_a_stop_ends_streams_at_once(mortal: SharedDaemon):
    """Politely: the answer is whole, and what was told can be gone on from."""
    async with mortal.caller(mortal.process.credentials.api_key) as http, follow(http) as stream:
        await created(http)
        told = await stream.next()
        mortal.process.signal(signal.SIGTERM)
        rest = await stream.ends()
        assert await mortal.process.ended() == 0

    assert (told.position, rest) == (1, [])


async def test_what_another_daemon_wrote_is_heard_at_once(
    postgres_server: EmbeddedPostgres, place: Path
):
    """By a hint, for both look by themselves only later than a test waits."""
    async with (
        fresh_database(postgres_server) as database,
        cleared_away_after(lone(place / "one", postgres_server, database)) as one,
        cleared_away_after(lone(place / "other", postgres_server, database)) as other,
    ):
        await one.start()
        await other.start()
        async with one.client() as writer, other.client(one.credentials.api_key) as listener:
            async with follow(listener) as stream:
                item = await created(writer)
                told = await stream.next()
        assert (await one.stop(), await other.stop()) == (0, 0)

    assert told.document["data"]["id"] == item["id"]


def lone(data_dir: Path, server: EmbeddedPostgres, database: str) -> Daemon:
    """A daemon that looks at the log seldom."""
    environ = {
        "ENGARDE_POSTGRES__DSN": server.dsn(database=database),
        "ENGARDE_EVENTS__POLL_S": "300",
    }
    return Daemon(data_dir, environ=environ, log=f"{data_dir.name}.log")


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory."""
    with enterable_directory() as directory:
        yield directory
