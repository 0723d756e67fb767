"""`python -m bench listeners`: a thousand who listen, some of whom never read.

Those who read must hear everything; those who do not must be dropped; and while all of that goes
on, others are served as before, by a daemon whose memory stays bounded.
"""

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import httpx
import msgspec

from bench.errors import BenchError
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.provision import make_tenants
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import Verdict, at_most
from bench.tenants import Tenant
from bench.watching import PeakMemory
from bench.workplace import workplace

LISTENERS = 1_000
SLOW_EVERY = 20
EVENTS = 600
TITLE = "x" * 200  # so that those who do not read fall behind in time
KILOBYTES_EACH = 100.0
STALL_MS = 1_000.0
LIMIT_S = 240.0
SECONDS = 10.0
_SMALL_BUFFER = 4_096

Say = Callable[[str], None]


class Heard(msgspec.Struct):
    """What came of a run."""

    whole: int = 0
    dropped: int = 0
    others: LoadResult | None = None


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    count = count or LISTENERS
    slow = count // SLOW_EVERY
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        (tenant,) = anyio.run(make_tenants, server.data_dir, 1)
        say(f"{count:,} listeners, of whom {slow} never read; {EVENTS} events ...")
        before = server.cpu()
        with PeakMemory(server) as memory:
            heard = anyio.run(partial(_listen, server, tenant, readers=count - slow, slow=slow))
        spent = server.cpu() - before
    if heard.others is None:
        raise BenchError("nobody asked while the listeners heard")
    told = f"{spent.own_s * 1e6 / EVENTS / count:.1f} µs CPU an event and listener"
    return [
        Verdict(
            promise=f"all who read hear all {EVENTS} events",
            measured=f"{heard.whole} of {count - slow}, {told}",
            is_kept=heard.whole == count - slow,
        ),
        Verdict(
            promise="all who do not read are dropped",
            measured=f"{heard.dropped} of {slow}",
            is_kept=heard.dropped == slow,
        ),
        at_most("memory a listener", memory.growth_mb * 1024 / count, KILOBYTES_EACH, unit="KB"),
        at_most("longest wait of others", heard.others.max_ms, STALL_MS, unit="ms"),
        Verdict(
            promise="others are served meanwhile",
            measured=f"p50 {heard.others.p50_ms:.1f} ms, p99 {heard.others.p99_ms:.1f} ms",
            is_kept=not heard.others.errors,
        ),
    ]


async def _listen(server: Server, tenant: Tenant, *, readers: int, slow: int) -> Heard:
    heard, ready = Heard(), anyio.Semaphore(0)
    limits = httpx.Limits(max_connections=None)
    client: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{server.port}",
        "headers": {"X-API-Key": tenant.api_key},
        "timeout": httpx.Timeout(LIMIT_S),
        "trust_env": False,
    }
    with anyio.fail_after(LIMIT_S):
        async with httpx.AsyncClient(**client, limits=limits) as http:
            deaf = [_deaf(server.port, tenant) for _ in range(slow)]
            async with anyio.create_task_group() as listening, anyio.create_task_group() as asking:
                for _ in range(readers):
                    listening.start_soon(_hear, http, heard, ready)
                for _ in range(readers):
                    await ready.acquire()
                asking.start_soon(_ask_on, server.port, tenant, heard)
                await _write(http)
            heard.dropped = sum([await _is_dropped(one) for one in deaf])
    return heard


async def _hear(http: httpx.AsyncClient, heard: Heard, ready: anyio.Semaphore) -> None:
    async with http.stream("GET", "/api/events") as stream:
        ready.release()
        count = 0
        async for chunk in stream.aiter_bytes():
            count += chunk.count(b"\nevent: ")
            if count >= EVENTS:
                heard.whole += 1
                return


async def _write(http: httpx.AsyncClient) -> None:
    for number in range(0, EVENTS, 20):
        items = [{"title": f"{TITLE} {number + n}", "body": "b"} for n in range(20)]
        answer = await http.post("/api/content/bulk", json={"items": items})
        answer.raise_for_status()
        await anyio.sleep(SECONDS * 20 / EVENTS)


async def _ask_on(port: int, tenant: Tenant, heard: Heard) -> None:
    """Ask from another process: this one is busy with listening."""
    order = LoadOrder(
        port=port,
        traffic=Traffic.FETCH,
        keys=[tenant.api_key],
        paths=["/api/content?pageSize=1"],
        connections=1,
        seconds=SECONDS,
    )
    heard.others = await anyio.to_thread.run_sync(run_load, order)


def _deaf(port: int, tenant: Tenant) -> socket.socket:
    """A listener who never reads what comes after the first byte."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    wire.connect(("127.0.0.1", port))
    key = tenant.api_key
    wire.sendall(f"GET /api/events HTTP/1.1\r\nHost: b\r\nX-API-Key: {key}\r\n\r\n".encode())
    wire.recv(1)
    return wire


async def _is_dropped(wire: socket.socket) -> bool:
    """Whether the daemon hangs up, once what is under way has been read."""
    wire.settimeout(0.2)
    try:
        while await anyio.to_thread.run_sync(wire.recv, 65_536):
            continue
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        wire.close()
    return True
