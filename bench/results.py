"""Everything one run found out, in the form in which it is written to a file."""

from datetime import datetime

import msgspec

from bench.load.order import LoadResult
from bench.machine import Machine
from bench.measure import Measurement
from bench.usage import Cpu, Memory


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How long a system took to its first `/readyz`, on no data and again, and its idle memory."""

    system: str
    cold_s: float
    warm_s: float
    idle: Memory


class BrandRead(msgspec.Struct, frozen=True, kw_only=True):
    """The median time of one read on a small brand and on a big one."""

    name: str
    small_ms: float
    big_ms: float

    @property
    def ratio(self) -> float:
        """How many times longer the big brand takes."""
        return self.big_ms / self.small_ms


class Spent(msgspec.Struct, frozen=True):
    """What a piece of work took."""

    items: int
    seconds: float
    cpu: Cpu

    @property
    def per_second(self) -> float:
        """Items a second by the clock on the wall."""
        return self.items / self.seconds

    def told(self) -> str:
        """The rate, and what each item costs whatever else the machine does."""
        own, postgres = (s * 1e6 / self.items for s in (self.cpu.own_s, self.cpu.postgres_s))
        return f"{self.per_second:,.0f}/s, {own:.0f} µs CPU an item, PostgreSQL {postgres:.0f} µs"


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    command: str
    began_at: datetime
    took_s: float
    failure: str | None = None
    machine: Machine
    generator: list[LoadResult]
    measurements: list[Measurement]
    starts: list[Start] = []
    brand_reads: list[BrandRead] = []
    bulk: Spent | None = None

    def find(self, system: str, case: str, connections: int) -> Measurement | None:
        """The measurement of one system under one case, if it was made."""
        wanted = (system, case, connections)
        for measurement in self.measurements:
            if (measurement.system, measurement.case, measurement.connections) == wanted:
                return measurement
        return None

    def ratio(self, case: str, connections: int, *, to: str) -> float | None:
        """The daemon's throughput as a multiple of a reference's, if both were measured."""
        ours = self.find("engarde", case, connections)
        theirs = self.find(to, case, connections)
        if ours is None or theirs is None or theirs.load.per_second == 0:
            return None
        return ours.load.per_second / theirs.load.per_second
