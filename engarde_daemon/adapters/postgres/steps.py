"""Steps of generation that PostgreSQL does not take, and that hold up no others.

Owns that such a step is set aside. Its item fails for a reason that its tenant can read, and the log
names it; otherwise the item would come again and again, and its model be paid each time.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from engarde_daemon.adapters.postgres.faults import UNWRITABLE
from engarde_daemon.ports.generation import Step, set_aside

_LOG = structlog.get_logger("engarde.generation")

Held = dict[int, int | None]
Write = Callable[[Sequence[Step]], Awaitable[Held]]


async def noted(steps: Sequence[Step], write: Write) -> Held:
    """Write all steps at once, or where one spoils that, each half for itself.

    Those that were set aside are not among the ones that held.

    Raises:
        Unavailable: PostgreSQL does not answer; whether they were written is not known.
    """
    try:
        return await write(steps)
    except UNWRITABLE as error:
        if len(steps) == 1:
            await _set_aside(steps[0], write, error)
            return {}
    middle = len(steps) // 2
    held = await noted(steps[:middle], write)
    later = await noted(steps[middle:], write)
    return held | {middle + place: answer for place, answer in later.items()}


async def _set_aside(step: Step, write: Write, error: Exception) -> None:
    told = {"job_id": step.job_id, "number": step.number, "state": step.state.value}
    reason = getattr(error, "sqlstate", None) or type(error).__name__
    for lesser in set_aside(step):
        try:
            await write([lesser])
        except UNWRITABLE:
            continue
        _LOG.error("a step cannot be written down: set aside", **told, reason=reason)
        return
    _LOG.error("a step cannot be written down, nor that it failed", **told, reason=reason)
