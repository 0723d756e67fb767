"""The locksmith: has the platform's signing keys at hand before anyone asks for them.

Owns the number of questions to the issuer: one a `refresh_s`, and one a `seek_s` however many tokens
name keys that do not exist; while it does not answer, one a `seek_s` for whatever reason. Questions
come one by one through the mailbox, so that many who miss the same new key wait for one answer.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import assert_never

import structlog

from actors.clock import ticking
from actors.locksmith.messages import LocksmithMessage, RefreshDue, SeekKey
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.access import SigningKeys

_LOG = structlog.get_logger("engarde.tokens")


class Locksmith(Actor[LocksmithMessage]):
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

    async def receive(self, message: LocksmithMessage) -> None:
        """Ask the issuer, if it is time for that."""
        match message:
            case RefreshDue():
                if self._clock() >= self._due_at:
                    await self._refresh()
            case SeekKey(key_id):
                if not self._keys.holds(key_id) and self._clock() >= self._seek_at:
                    self._seek_at = self._clock() + self._seek_s
                    await self._refresh()
            case _:
                assert_never(message)

    async def _refresh(self) -> None:
        try:
            await self._keys.refresh()
        except Unavailable as error:
            self._due_at = self._seek_at = self._clock() + self._seek_s
            _LOG.warning("signing keys not renewed", reason=error.detail)
        else:
            self._due_at = self._clock() + self._refresh_s
