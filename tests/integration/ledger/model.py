"""The ledger in memory: every rule of it once more, in the plainest words.

Time is not the model's: whoever lets a promise's time run out says so with `run_out`.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.ledger import Entry, Verdict


class Promise(msgspec.Struct):
    """One reservation as it stands."""

    entry: Entry
    state: str = "pending"
    due: bool = False
    actual: int = 0

    @property
    def owner(self) -> tuple[str, str, date | None]:
        """What every later operation on it must name again."""
        return self.entry.tenant_id, self.entry.resource, self.entry.period


class Model:
    """What the book should answer, and what it should then hold."""

    def __init__(self, plans: Mapping[str, Plan], plan_of: dict[str, str]) -> None:
        self._plans = plans
        self.plan_of = plan_of
        self.promises: dict[str, Promise] = {}

    def apply(self, entry: Entry) -> Verdict:
        """Do one operation."""
        held = self.promises.get(entry.id)
        if held is None:
            return self._begin(entry) if entry.verb == "reserve" else Verdict.UNKNOWN
        if held.owner != (entry.tenant_id, entry.resource, entry.period):
            return Verdict.ID_REUSED
        if entry.verb == "reserve":
            return self._repeat(held, entry)
        return self._settle(held, entry) if entry.verb == "settle" else self._release(held)

    def expire(self) -> int:
        """Give back what is past its time."""
        late = [held for held in self.promises.values() if held.state == "pending" and held.due]
        for held in late:
            held.state = "expired"
        return len(late)

    def run_out(self, promise_id: str) -> None:
        """Let the time of a promise pass."""
        if promise_id in self.promises:
            self.promises[promise_id].due = True

    def pending(self, tenant: str, resource: str, period: date | None = None) -> int:
        """What is promised and neither used nor given back."""
        return sum(
            held.entry.amount
            for held in self.promises.values()
            if held.state == "pending" and held.owner == (tenant, resource, period)
        )

    def used(self, tenant: str, period: date) -> int:
        """How many pieces were generated in a month."""
        return sum(
            held.actual
            for held in self.promises.values()
            if held.state == "settled" and held.owner == (tenant, "generation", period)
        )

    def _begin(self, entry: Entry) -> Verdict:
        free = self._free(entry)
        if entry.amount <= 0 or (free is not None and entry.amount > free):
            return Verdict.FULL
        self.promises[entry.id] = Promise(entry, due=entry.ttl_s <= 0)
        return Verdict.OK

    def _repeat(self, held: Promise, entry: Entry) -> Verdict:
        if entry.amount != held.entry.amount:
            return Verdict.ID_REUSED
        late = held.state == "expired" or (held.state == "pending" and held.due)
        return Verdict.EXPIRED if late else Verdict.REPLAYED

    def _settle(self, held: Promise, entry: Entry) -> Verdict:
        if held.state == "settled":
            return Verdict.REPLAYED if entry.amount == held.actual else Verdict.SETTLED
        if held.state == "released":
            return Verdict.RELEASED
        if held.state == "expired" or held.due:
            return Verdict.EXPIRED
        if not 0 <= entry.amount <= held.entry.amount:
            return Verdict.ABOVE_RESERVED
        held.state, held.actual = "settled", entry.amount
        return Verdict.OK

    def _release(self, held: Promise) -> Verdict:
        if held.state == "settled":
            return Verdict.SETTLED
        if held.state != "pending":
            return Verdict.REPLAYED
        held.state = "released"
        return Verdict.OK

    def _free(self, entry: Entry) -> int | None:
        plan = self._plans[self.plan_of[entry.tenant_id]]
        if entry.resource == "storage":
            limit, held = plan.storage_bytes, 0
        else:
            assert entry.period is not None
            limit, held = plan.monthly_items, self.used(entry.tenant_id, entry.period)
        if limit is None:
            return None
        return limit - held - self.pending(entry.tenant_id, entry.resource, entry.period)
