"""How a daemon ends: politely when it is asked once, at once when it is asked twice."""

import hashlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from tests.support.crowd import Crowd
from tests.support.oracle import Oracle, eventually
from tests.support.patience import PATIENCE_S
from tests.support.running import Daemon, cleared_away_after

SLOW_CALLERS = 8
BODY = "slowly " * 200
both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


class SlowCaller:
    """Somebody on a bad line, who has sent only the first half of a creation."""

    def __init__(self, line: SocketStream, rest: bytes) -> None:
        self._line = line
        self._rest = rest

    async def finish(self) -> tuple[int, bytes]:
        """Send the other half and read the answer to its end."""
        await self._line.send(self._rest)
        said = b""
        with anyio.fail_after(PATIENCE_S):
            while True:
                try:
                    said += await self._line.receive()
                except anyio.EndOfStream:
                    break
        head, _, body = said.partition(b"\r\n\r\n")
        return int(head.split()[1]), body


@asynccontextmanager
async def slow_caller(daemon: Daemon) -> AsyncIterator[SlowCaller]:
    """A creation whose request is under way."""
    body = json.dumps({"title": "Slow", "body": BODY}).encode()
    head = (
        f"POST /api/content HTTP/1.1\r\nHost: engarde\r\nX-API-Key: {daemon.credentials.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    half = len(body) // 2
    async with await anyio.connect_tcp("127.0.0.1", daemon.port) as line:
        await line.send(head + body[:half])
        yield SlowCaller(line, body[half:])


async def tell_to_stop(daemon: Daemon, number: signal.Signals) -> None:
    """Send a signal and wait until the daemon has heard it."""
    before = len(daemon.events())
    daemon.signal(number)

    async def is_heard() -> bool:
        return any(event.get("event") == "stopping" for event in daemon.events()[before:])

    await eventually(is_heard)


@both_signals
async def test_requests_under_way_are_answered_before_the_end(
    daemon: Daemon, number: signal.Signals
):
    """Half-sent requests are taken to their end, and what they made is there afterwards."""
    async with slow_caller(daemon) as one, slow_caller(daemon) as other:
        await reached(daemon, connections=2)
        await tell_to_stop(daemon, number)
        answers = [await one.finish(), await other.finish()]

    assert await daemon.ended() == 0
    assert [status for status, _ in answers] == [201, 201]
    await daemon.start()
    async with daemon.client() as http:
        for _, body in answers:
            read = await http.get(f"/api/content/{json.loads(body)['id']}")
            assert hashlib.sha256(read.json()["body"].encode()).digest() == digest(BODY)


@both_signals
async def test_a_second_signal_ends_it_at_once(daemon: Daemon, number: signal.Signals):
    """Whoever has no time does not wait for slow callers; what was acknowledged stays."""
    async with daemon.client() as http:
        made = await http.post("/api/content", json={"title": "Kept", "body": BODY})

    async with slow_caller(daemon):
        await reached(daemon, connections=1)
        await tell_to_stop(daemon, number)
        daemon.signal(number)
        assert await daemon.ended() == 128 + number

    await daemon.start()
    async with daemon.client() as http:
        assert (await http.get(f"/api/content/{made.json()['id']}")).json()["body"] == BODY


async def test_while_it_finishes_new_callers_are_turned_away_at_once(daemon: Daemon):
    """Nobody waits in the queue of a socket that is not served any more."""
    async with slow_caller(daemon) as caller:
        await reached(daemon, connections=1)
        await tell_to_stop(daemon, signal.SIGTERM)

        async def refused() -> bool:
            try:
                line = await anyio.connect_tcp("127.0.0.1", daemon.port)
            except OSError:
                return True
            await line.aclose()
            return False

        await eventually(refused)
        assert (await caller.finish())[0] == 201
    assert await daemon.ended() == 0


async def test_under_load_a_polite_stop_loses_nothing(daemon: Daemon, told_seed: str):
    """Whatever was answered is there; a caller whose line was closed while idle may not know."""
    crowd = Crowd(daemon, told_seed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.work)
        await crowd.acknowledges(100)
        assert await daemon.stop() == 0
        crowd.stop()
        await daemon.start()

    refusals = {"ConnectError", "ReadError", "WriteError", "RemoteProtocolError"}
    assert set(crowd.statuses) <= {"200", "201", "404"} | refusals, crowd.statuses
    await Oracle(daemon).agrees_with(crowd.witness)


async def test_a_signal_during_the_first_start_ends_it_without_harm(place: Path):
    """The start is given up cleanly, and the next one finds nothing in its way."""
    async with cleared_away_after(Daemon(place / "data")) as daemon:
        await daemon.launch()

        async def at_work() -> bool:
            return (place / "data" / "postgres").exists()

        await eventually(at_work)
        daemon.signal(signal.SIGTERM)

        assert await daemon.ended() == 0
        assert "Traceback" not in daemon.words()
        await daemon.start()


async def reached(daemon: Daemon, *, connections: int) -> None:
    """Wait until the daemon itself has taken that many connections, not only its backlog."""

    async def taken() -> bool:
        return len(daemon.connections()) >= connections

    await eventually(taken)


def digest(body: str) -> bytes:
    """The fingerprint of a body."""
    return hashlib.sha256(body.encode()).digest()
