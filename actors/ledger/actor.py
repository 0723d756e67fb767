"""The ledger's actor: batches operations, expires promises, and checks the books all the time.

Owns the rule that drift is never mended silently: a figure that does not agree is counted,
logged and shown, because it says that somewhere a write went past the ledger; it is mended when an
operator asks for it, who is told what was wrong. Owns also that tenants hear of other plans: how full
they are is reckoned anew whenever the plans are others than at the last look.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from actors.clock import ticking
from actors.ledger.messages import (
    CheckBooks,
    ExpireDue,
    LedgerMessage,
    Reconcile,
    Release,
    Reserve,
    Settle,
)
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.plans import Plan
from engarde_daemon.failpoints import LEDGER_AFTER_APPLY
from engarde_daemon.ports.ledger import Drift, LedgerBook

TENANTS_PER_CHECK = 20
EXPIRED_PER_SWEEP = 500
LEVELS_PER_LOOK = 500
CHECKS_SHARE = 0.02
"""How much of the time looking at the books may take: it reads all that the tenants have."""

_CHORES = (CheckBooks, ExpireDue)
_OPERATIONS = (Reserve, Settle, Release)


class Ledger(BatchActor[LedgerMessage]):
    """Keeps promises of room, a transaction a batch."""

    batch = BatchLimit(messages=512)

    def __init__(
        self,
        book: LedgerBook,
        *,
        plans: Mapping[str, Plan],
        expire_s: float,
        check_s: float,
        clock: Callable[[], float],
        drifted: Callable[[Sequence[Drift]], None],
        counted: Callable[[int], None],
    ) -> None:
        self._book = book
        self._plans = plans
        self._reckoned_by: Mapping[str, Plan] | None = None
        self._expire_s = expire_s
        self._check_s = check_s
        self._clock = clock
        self._checks_rest_until = -math.inf
        self._drifted = drifted
        self._counted = counted
        self._checked = ""
        self._drift: dict[str, list[Drift]] = {}

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look for promises past their time, and at the books."""
        await ticking(resources, self.own, ExpireDue(), every_s=self._expire_s)
        await ticking(resources, self.own, CheckBooks(), every_s=self._check_s)

    async def receive_batch(self, messages: Sequence[LedgerMessage]) -> Sequence[Any]:
        """Apply all operations; an id that comes twice waits for the next round."""
        answers: dict[int, Any] = {}
        waiting = {p: m.entry() for p, m in enumerate(messages) if isinstance(m, _OPERATIONS)}
        while waiting:
            round_ = {entry.id: place for place, entry in reversed(waiting.items())}
            places = sorted(round_.values())
            verdicts = await self._book.apply([waiting.pop(place) for place in places])
            await LEDGER_AFTER_APPLY.reached()
            answers |= dict(zip(places, verdicts, strict=True))
        for place, message in enumerate(messages):
            if isinstance(message, Reconcile):
                answers[place] = await self._reconcile(message.tenant_id)
        for kind in {type(message) for message in messages if isinstance(message, _CHORES)}:
            await self._do_chore(kind)
        return [answers.get(place) for place in range(len(messages))]

    async def _reconcile(self, tenant_id: str) -> list[Drift]:
        mended = await self._book.reconcile(tenant_id)
        self._drift.pop(tenant_id, None)
        self._show_drift()
        return mended

    async def _do_chore(self, kind: type) -> None:
        # A chore shares its batch with askers, whose answers stand already: when the database
        # goes away now, the next reminder tries again.
        with suppress(Unavailable):
            if kind is CheckBooks:
                await self._check_at_leisure()
                return
            while await self._book.expire(EXPIRED_PER_SWEEP):
                continue
            await self._reckon_levels()

    async def _reckon_levels(self) -> None:
        """Go on with the tenants whose level other plans made another, a part at each reminder."""
        plans = dict(self._plans)  # a reload changes the mapping itself
        if plans != self._reckoned_by and await self._book.note_levels(LEVELS_PER_LOOK) == 0:
            self._reckoned_by = plans

    async def _check_at_leisure(self) -> None:
        began = self._clock()
        if began < self._checks_rest_until:
            return
        try:
            await self._check_books()
        finally:
            ended = self._clock()
            self._checks_rest_until = ended + (ended - began) / CHECKS_SHARE

    async def _check_books(self) -> None:
        self._counted(await self._book.pending())
        tenants = await self._book.tenants_after(self._checked, TENANTS_PER_CHECK)
        self._checked = tenants[-1] if len(tenants) == TENANTS_PER_CHECK else ""
        if not tenants:
            return
        found = await self._book.drift(tenants)
        for tenant_id in tenants:
            self._drift.pop(tenant_id, None)
        for drift in found:
            self._drift.setdefault(drift.tenant_id, []).append(drift)
        await self._book.restate_usage(tenants)
        self._show_drift()

    def _show_drift(self) -> None:
        self._drifted([drift for drifts in self._drift.values() for drift in drifts])
