"""The forwarder looks after a batch as long as it has the lease, and after nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
import anyio.lowlevel

from actors.forwarder.actor import Forwarder, ForwarderPace
from actors.forwarder.errands import Errands
from actors.forwarder.messages import HoldOn, Wake
from engarde_daemon.adapters.http import Calls, Gate
from engarde_daemon.adapters.llm.house import HouseOfModels
from engarde_daemon.ports.batches import Batch, BatchState, Move
from engarde_daemon.ports.generation import Claim, Step
from tests.support.acting import acting
from tests.support.jobs import spec

LIMIT_S = 5.0


def batch_of(epoch: int) -> Batch:
    """One and the same batch, leased for the n-th time."""
    return Batch(
        tenant_id="t",
        id="b",
        job_id="j",
        provider="openai",
        epoch=epoch,
        state=BatchState.OPEN,
        name="theirs",
        strangers=(),
        items=1,
        attempts=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        is_cancelled=False,
        is_wanted=True,
        spec=spec(),
    )


class Bench:
    """The `BatchBench` port: the batch is leased each time somebody asks, as if leases ran out."""

    def __init__(self) -> None:
        self.leased = 0
        self.held_second = anyio.Event()

    async def gather(self, batch_id: str, *, most: int, providers: Sequence[str]) -> bool:
        """See `BatchBench.gather`."""
        del batch_id, most, providers
        return False

    async def lease(self, *, most: int, lease_s: float) -> list[Batch]:
        """See `BatchBench.lease`."""
        del most, lease_s
        self.leased += 1
        return [batch_of(self.leased)] if self.leased <= 2 else []

    async def hold(self, batches: Sequence[Batch], *, lease_s: float) -> set[str]:
        """See `BatchBench.hold`."""
        del lease_s
        if [batch.epoch for batch in batches] == [2]:
            self.held_second.set()
        return {batch.id for batch in batches}

    async def move(self, move: Move) -> bool:
        """See `BatchBench.move`."""
        del move
        return True

    async def claims(self, batch: Batch) -> list[Claim]:
        """See `BatchBench.claims`."""
        del batch
        return []

    async def note(self, steps: Sequence[Step]) -> None:
        """See `BatchBench.note`."""
        del steps

    async def names(self, batch: Batch) -> set[str]:
        """See `BatchBench.names`."""
        del batch
        return set()


class Waiting(Errands):
    """Errands that last until they are let go."""

    def __init__(self) -> None:
        self.begun = {epoch: anyio.Event() for epoch in (1, 2)}
        self.let_go = {epoch: anyio.Event() for epoch in (1, 2)}

    async def run(self, batch: Batch) -> None:
        """Wait."""
        self.begun[batch.epoch].set()
        await self.let_go[batch.epoch].wait()


async def test_a_batch_that_was_leased_anew_is_looked_after_anew():
    """PostgreSQL was away for longer than a lease: the end of the first look is not the second's."""
    bench, errands = Bench(), Waiting()
    calls = Calls(Gate(), connections=1)

    def make() -> Forwarder:
        return Forwarder(
            bench=bench,
            errands=errands,
            house=HouseOfModels({}, own=calls, guarded=calls, timeout_s=1.0),
            providers=[],
            new_id=str,
            pace=ForwarderPace(poll_s=3600.0, lease_s=3600.0),
        )

    async with acting(make) as forwarder:
        await errands.begun[1].wait()
        await forwarder.tell(Wake())
        await errands.begun[2].wait()
        errands.let_go[1].set()
        await anyio.wait_all_tasks_blocked()
        await forwarder.tell(HoldOn())
        with anyio.fail_after(LIMIT_S):
            await bench.held_second.wait()
        errands.let_go[2].set()
