"""`python -m bench attached`: what a daemon loses while somebody keeps its dashboard open.

Rounds with and without the real dashboard alternate, and each is compared with its neighbour alone,
so that a machine that slows down does so for both. The dashboard itself would run on somebody's
desk, and here it takes of two cores what daemon and callers fill; so what counts is how many requests
the daemon and its PostgreSQL answer in a second of processor time, and the rates are told beside it.
"""

import statistics
from collections.abc import Callable
from typing import NamedTuple

import anyio
import msgspec
from anyio import to_thread

from bench.dashboard import opened_at, shown
from bench.errors import BenchError
from bench.load.order import LoadOrder, Traffic
from bench.measure import run_load
from bench.provision import make_tenants
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import Verdict
from bench.tenants import Tenant
from bench.workplace import workplace
from engarde_daemon.domain.access import Role
from tests.support.terminals import PtyTerminal

PAIRS = 8
CLIENTS = 16
ITEMS = 256
SECONDS = 3.0
WARM_UP_S = 1.0
KEPT = 0.97
DRAW_EVERY_S = 0.1
SETTLED_WITHIN_S = 120.0
"""Enough for what the creates of a round leave behind, beside which nothing can be compared."""
_SERIALS_PER_LOAD = 10**9

Say = Callable[[str], None]


class Pace(NamedTuple):
    """Requests in a second, of processor time and of the clock; or what is left of both."""

    by_processor: float
    by_clock: float

    def of(self, other: "Pace") -> "Pace":
        """What this is as a share of another."""
        return Pace(self.by_processor / other.by_processor, self.by_clock / other.by_clock)

    def told(self) -> str:
        """The shares."""
        return f"{self.by_processor:.1%} (rate {self.by_clock:.1%})"


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure so many pairs of rounds."""
    pairs = count or PAIRS
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        writer, operator = _callers(server)
        loads = _loads(server, writer)
        shares: dict[str, list[Pace]] = {name: [] for name in loads}
        _pair(server, operator, loads, begins_attached=True)  # the first is of a cold daemon
        for number in range(pairs):
            loads = {name: _fresh(order) for name, order in loads.items()}
            found = _pair(server, operator, loads, begins_attached=number % 2 == 1)
            for name, share in found.items():
                shares[name].append(share)
            say(", ".join(f"{name} {share.told()}" for name, share in found.items()))
    return [_judged(name, found) for name, found in shares.items()]


def _callers(server: Server) -> tuple[Tenant, Tenant]:
    (writer,) = anyio.run(make_tenants, server.data_dir, 1)
    (operator,) = anyio.run(make_tenants, server.data_dir, 1, Role.OPERATOR)
    return writer, operator


def _loads(server: Server, writer: Tenant) -> dict[str, LoadOrder]:
    create = LoadOrder(
        port=server.port,
        traffic=Traffic.CREATE,
        keys=[writer.api_key],
        connections=CLIENTS,
        requests_each=ITEMS // CLIENTS,
        collects_ids=True,
    )
    stored = run_load(create)
    if stored.errors:
        raise BenchError(f"the daemon does not store the items to read: {stored.errors}")
    timed = msgspec.structs.replace(
        create, requests_each=0, collects_ids=False, seconds=SECONDS, warm_up_s=WARM_UP_S
    )
    paths = [f"/api/content/{item}" for item in stored.ids]
    return {
        "get": msgspec.structs.replace(timed, traffic=Traffic.FETCH, paths=paths),
        "create": _fresh(timed),
    }


def _fresh(order: LoadOrder) -> LoadOrder:
    """The same load with texts that were never written before, for a pair of rounds."""
    return msgspec.structs.replace(order, first_serial=order.first_serial + 2 * _SERIALS_PER_LOAD)


def _pair(
    server: Server, operator: Tenant, loads: dict[str, LoadOrder], *, begins_attached: bool
) -> dict[str, Pace]:
    """What is left of each load's pace with the dashboard, by two rounds, one after the other."""
    paces: dict[bool, dict[str, Pace]] = {}
    for is_attached in (begins_attached, not begins_attached):
        server.settle(within_s=SETTLED_WITHIN_S)
        if is_attached:
            paces[True] = anyio.run(_attached, server, operator, loads)
        else:
            paces[False] = {name: _pace(server, order) for name, order in loads.items()}
    return {name: paces[True][name].of(paces[False][name]) for name in loads}


async def _attached(
    server: Server, operator: Tenant, loads: dict[str, LoadOrder]
) -> dict[str, Pace]:
    with opened_at(server.port, operator.api_key) as (terminal, _):
        await shown(terminal, "live")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_draw, terminal)
            paces = {
                name: await to_thread.run_sync(_pace, server, _later(order))
                for name, order in loads.items()
            }
            tasks.cancel_scope.cancel()
    return paces


def _later(order: LoadOrder) -> LoadOrder:
    return msgspec.structs.replace(order, first_serial=order.first_serial + _SERIALS_PER_LOAD)


async def _draw(terminal: PtyTerminal) -> None:
    """Take what the dashboard writes, as a terminal does."""
    while True:
        terminal.text()
        await anyio.sleep(DRAW_EVERY_S)


def _pace(server: Server, order: LoadOrder) -> Pace:
    spent_s = server.cpu().total_s
    seen = run_load(order)
    spent_s = server.cpu().total_s - spent_s
    if seen.errors:
        raise BenchError(f"requests failed: {seen.errors}")
    answered = seen.per_second * (SECONDS + WARM_UP_S)
    return Pace(answered / spent_s, seen.per_second)


def _judged(name: str, shares: list[Pace]) -> Verdict:
    kept = [share.by_processor for share in shares]
    middle, rate = statistics.median(kept), statistics.median(share.by_clock for share in shares)
    return Verdict(
        promise=f"{name}: ≥ {KEPT:.0%} of the pace is left with a dashboard, median of {len(shares)}",
        measured=f"{middle:.1%} ({min(kept):.1%} to {max(kept):.1%}); of the rate here {rate:.1%}",
        is_kept=middle >= KEPT,
    )
