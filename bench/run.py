"""One run: starts the systems, measures them in turn, case by case, and ends them all.

For each case the systems are measured one right after the other, and the one that begins changes
from case to case, so that a machine that slows down or speeds up does so for all of them.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count

import anyio
import msgspec

from bench.bigbrand import fill, read_brands
from bench.bulk import create_in_bulk, timed
from bench.cases import (
    BIG_BRAND,
    HOT_WRITER,
    SMALL_BRAND,
    TENANTS,
    Case,
    Target,
    matrix,
    order_for,
    seed_pages,
    seed_reader,
)
from bench.check import check_answers
from bench.errors import BenchError
from bench.generator import measure_generator
from bench.load.order import LoadOrder
from bench.machine import describe_machine
from bench.measure import Measurement, measure, run_load
from bench.options import Options
from bench.results import BrandRead, Results, Spent, Start
from bench.server import Server
from bench.systems import SYSTEMS, System
from bench.workplace import Workplace, workplace

BRAND_READ_S = 1.0
BULK_ITEMS = 10_000
_BURN_IN = Case(name="create", connections=64)


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A started system with its tenants and the items to read."""

    server: Server
    target: Target
    start: Start


class Run:
    """One run of the benchmark; `say` is told how it goes."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._loads = count(1)
        self._starts: list[Start] = []
        self._measurements: list[Measurement] = []
        self._brand_reads: list[BrandRead] = []
        self._bulk: Spent | None = None

    def results(self) -> Results:
        """Do the whole run; one that fails half-way answers what it has measured by then."""
        began_at, began = datetime.now(UTC), time.perf_counter()
        machine, generator = describe_machine(), measure_generator()
        failure = None
        with workplace() as place:
            try:
                self._measure_everything(place)
            except BenchError as error:
                failure = str(error)
        return Results(
            command=self._options.command,
            began_at=began_at,
            took_s=time.perf_counter() - began,
            failure=failure,
            machine=machine,
            generator=generator,
            starts=self._starts,
            measurements=self._measurements,
            brand_reads=self._brand_reads,
            bulk=self._bulk,
        )

    def _measure_everything(self, place: Workplace) -> None:
        contenders = []
        for name in self._options.systems:
            self._say(f"starting {name} ...")
            contenders.append(self._bring_up(SYSTEMS[name], place))
        if "start" in self._options.cases:
            self._starts.extend(contender.start for contender in contenders)
        for found in self._measure_all(contenders):
            self._say(f"{found.case} {found.connections} {found.system} {_rate(found)}")
            self._measurements.append(found)
        if "engarde" in self._options.systems:
            self._measure_daemon(_daemon_of(contenders))

    def _measure_daemon(self, daemon: Contender) -> None:
        """What is promised of the daemon alone."""
        if "bulk" in self._options.cases:
            self._bulk = _create_in_bulk(daemon)
            self._say(f"bulk {self._bulk.told()}")
        if "big-brand" in self._options.cases:
            self._say("filling the big brand ...")
            self._brand_reads.extend(_read_brands(daemon))

    def _bring_up(self, system: System, place: Workplace) -> Contender:
        """Start twice, to time a start on no data and one on data; then fill and freeze."""
        server = system.server(place.path)
        cold_s = server.start()
        place.running.callback(server.stop)
        tenants = system.provision(server.data_dir, TENANTS)
        server.stop()
        warm_s = server.start()
        server.settle()
        start = Start(system=system.name, cold_s=cold_s, warm_s=warm_s, idle=server.memory())
        target = _seed(system.name, Target(port=server.port, tenants=tenants))
        check_answers(system.name, target)
        # A young PostgreSQL makes its log files as it goes; the first case must not pay for all.
        run_load(self._order(_BURN_IN, target))
        server.settle()
        server.freeze()
        return Contender(server=server, target=target, start=start)

    def _measure_all(self, contenders: list[Contender]) -> Iterator[Measurement]:
        for turn, case in enumerate(matrix(self._options.cases, self._options.connections)):
            first = turn % len(contenders)
            for contender in contenders[first:] + contenders[:first]:
                if case.suits(contender.server.name):
                    order = self._order(case, contender.target)
                    yield measure(case, order, contender.server)

    def _order(self, case: Case, target: Target) -> LoadOrder:
        return order_for(
            case,
            target,
            seconds=self._options.seconds,
            warm_up_s=self._options.warm_up_s,
            load=next(self._loads),
        )


def _seed(name: str, target: Target) -> Target:
    stored, pages = run_load(seed_reader(target)), run_load(seed_pages(target))
    if stored.errors or pages.errors:
        failed = stored.errors | pages.errors
        raise BenchError(f"{name} does not store the items to read: {failed}")
    return msgspec.structs.replace(target, ids=stored.ids)


def _daemon_of(contenders: list[Contender]) -> Contender:
    (daemon,) = (one for one in contenders if one.server.name == "engarde")
    return daemon


def _create_in_bulk(daemon: Contender) -> Spent:
    writer = daemon.target.tenants[HOT_WRITER]
    with daemon.server.awake() as server:
        work = partial(create_in_bulk, server.port, writer, BULK_ITEMS)
        spent = timed(server, BULK_ITEMS, work)
        server.settle()
    return spent


def _read_brands(daemon: Contender) -> list[BrandRead]:
    """The promise compares the daemon with itself."""
    tenants = daemon.target.tenants
    with daemon.server.awake() as server:
        fill_both = partial(fill, big=tenants[BIG_BRAND], small=tenants[SMALL_BRAND])
        anyio.run(fill_both, server.data_dir)
        server.settle()
        return read_brands(daemon.target, seconds=BRAND_READ_S)


def _rate(found: Measurement) -> str:
    return f"{found.load.per_second:,.0f}/s"
