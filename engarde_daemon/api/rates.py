"""How many requests a caller and its tenant may send.

Owns the rule of a rate (GCRA): a minute's worth at once, then evenly spread. The state of a key is
one moment, the one at which all its past requests are paid for. Both rates are asked before either
is charged, so that a request refused for its tenant costs its caller nothing.

Headers follow draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
from collections import OrderedDict
from collections.abc import Callable

from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.errors import RateLimited

WINDOW_S = 60.0
KEYS_MAX = 20_000

Headers = list[tuple[bytes, bytes]]


class Rate:
    """One rate for many keys; beyond `KEYS_MAX` the key used longest ago starts afresh."""

    def __init__(self, name: str, per_min: int) -> None:
        self.name = name
        self.per_min = per_min
        self._spacing_s = WINDOW_S / per_min
        self._paid_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """How long until one more request would be within the rate."""
        return max(0.0, self._paid(key, now) + self._spacing_s - now - WINDOW_S)

    def charge(self, key: str, now: float) -> None:
        """Count one request."""
        self._paid_at[key] = self._paid(key, now) + self._spacing_s
        self._paid_at.move_to_end(key)
        if len(self._paid_at) > KEYS_MAX:
            self._paid_at.popitem(last=False)

    def remaining(self, key: str, now: float) -> int:
        """How many requests would pass now."""
        return int((now + WINDOW_S - self._paid(key, now)) / self._spacing_s + 1e-9)

    def reset_s(self, key: str, now: float) -> float:
        """How long until the whole rate is there again."""
        return self._paid(key, now) - now

    def _paid(self, key: str, now: float) -> float:
        return max(self._paid_at.get(key, now), now)


class Rates:
    """The rates that are configured; 0 requests a minute stands for no limit."""

    def __init__(self, *, per_principal: int, per_tenant: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rates: list[tuple[Rate, Callable[[Principal], str]]] = []
        self.adopt(per_principal=per_principal, per_tenant=per_tenant)

    def adopt(self, *, per_principal: int, per_tenant: int) -> None:
        """Allow this much from now on; a rate that stays as it is remembers who used it."""
        kept = {(rate.name, rate.per_min): rate for rate, _ in self._rates}
        wanted = (
            ("principal", per_principal, _principal_key),
            ("tenant", per_tenant, _tenant_key),
        )
        self._rates = [
            (kept.get((name, per_min)) or Rate(name, per_min), key_of)
            for name, per_min, key_of in wanted
            if per_min
        ]

    def admit(self, principal: Principal) -> None:
        """Count a request.

        Raises:
            RateLimited: A rate is used up; nothing was counted.
        """
        if not self._rates:
            return
        now = self._clock()
        keyed = [(rate, key_of(principal)) for rate, key_of in self._rates]
        waits = [(rate.wait_s(key, now), rate) for rate, key in keyed]
        wait_s, slowest = max(waits, key=lambda wait: wait[0])
        if wait_s > 0:
            raise RateLimited(
                f"{slowest.per_min} requests a minute are allowed to this {slowest.name}.",
                after_s=math.ceil(wait_s),
            )
        for rate, key in keyed:
            rate.charge(key, now)

    def headers(self, principal: Principal) -> Headers:
        """How the rates stand for a caller; nothing where there are none."""
        if not self._rates:
            return []
        now = self._clock()
        keyed = [(rate, key_of(principal)) for rate, key_of in self._rates]
        policies = (f'"{rate.name}";q={rate.per_min};w={WINDOW_S:g}' for rate, _ in keyed)
        states = (
            f'"{rate.name}";r={rate.remaining(key, now)};t={math.ceil(rate.reset_s(key, now))}'
            for rate, key in keyed
        )
        return [
            (b"ratelimit-policy", ", ".join(policies).encode()),
            (b"ratelimit", ", ".join(states).encode()),
        ]


def _principal_key(principal: Principal) -> str:
    return f"{principal.tenant_id}/{principal.key_id}"


def _tenant_key(principal: Principal) -> str:
    return principal.tenant_id
