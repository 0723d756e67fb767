"""The examiner: tries a key with its provider, and says in plain words what came of it.

Owns the bound on waiting: keys are tried side by side, and none for longer than ten seconds.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio

from actors.examiner.messages import TryKey
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.generation import KeyVerdict, Trial
from engarde_daemon.ports.models import FaultKind, ModelFault, ModelHouse

TRIAL_S = 10.0

_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}
_REFUSED = "{name} does not let this key in. {detail} Copy the key anew from your account there."
_UNKNOWN = "{name} could not try the key just now; it is kept and used all the same. {detail}"


class Examiner(BatchActor[TryKey]):
    """Tries keys side by side, so that a slow provider holds up nobody for long."""

    batch = BatchLimit(messages=16)

    def __init__(self, house: ModelHouse) -> None:
        self._house = house

    async def started(self, resources: AsyncExitStack) -> None:
        """Close the house at the end."""
        resources.push_async_callback(self._house.close)

    async def receive_batch(self, messages: Sequence[TryKey]) -> Sequence[Trial]:
        """Try every key once."""
        trials: list[Trial] = [Trial(KeyVerdict.UNKNOWN, "")] * len(messages)
        async with anyio.create_task_group() as tasks:
            for place, message in enumerate(messages):
                tasks.start_soon(partial(self._try, message, place, trials))
        return trials

    async def _try(self, wish: TryKey, place: int, trials: list[Trial]) -> None:
        name = _NAMES.get(wish.provider, wish.provider)
        try:
            with anyio.fail_after(TRIAL_S):
                await self._house.try_key(wish.provider, wish.secret)
        except TimeoutError:
            told = _UNKNOWN.format(name=name, detail=f"It did not answer within {TRIAL_S:g} s.")
            trials[place] = Trial(KeyVerdict.UNKNOWN, told)
        except ModelFault as fault:
            is_refused = fault.kind is FaultKind.LOCKED
            told = (_REFUSED if is_refused else _UNKNOWN).format(name=name, detail=fault.detail)
            trials[place] = Trial(KeyVerdict.REFUSED if is_refused else KeyVerdict.UNKNOWN, told)
        else:
            trials[place] = Trial(KeyVerdict.ACCEPTED, f"{name} accepts this key.")
