"""What becomes of the items of a batch, written down a hundred at a time.

Owns that an answer is counted once: only an item that nobody has told of yet takes one, so that
reading the same answers again, or at two places, changes nothing.
"""

from collections.abc import AsyncIterator, Sequence

from actors.generation.credentials import Credentials
from actors.generation.outcomes import GIVEN_UP, Payments, given_up
from engarde_daemon.domain.generation import Failure
from engarde_daemon.ports.batches import Batch, BatchBench, Outcome
from engarde_daemon.ports.generation import Claim, Step, given_back
from engarde_daemon.ports.models import FaultKind, ModelFault, Reply
from engarde_daemon.ports.secrets import SealedKey

NOTED_AT_ONCE = 100
TRIES_MAX = 4
AGAIN_S = 300.0
"""After how long a batch is tried again that the provider had no room for."""

_UNHEARD = ModelFault(FaultKind.BUSY, "The provider gave no answer to this item.")


class Results:
    """Writes down outcomes."""

    def __init__(self, *, bench: BatchBench, payments: Payments, credentials: Credentials) -> None:
        self._bench = bench
        self._payments = payments
        self._credentials = credentials

    async def take(self, batch: Batch, key: SealedKey, outcomes: AsyncIterator[Outcome]) -> None:
        """Write down what became of items, as it comes.

        Raises:
            ModelFault: The provider does not tell more; what it told is written down.
            StrangeBatchError: These are answers to somebody else.
            Unavailable: PostgreSQL does not answer.
        """
        claims = {claim.number: claim for claim in await self._bench.claims(batch)}
        steps: list[Step] = []
        try:
            async for number, outcome in outcomes:
                claim = claims.pop(number, None)
                if claim is not None:
                    steps.append(await self._step(claim, key, outcome))
                if len(steps) == NOTED_AT_ONCE:
                    await self._note(steps)
                    steps = []
        except ModelFault:
            await self._note(steps)
            raise
        await self._note(steps)

    async def give_up(self, batch: Batch, key: SealedKey, fault: ModelFault | None) -> None:
        """Have everything that is left of a batch asked for again, or fail for this reason.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        claims = await self._bench.claims(batch)
        if fault is not None and fault.kind is FaultKind.BUSY:
            steps = [given_back(claim, wait_s=AGAIN_S, burn=False) for claim in claims]
        else:
            steps = [await self._step(claim, key, fault or _UNHEARD) for claim in claims]
        for start in range(0, len(steps), NOTED_AT_ONCE):
            await self._note(steps[start : start + NOTED_AT_ONCE])

    async def _note(self, steps: Sequence[Step]) -> None:
        if steps:
            await self._bench.note(steps)

    async def _step(self, claim: Claim, key: SealedKey, outcome: Reply | ModelFault) -> Step:
        if isinstance(outcome, Reply):
            return await self._payments.step(claim, outcome, wait_s=0.0)
        if outcome.kind is FaultKind.LOCKED:
            await self._credentials.pause(key, outcome.detail)
            return given_back(claim, wait_s=0.0, burn=False)
        if outcome.kind in GIVEN_UP:
            return await self._payments.given_up(claim, outcome)
        if claim.attempts >= TRIES_MAX:
            tried = f"It was tried {claim.attempts} times; at last: {outcome.detail}"
            return given_up(claim, Failure.UNREACHABLE, tried)
        return given_back(claim, wait_s=0.0, burn=True)
