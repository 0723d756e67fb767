"""Room for a file whose size nobody knows yet: promised in steps, as its bytes come.

Owns the rule that no byte is stored that was not promised room before. Steps grow, so that a large
file asks seldom; where a step does not fit any more, smaller ones are tried, down to what is needed
now, so that the last byte of a plan can be used.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

from actors.custodian.messages import CustodianMessage, ExtendUpload
from actors.ledger.messages import LedgerMessage, Reserve
from engarde_daemon.core import Address
from engarde_daemon.domain.media import UploadLost
from engarde_daemon.ports.ledger import Verdict
from engarde_daemon.ports.media import Attempt, Promise

FIRST_STEP_BYTES = 1024 * 1024
LAST_STEP_BYTES = 64 * 1024 * 1024
LOST = "It was given up because nothing was heard of it for too long. Send the file again."


class NoRoom(Exception):
    """The plan has no room for so many bytes more."""

    def __init__(self, wanted_bytes: int) -> None:
        super().__init__(f"no room for {wanted_bytes} bytes more")
        self.wanted_bytes = wanted_bytes


class Room:
    """What is promised to one upload, of which `used` bytes came before and no more than `most` will."""

    def __init__(
        self,
        attempt: Attempt,
        custodian: Address[CustodianMessage],
        ledger: Address[LedgerMessage],
        *,
        new_id: Callable[[], str],
        clock: Callable[[], float],
        lease_s: float,
        lasts_s: float,
        timeout_s: float,
        promises: Sequence[Promise] = (),
        used: int = 0,
        most: int = sys.maxsize,
    ) -> None:
        self._attempt = attempt
        self._custodian = custodian
        self._ledger = ledger
        self._new_id = new_id
        self._clock = clock
        self._lease_s = lease_s
        self._lasts_s = lasts_s
        self._timeout_s = timeout_s
        self._promises = [*promises]
        self._promised = sum(promise.amount_bytes for promise in promises)
        self._used = used
        self._most = most
        self._step = FIRST_STEP_BYTES
        self._told_at = clock()

    @property
    def attempt(self) -> Attempt:
        """The upload itself."""
        return self._attempt

    @property
    def promises(self) -> tuple[Promise, ...]:
        """Everything that was promised."""
        return tuple(self._promises)

    async def take(self, size: int) -> None:
        """Make sure of room for so many bytes more.

        Raises:
            NoRoom: The plan has none.
            UploadLost: The upload was given up.
        """
        self._used += size
        if self._used > self._promised:
            await self._reserve(self._used - self._promised)
        elif self._clock() - self._told_at > self._lease_s / 3:
            await self._tell(None)

    async def _reserve(self, needed: int) -> None:
        wished = max(needed, min(self._step, self._most - self._promised))
        for amount in _amounts(wished, needed):
            if await self._is_promised(amount):
                self._promised += amount
                self._step = min(2 * amount, LAST_STEP_BYTES)
                return
        raise NoRoom(needed)

    async def _is_promised(self, amount: int) -> bool:
        promise = Promise(self._new_id(), amount)
        await self._tell(promise.reservation_id)
        verdict = await self._ledger.ask(
            Reserve(
                id=promise.reservation_id,
                tenant_id=self._attempt.tenant_id,
                resource="storage",
                amount=amount,
                ttl_s=self._lasts_s,
            ),
            timeout_s=self._timeout_s,
        )
        if verdict is Verdict.OK:
            self._promises.append(promise)
        return verdict is Verdict.OK

    async def _tell(self, reservation_id: str | None) -> None:
        is_held = await self._custodian.ask(
            ExtendUpload(
                attempt=self._attempt, reservation_id=reservation_id, lease_s=self._lease_s
            ),
            timeout_s=self._timeout_s,
        )
        if not is_held:
            raise UploadLost(LOST)
        self._told_at = self._clock()


def _amounts(wished: int, needed: int) -> Iterator[int]:
    """What to ask for: all that is wished for, half of it and so on, at last what is needed."""
    while wished > needed:
        yield wished
        wished //= 2
    yield needed
