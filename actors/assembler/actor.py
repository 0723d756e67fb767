"""The assembler: makes files of uploads whose last part came to a daemon that died, or was in trouble.

Owns the promise that an upload which was told to be whole becomes a file, or says why it did not,
though its sender never comes again. As a rule the request that brings the last part makes the file.
"""

from contextlib import AsyncExitStack, suppress

from actors.assembler.messages import Assemble
from actors.clock import ticking
from actors.custodian.resumption import Resumption
from engarde_daemon.core import Actor, ActorError
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.ports.resuming import ResumableBook

POLL_S = 5.0
LEASE_S = 30.0


class Assembler(Actor[Assemble]):
    """Joins one upload after the other."""

    def __init__(self, book: ResumableBook, resumption: Resumption) -> None:
        self._book = book
        self._resumption = resumption

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, Assemble(), every_s=POLL_S)

    async def receive(self, message: Assemble) -> None:
        """Join the upload that waits the longest."""
        del message
        # Refusals are written down where their sender finds them; anything else comes again.
        with suppress(EngardeError, ActorError):
            for key in await self._book.claim_whole(1, lease_s=LEASE_S):
                await self._resumption.join(await self._resumption.find(key))
