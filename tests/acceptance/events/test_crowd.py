"""A hundred listeners of whom some never read: these are dropped, and nobody else is harmed."""

import socket
from collections.abc import Iterator

import anyio
import httpx
import psutil
import pytest

from tests.acceptance.bulk.asking import create_many
from tests.acceptance.content import draft
from tests.support.daemon import SharedDaemon
from tests.support.following import follow

READERS, DEAF = 80, 20
ROUND_ITEMS = 15
GROWTH_BYTES = 64 * 1024 * 1024


@pytest.fixture
def deaf(daemon: SharedDaemon, admin: httpx.AsyncClient) -> Iterator[list[int]]:
    """Listeners who read the first byte and no other; their ports."""
    wires = []
    key = admin.headers["X-API-Key"]
    for _ in range(DEAF):
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", daemon.process.port))
        wire.sendall(f"GET /api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
        wire.recv(1)
        wires.append(wire)
    yield [wire.getsockname()[1] for wire in wires]
    for wire in wires:
        wire.close()


async def test_those_who_do_not_read_are_dropped_and_others_hear_everything(
    daemon: SharedDaemon, admin: httpx.AsyncClient, deaf: list[int]
):
    """In bounded memory, and while the daemon goes on taking writes."""
    process = psutil.Process(daemon.process.pid)
    before = process.memory_info().rss
    heard: list[list[int]] = []
    told = anyio.Semaphore(0)

    async def listen(http: httpx.AsyncClient) -> None:
        positions: list[int] = []
        heard.append(positions)
        async with follow(http) as stream:
            told.release()
            while True:
                positions += [event.position for event in await stream.take(ROUND_ITEMS)]
                told.release()

    async def all_told() -> None:
        for _ in range(READERS):
            await told.acquire()

    async def all_dropped() -> bool:
        return not {c.raddr.port for c in daemon.process.connections()} & set(deaf)

    limits = httpx.Limits(max_connections=READERS)
    async with httpx.AsyncClient(
        base_url=admin.base_url, headers=admin.headers, limits=limits, trust_env=False
    ) as crowd:
        async with anyio.create_task_group() as listeners:
            for _ in range(READERS):
                listeners.start_soon(listen, crowd)
            await all_told()
            items = [draft(title="x" * 255) for _ in range(ROUND_ITEMS)]
            while not await all_dropped():
                assert (await create_many(admin, items)).status_code == 201
                await all_told()
            listeners.cancel_scope.cancel()

    assert heard == [list(range(1, len(heard[0]) + 1))] * READERS
    assert process.memory_info().rss - before <= GROWTH_BYTES
