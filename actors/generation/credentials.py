"""The credentials that calls are made with, and how fast each may go.

A refusal counts against the key that was refused: whoever pauses says with which one it called.
Owns the pace of a credential on this daemon: its requests and tokens a minute, and the rest that a
provider asked for. How many calls are under way at once is the claim's to bound, for all daemons.
What was of no use for a minute is forgotten, so that tenants who come and go leave nothing behind.
"""

from collections.abc import Callable, Mapping

import msgspec
from aiolimiter import AsyncLimiter

from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.ports.generation import CredentialBench
from engarde_daemon.ports.models import (
    FaultKind,
    LanguageModel,
    ModelFault,
    ModelHouse,
    ProviderRules,
    Secret,
)
from engarde_daemon.ports.secrets import SealedKey, SecretBox

TRUST_S = 5.0
MINUTE_S = 60.0
REST_MAX_S = 120.0


class _Pace:
    """The rates of one credential, and until when it rests."""

    def __init__(self, rules: ProviderRules) -> None:
        self._requests = _limiter(rules.requests_per_min)
        self._tokens = _limiter(rules.tokens_per_min)
        self._admitting = 0
        self.used_at = 0.0
        self.rests_until = 0.0

    async def admit(self, count_tokens: Callable[[], int]) -> None:
        """Wait until one more request with so many tokens is within the rates."""
        self._admitting += 1
        try:
            if self._requests is not None:
                await self._requests.acquire()
            if self._tokens is not None:
                await self._tokens.acquire(min(count_tokens(), self._tokens.max_rate))
        finally:
            self._admitting -= 1

    def is_over(self, now: float) -> bool:
        """Whether it holds up nobody any more, and never will: its rates are whole again."""
        return not self._admitting and now > max(self.used_at + MINUTE_S, self.rests_until)


class Credentials:
    """Opens keys, and keeps each one's pace."""

    def __init__(
        self,
        *,
        bench: CredentialBench,
        box: SecretBox,
        house: ModelHouse,
        providers: Mapping[str, ProviderRules],
        clock: Callable[[], float],
    ) -> None:
        self._bench = bench
        self._box = box
        self._house = house
        self._providers = providers
        self._clock = clock
        self._paces: dict[tuple[str, str], _Pace] = {}
        self._known: dict[tuple[str, str], tuple[float, SealedKey]] = {}
        self._tidied_at = clock()

    def caps(self) -> dict[str, int]:
        """How many calls each provider's credentials may have under way."""
        return {name: rules.concurrency for name, rules in self._providers.items()}

    def resting(self) -> list[str]:
        """The credentials that must not be used just now, as a claim names them."""
        now = self._clock()
        return [" ".join(key) for key, pace in self._paces.items() if pace.rests_until > now]

    async def key_of(self, tenant_id: str, provider: str) -> SealedKey:
        """The tenant's key, as it was at most `TRUST_S` ago.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        place, now = (tenant_id, provider), self._clock()
        known = self._known.get(place)
        if known is None or known[0] < now:
            self._tidy(now)
            key = await self._bench.key(tenant_id, provider)
            known = self._known[place] = (now + TRUST_S, key)
        return known[1]

    def secret_of(self, key: SealedKey) -> Secret | None:
        """What the tenant has set, None where that is nothing.

        Raises:
            ModelFault: It cannot be opened.
        """
        if key.sealed is None:
            return None
        try:
            text = self._box.open(key.sealed, key.purpose)
        except Corrupt as error:
            raise ModelFault(FaultKind.LOCKED, error.detail) from error
        return msgspec.json.decode(text, type=Secret)

    def model_of(self, key: SealedKey) -> LanguageModel:
        """The model, with the tenant's own key where there is one.

        Raises:
            ModelFault: The provider is not configured any more, or there is no good key for it.
        """
        return self._house.model_of(key.provider, self.secret_of(key))

    async def admit(self, tenant_id: str, provider: str, count_tokens: Callable[[], int]) -> None:
        """Wait until the rates of a credential allow one more call."""
        pace = self._pace(tenant_id, provider)
        try:
            await pace.admit(count_tokens)
        finally:
            pace.used_at = self._clock()

    def rest(self, tenant_id: str, provider: str, for_s: float) -> None:
        """Leave a credential alone for a while, however long its provider asked for."""
        pace = self._pace(tenant_id, provider)
        pace.rests_until = max(pace.rests_until, self._clock() + min(for_s, REST_MAX_S))

    async def pause(self, key: SealedKey, reason: str) -> None:
        """Use a key no more; one that was set after it is not touched.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        self._known.pop((key.tenant_id, key.provider), None)
        await self._bench.pause(key, reason)

    def _pace(self, tenant_id: str, provider: str) -> _Pace:
        key = (tenant_id, provider)
        if key not in self._paces:
            self._paces[key] = _Pace(self._providers[provider])
        return self._paces[key]

    def _tidy(self, now: float) -> None:
        if now < self._tidied_at + MINUTE_S:
            return
        self._tidied_at = now
        self._known = {key: known for key, known in self._known.items() if known[0] >= now}
        self._paces = {key: pace for key, pace in self._paces.items() if not pace.is_over(now)}


def _limiter(per_min: int) -> AsyncLimiter | None:
    return AsyncLimiter(per_min, MINUTE_S) if per_min else None
