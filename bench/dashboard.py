"""`python -m bench dashboard`: what a dashboard costs before a busy daemon, and how fast it answers.

The dashboard is the real one, in a process and a terminal of its own. Before it stands a server that
says what a daemon with ten thousand tenants says, a snapshot a second and a hundred events, so that
nothing but the dashboard is measured.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import anyio
import msgspec
import psutil
from anyio.abc import SocketAttribute, SocketStream

from bench.targets import Verdict, at_most
from engarde_daemon.protocol import TenantsView
from tests.support.dashboard import scenes
from tests.support.terminals import PtyTerminal
from tui.feed import Standing

TENANTS = 10_000
EVENTS_PER_S = 100
TENANTS_PER_PAGE = 200
WARM_S = 5.0
MEASURED_S = 20.0
LOOK_EVERY_S = 0.002
KEY_LIMIT_S = 10.0
ROUNDS = 5
CORE_PERCENT_MOST = 25.0
MEMORY_MB_MOST = 150.0
KEY_MS_MOST = 100.0
_PAGES = {
    "2": "Actors of",
    "5": "Arrived",
    "6": "Jobs of recovery",
    "7": "TYPE",
    "1": "Is content safe",
}
_JSON = msgspec.json.Encoder()

Say = Callable[[str], None]


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    return anyio.run(_measure, count or TENANTS, say)


async def _measure(count: int, say: Say) -> list[Verdict]:
    daemon = _Talker(scenes.tenants(count))
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port: int = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
    async with listener, anyio.create_task_group() as serving:
        serving.start_soon(listener.serve, daemon.answer)
        with opened_at(port) as (terminal, process):
            say(f"{count:,} tenants, {EVENTS_PER_S} events a second, for {MEASURED_S:.0f} s ...")
            await shown(terminal, "live")
            terminal.type("7")
            await _rest(terminal, WARM_S)
            before, began = _cpu_s(process), time.monotonic()
            await _rest(terminal, MEASURED_S)
            percent = (_cpu_s(process) - before) / (time.monotonic() - began) * 100
            for key in _PAGES:
                await _press(terminal, key)
            before, began = _cpu_s(process), time.monotonic()
            waits = [await _press(terminal, key) for _ in range(ROUNDS) for key in _PAGES]
            spent_s = _cpu_s(process) - before - percent / 100 * (time.monotonic() - began)
            terminal.type("3")
            await _rest(terminal, WARM_S)
            memory_mb = process.memory_info().rss / 1e6
        serving.cancel_scope.cancel()
    return [
        at_most("CPU of a core", percent, CORE_PERCENT_MOST, unit="%"),
        at_most("memory", memory_mb, MEMORY_MB_MOST, unit="MB"),
        at_most(
            "CPU that opening a page takes", spent_s / len(waits) * 1000, KEY_MS_MOST, unit="ms"
        ),
        at_most("a page is open, median", statistics.median(waits), KEY_MS_MOST, unit="ms"),
    ]


class _Talker:
    """Says what a busy daemon says."""

    def __init__(self, tenants: Sequence[Standing]) -> None:
        self._page = _JSON.encode(
            {
                "data": tenants[:TENANTS_PER_PAGE],
                "pagination": {"total": len(tenants)},
                "queues": [],
            }
        )
        levels = {"normal": len(tenants)}
        self._snapshot = scenes.snapshot(
            tenants=TenantsView(total=len(tenants), levels=levels, fullest=[])
        )

    async def answer(self, stream: SocketStream) -> None:
        """Serve one connection until the dashboard leaves it."""
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            await self._serve(stream)

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            head = await stream.receive()
            if b"/feed " in head.split(b"\r\n")[0]:
                await self._talk(stream)
                return
            await stream.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
            await stream.send(b"Content-Length: %d\r\n\r\n%b" % (len(self._page), self._page))

    async def _talk(self, stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        number = 0
        while True:
            for _ in range(EVENTS_PER_S):
                number += 1
                await stream.send(self._event(number))
                await anyio.sleep(1 / EVENTS_PER_S)
            moment = scenes.NOW + timedelta(seconds=number // EVENTS_PER_S)
            snapshot = msgspec.structs.replace(self._snapshot, at=moment)
            await stream.send(b"event: snapshot\ndata: %b\n\n" % _JSON.encode(snapshot))

    def _event(self, number: int) -> bytes:
        event = scenes.event(
            -number / EVENTS_PER_S, "content.item.created", f"Item {number} is new"
        )
        return b"id: a.%d\nevent: event\ndata: %b\n\n" % (number, _JSON.encode(event))


@contextmanager
def opened_at(port: int, key: str = "eg_bench") -> Iterator[tuple[PtyTerminal, psutil.Process]]:
    """The real dashboard, attached to whoever serves that port."""
    command = [sys.executable, "-m", "tui", "--url", f"http://127.0.0.1:{port}"]
    terminal = PtyTerminal(command, {**os.environ, "ENGARDE_KEY": key})
    process = psutil.Process(terminal.pid)
    try:
        yield terminal, process
    finally:
        process.kill()
        process.wait(KEY_LIMIT_S)
        terminal.close()


async def _press(terminal: PtyTerminal, key: str) -> float:
    began = time.monotonic()
    terminal.type(key)
    await shown(terminal, _PAGES[key])
    waited_ms = (time.monotonic() - began) * 1000
    await _rest(terminal, 0.3)
    return waited_ms


async def shown(terminal: PtyTerminal, words: str) -> None:
    """Wait until these words are on the screen."""
    with anyio.fail_after(KEY_LIMIT_S):
        while words not in terminal.text():
            await anyio.sleep(LOOK_EVERY_S)


async def _rest(terminal: PtyTerminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.text()
        await anyio.sleep(0.1)


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return spent.user + spent.system
