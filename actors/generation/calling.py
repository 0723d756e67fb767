"""From a claimed item to the step that its call is.

Owns the one layer of retry there is: what a fault means, how long to wait after it, and when to
give an item up. Nothing here calls twice; an item goes back and is claimed again.
"""

from collections.abc import Callable

from actors.backoff import Backoff
from actors.generation.bulletin import Bulletin
from actors.generation.credentials import Credentials
from actors.generation.outcomes import GIVEN_UP, Payments, ask_for, given_up
from engarde_daemon.domain.estimates import tokens_of
from engarde_daemon.domain.generation import Failure
from engarde_daemon.ports.generation import Claim, Step, given_back
from engarde_daemon.ports.models import Ask, FaultKind, Hear, ModelFault
from engarde_daemon.ports.secrets import SealedKey

ATTEMPTS_MAX = 10
BROKEN_MAX = 4
"""A call that broke off may have been charged: it is repeated less often than one that was not."""
BACKOFF = Backoff(first_s=0.5, longest_s=60.0)
PAUSED_S = 1.0


class Caller:
    """Asks models."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        payments: Payments,
        bulletin: Bulletin,
        random: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._payments = payments
        self._bulletin = bulletin
        self._random = random

    async def call(self, claim: Claim) -> Step:
        """Ask for one piece and say what became of it.

        Raises:
            Unavailable: PostgreSQL does not answer; the claim comes back with its lease.
        """
        ask, provider = ask_for(claim), claim.spec.provider
        key = await self._credentials.key_of(claim.tenant_id, provider)
        try:
            model = self._credentials.model_of(key)
            await self._credentials.admit(claim.tenant_id, provider, lambda: _tokens(ask))
            reply = await model.write(ask, self._hearing(claim))
        except ModelFault as fault:
            return await self._after(claim, key, fault)
        return await self._payments.step(claim, reply)

    def _hearing(self, claim: Claim) -> Hear | None:
        """Who hears an answer as it comes: whoever follows a job of a single item."""
        if claim.spec.target_count > 1 or not self._bulletin.is_followed(claim.job_id):
            return None
        return lambda word: self._bulletin.say(claim.job_id, word)

    async def _after(self, claim: Claim, key: SealedKey, fault: ModelFault) -> Step:
        """What follows from a call without an answer."""
        provider = claim.spec.provider
        if fault.kind is FaultKind.LOCKED:
            await self._credentials.pause(key, fault.detail)
            return given_back(claim, wait_s=PAUSED_S, burn=False)
        if fault.kind in GIVEN_UP:
            return await self._payments.given_up(claim, fault)
        is_broken = fault.kind is FaultKind.BROKEN
        if claim.attempts >= (BROKEN_MAX if is_broken else ATTEMPTS_MAX):
            tried = f"It was tried {claim.attempts} times; at last: {fault.detail}"
            return given_up(claim, Failure.UNREACHABLE, tried)
        wait_s = fault.after_s
        if wait_s is None:
            wait_s = BACKOFF.wait_s(claim.attempts, self._random())
        if fault.kind is FaultKind.BUSY:
            self._credentials.rest(claim.tenant_id, provider, wait_s)
        return given_back(claim, wait_s=min(wait_s, BACKOFF.longest_s), burn=True, unsure=is_broken)


def _tokens(ask: Ask) -> int:
    return tokens_of(ask.prompt.system) + tokens_of(ask.prompt.user) + ask.max_tokens
