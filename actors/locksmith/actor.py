"""The locksmith: has the platform's signing keys at hand before anyone asks for them.

Owns the number of questions to the issuer: one a `refresh_s`, and one a `seek_s` however many tokens
name keys that do not exist; while it does not answer, one a `seek_s` for whatever reason. All who
wait for keys are answered together, so that a flood of forged tokens is one turn of the locksmith's
and keeps nobody waiting who comes with it.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import structlog

from actors.clock import ticking
from actors.locksmith.messages import LocksmithMessage, RefreshDue, SeekKey
from engarde_daemon.core import BatchActor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.access import SigningKeys

_LOG = structlog.get_logger("engarde.tokens")


class Locksmith(BatchActor[LocksmithMessage]):
    """Asks the issuer, seldom."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        refresh_s: float,
        seek_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._refresh_s = refresh_s
        self._seek_s = seek_s
        self._clock = clock
        self._due_at = clock()
        self._seek_at = clock()

    async def started(self, resources: AsyncExitStack) -> None:
        """Have the keys before the first token comes, if the issuer answers, then keep them fresh."""
        await self._refresh()
        await ticking(resources, self.own, RefreshDue(), every_s=self._seek_s)

    async def receive_batch(self, messages: Sequence[LocksmithMessage]) -> Sequence[None]:
        """Ask the issuer once for all of them, if it is time for that."""
        sought = (message.key_id for message in messages if isinstance(message, SeekKey))
        is_missed = not all(self._keys.holds(key_id) for key_id in sought)
        if is_missed and self._clock() >= self._seek_at:
            self._seek_at = self._clock() + self._seek_s
            await self._refresh()
        elif self._clock() >= self._due_at and RefreshDue() in messages:
            await self._refresh()
        return [None] * len(messages)

    async def _refresh(self) -> None:
        try:
            await self._keys.refresh()
        except Unavailable as error:
            self._due_at = self._seek_at = self._clock() + self._seek_s
            _LOG.warning("signing keys not renewed", reason=error.detail)
        else:
            self._due_at = self._clock() + self._refresh_s
