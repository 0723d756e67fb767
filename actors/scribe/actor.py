"""The scribe: writes down what happened to items.

Owns group commit for them: answers that come in the same moment are one transaction, so that a paid
answer is safe within milliseconds however many calls are under way.
"""

from collections.abc import Sequence

from actors.scribe.messages import Noted, NoteStep
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation import Step, WorkBench


class Scribe(BatchActor[NoteStep]):
    """Writes steps, a transaction a batch."""

    batch = BatchLimit(messages=128, cost=8 * 1024 * 1024)

    def __init__(self, bench: WorkBench) -> None:
        self._bench = bench

    def cost(self, message: NoteStep) -> int:
        """Count the characters of an answer."""
        return len(message.step.answer.text) if message.step.answer else 0

    async def receive_batch(self, messages: Sequence[NoteStep]) -> Sequence[Noted]:
        """Write all steps and say which claims held."""
        steps = [message.step for message in messages]
        held = await self._bench.note(steps)
        return [Noted(n in held, _signed(step, held.get(n))) for n, step in enumerate(steps)]


def _signed(step: Step, place: int | None) -> SignedAnswer | None:
    if place is None:
        return None
    return SignedAnswer(step.job_id, step.number, place, step.signature)
