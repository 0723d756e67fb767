"""One look after one batch: ordered, asked about, cancelled or brought home.

Owns that nothing is ordered twice. That a creation begins is written down before the provider hears
of it; whoever finds such a word asks the provider for the batch before it orders anything. And
answers are written down as they are read, so that a crash half-way loses none and counts none twice.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from actors.forwarder.results import Results
from actors.generation.credentials import Credentials
from actors.generation.outcomes import ask_for
from engarde_daemon.ports.batches import (
    Batch,
    BatchBench,
    BatchHouse,
    BatchModel,
    BatchState,
    Move,
    Sought,
    StrangeBatchError,
)
from engarde_daemon.ports.models import FaultKind, ModelFault
from engarde_daemon.ports.secrets import SealedKey

BEGUN_MAX = 4
UNSURE_S = 30.0
"""How long an order of which nothing was heard may take to show in the provider's list."""
REST_MAX_S = 900.0


class Line(msgspec.Struct, frozen=True):
    """A provider, and the key with which it is reached."""

    key: SealedKey
    model: BatchModel


class Errands:
    """Does for a batch what is to be done next."""

    def __init__(
        self,
        *,
        bench: BatchBench,
        credentials: Credentials,
        house: BatchHouse,
        results: Results,
        changed: Callable[[], None],
        poll_s: float,
    ) -> None:
        self._bench = bench
        self._credentials = credentials
        self._house = house
        self._results = results
        self._changed = changed
        self._poll_s = poll_s

    async def run(self, batch: Batch) -> None:
        """Do it, and give the lease back.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease runs out by itself.
        """
        key = await self._credentials.key_of(batch.tenant_id, batch.provider)
        try:
            model = self._house.batches_of(batch.provider, self._credentials.secret_of(key))
            line = Line(key, model)
            if not batch.is_wanted and not await self._bench.claims(batch):
                await self._abandon(batch, model)
            elif batch.name is None:
                await self._open(batch, line)
            else:
                await self._look(batch, batch.name, line)
        except ModelFault as fault:
            await self._later(batch, key, fault)

    async def _open(self, batch: Batch, line: Line) -> None:
        if batch.attempts:
            name = await line.model.find(await self._sought(batch))
            if name is not None:
                await self._move(batch, BatchState.OPEN, name=name, wait_s=0.0)
                return
        if not batch.is_wanted or batch.attempts >= BEGUN_MAX:
            told = f"The provider did not take the batch in {batch.attempts} attempts."
            await self._results.give_up(batch, line.key, ModelFault(FaultKind.BROKEN, told))
            await self._close(batch)
            return
        await self._order(batch, line)

    async def _sought(self, batch: Batch) -> Sought:
        others = await self._bench.names(batch)
        return Sought(
            id=batch.id,
            items=batch.items,
            since=batch.created_at,
            not_these=others | set(batch.strangers),
        )

    async def _order(self, batch: Batch, line: Line) -> None:
        claims = await self._bench.claims(batch)
        if not await self._move(batch, BatchState.OPENING, begun=1):
            return
        try:
            name = await line.model.submit(
                batch.id, {claim.number: ask_for(claim) for claim in claims}
            )
        except ModelFault as fault:
            await self._not_ordered(batch, line.key, fault)
            return
        if not await self._move(batch, BatchState.OPEN, name=name, wait_s=self._poll_s):
            await line.model.cancel(name)  # whoever has the lease by now orders it, too

    async def _not_ordered(self, batch: Batch, key: SealedKey, fault: ModelFault) -> None:
        if fault.kind is FaultKind.BROKEN:
            wait_s = min(UNSURE_S, self._poll_s)
            await self._move(batch, BatchState.OPENING, wait_s=wait_s)
        elif fault.kind is FaultKind.REJECTED:
            await self._results.give_up(batch, key, fault)
            await self._close(batch)
        else:
            await self._later(batch, key, fault, begun=-1)

    async def _look(self, batch: Batch, name: str, line: Line) -> None:
        standing = await line.model.standing(name)
        if standing.is_over:
            if standing.fault is None and not await self._read_answers(batch, name, line):
                return
            await self._results.give_up(batch, line.key, standing.fault)
            await self._close(batch)
        elif batch.is_wanted:
            await self._move(batch, BatchState.OPEN, wait_s=self._poll_s)
        else:
            await line.model.cancel(name)  # at each look: to be told twice changes nothing
            await self._move(batch, BatchState.OPEN, cancelled=True, wait_s=self._poll_s)

    async def _read_answers(self, batch: Batch, name: str, line: Line) -> bool:
        """Take the answers home; false where they are not for us, and ours is to be looked for."""
        try:
            async with line.model.outcomes(batch.id, name, batch.spec.model) as outcomes:
                await self._results.take(batch, line.key, outcomes)
        except StrangeBatchError:
            await self._move(batch, BatchState.OPENING, stranger=name, wait_s=0.0)
            return False
        return True

    async def _abandon(self, batch: Batch, model: BatchModel) -> None:
        """Leave a batch whose job has ended without it; what it still does would be for nothing."""
        if batch.name is not None and not batch.is_cancelled:
            with suppress(ModelFault):
                await model.cancel(batch.name)
        await self._close(batch)

    async def _later(
        self, batch: Batch, key: SealedKey, fault: ModelFault, *, begun: int = 0
    ) -> None:
        """Look again after a while, or when somebody has given a better key."""
        wait_s = self._poll_s if fault.after_s is None else min(fault.after_s, REST_MAX_S)
        if fault.kind is FaultKind.LOCKED:
            await self._credentials.pause(key, fault.detail)
        # Marked, a batch that nobody wants is not looked at sooner than others.
        told = {"begun": begun, "cancelled": not batch.is_wanted, "wait_s": wait_s}
        await self._move(batch, batch.state, **told)

    async def _close(self, batch: Batch) -> None:
        await self._move(batch, BatchState.CLOSED)
        self._changed()

    async def _move(self, batch: Batch, state: BatchState, **told: Any) -> bool:
        return await self._bench.move(
            Move(tenant_id=batch.tenant_id, id=batch.id, epoch=batch.epoch, state=state, **told)
        )
