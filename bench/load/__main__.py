"""`python -m bench.load < order.json > result.json`: run one load."""

import asyncio
import gc
import itertools
import sys
from functools import partial
from time import perf_counter, perf_counter_ns

import msgspec
import uvloop

from bench.load.connection import Connection
from bench.load.order import LoadOrder, LoadResult
from bench.load.pace import Pace
from bench.load.tally import Tally
from bench.load.traffic import requests_of

DRAIN_S = 10.0
COUNTED_LOAD_LIMIT_S = 120.0


async def run(order: LoadOrder) -> LoadResult:
    """Run one load to its end.

    Raises:
        OSError: The server refuses connections.
        UnreadableAnswerError: The server's answers are not what the generator can read.
    """
    tally = Tally(order.connections, collects_ids=order.collects_ids)
    asyncio.get_running_loop().set_exception_handler(tally.failed)
    started = perf_counter()
    await _connect(order, tally)
    if order.requests_each:
        seconds = await _until_counted(tally, started)
    else:
        seconds = await _until_elapsed(order, tally)
    if tally.failure is not None:
        raise tally.failure
    return tally.result(seconds)


async def _connect(order: LoadOrder, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    if order.requests_each:
        tally.open_window()
    began_ns, ports = perf_counter_ns(), [order.port, *order.other_ports]
    for index in range(order.connections):
        requests = itertools.islice(requests_of(order, index), order.requests_each or None)
        pace = _pace(order, index, began_ns)
        connection = partial(Connection, requests, tally, pace)
        await loop.create_connection(connection, order.host, ports[index % len(ports)])


def _pace(order: LoadOrder, index: int, began_ns: int) -> Pace | None:
    if not order.rate_per_s:
        return None
    return Pace(
        order.rate_per_s, connections=order.connections, connection=index, began_ns=began_ns
    )


async def _until_counted(tally: Tally, started: float) -> float:
    async with asyncio.timeout(COUNTED_LOAD_LIMIT_S):
        await tally.closed.wait()
    tally.close_window()
    return perf_counter() - started


async def _until_elapsed(order: LoadOrder, tally: Tally) -> float:
    await asyncio.sleep(order.warm_up_s)
    tally.open_window()
    opened = perf_counter()
    await asyncio.sleep(order.seconds)
    tally.close_window()
    seconds = perf_counter() - opened
    # Answers in flight are waited for: a client that hangs up makes the server cancel work, and
    # that work would land in whatever is measured next.
    try:
        async with asyncio.timeout(DRAIN_S):
            await tally.closed.wait()
    except TimeoutError:
        print("some answers never came", file=sys.stderr)
    return seconds


def main() -> None:
    """Read the order, run it, print the result."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=LoadOrder)
    # Nothing here makes cycles; a collection in the window would be counted as server latency.
    gc.disable()
    result = uvloop.run(run(order))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
