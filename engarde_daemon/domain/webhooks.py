"""How a webhook is signed and when it is tried again, after the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

Owns the form of a signing secret, `whsec_` and base64, and the schedule of attempts.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engarde_daemon.domain.access import Randomness

JITTER = 0.1

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def draw_secret(randomness: Randomness) -> str:
    """Make a signing secret nobody can guess."""
    return _PREFIX + base64.b64encode(randomness(_SECRET_BYTES)).decode()


def headers_of(
    message_id: str, body: bytes, *, at: int, secrets: Sequence[str]
) -> Mapping[str, str]:
    """The headers that prove a message: a signature by each secret that is good at present."""
    signed = b"%b.%d.%b" % (message_id.encode(), at, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


class Schedule(msgspec.Struct, frozen=True):
    """How long to wait after each failed attempt, in seconds; after the last there is none."""

    delays_s: tuple[int, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Schedule":
        """Read delays such as `5s`, `5m` and `2h`."""
        return cls(tuple(int(text[:-1]) * _UNITS_S[text[-1]] for text in texts))

    @property
    def attempts_max(self) -> int:
        """How often a delivery is tried in all."""
        return len(self.delays_s) + 1

    def delay_s(self, attempt: int, chance: float) -> float | None:
        """How long to wait after the `attempt`-th one failed, or None to give up.

        `chance` is drawn evenly from [0, 1), so that retries of many do not come at once.
        """
        if attempt > len(self.delays_s):
            return None
        return self.delays_s[attempt - 1] * (1 + JITTER * chance)
