"""Reading the next batch while one is under way.

Owns the promise that what was read is sent soon or read again: a content that was erased since is
removed from the archive twice, a minute apart, and must not come into it after that.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeAlias, TypeVar

import anyio

from actors.replicator.cargo import Lot
from engarde_daemon.domain.errors import Denied, Unavailable

FRESH_S = 10.0

Result = TypeVar("Result")
Read: TypeAlias = Callable[[Sequence[int]], Awaitable[Lot | None]]


class Ahead:
    """The lot that was read while another one was sent, as long as it is fresh."""

    def __init__(self, read: Read, *, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lot: Lot | None = None
        self._read_at = 0.0

    def take(self) -> Lot | None:
        """The lot, once; None where there is none, or where it was read too long ago."""
        lot, self._lot = self._lot, None
        return lot if self._clock() - self._read_at <= FRESH_S else None

    async def while_sending(self, send: Awaitable[Result], under_way: Sequence[int]) -> Result:
        """What comes of sending; meanwhile what is owed besides these numbers is read.

        Raises:
            Denied: The archive refuses it.
            Unavailable: The archive or PostgreSQL does not answer whoever sends.
        """
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._look, under_way)
            try:
                result = await send
            except (Denied, Unavailable) as error:
                failure = error
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return result

    async def _look(self, under_way: Sequence[int]) -> None:
        self._read_at = self._clock()
        with suppress(Unavailable):  # it is read again, and then said
            self._lot = await self._read(under_way)
