"""What the daemon needs of language models."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.estimates import Price
from engarde_daemon.domain.generation import Mode, Usage
from engarde_daemon.domain.outside_text import one_line
from engarde_daemon.domain.prompts import Prompt

DETAIL_CHARACTERS = 400


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model."""

    model: str
    prompt: Prompt
    max_tokens: int
    temperature: float | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered, and what the provider counted for it; None where it did not say."""

    text: str
    usage: Usage | None
    model: str = ""
    is_cut_off: bool = False


class FaultKind(StrEnum):
    """What there is to do about a call that gave no answer."""

    REFUSED = "refused"
    """The model declines; asking again would only cost again."""
    REJECTED = "rejected"
    """The request is wrong and will stay so."""
    LOCKED = "locked"
    """The key is bad or its credit is used up: nothing works until somebody changes that."""
    BUSY = "busy"
    """Too much at the moment; nothing was charged."""
    BROKEN = "broken"
    """The answer broke off or never came: nobody knows whether it was charged."""


class ModelFault(Exception):
    """A call gave no answer; `detail` may be shown to the tenant and holds no secret.

    It is made fit to be shown here, since a provider may have written it. A refusal may have been charged all the same: `usage` says for how much.
    """

    def __init__(
        self,
        kind: FaultKind,
        detail: str,
        *,
        after_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.detail = one_line(detail, DETAIL_CHARACTERS)
        super().__init__(self.detail)
        self.kind = kind
        self.after_s = after_s
        self.usage = usage


Hear = Callable[[str], None]
"""Told each part of an answer as it comes."""


class LanguageModel(Protocol):
    """One provider, with whatever key it needs."""

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """Answer one question; never repeats a call by itself.

        Raises:
            ModelFault: There is no answer.
        """


class Secret(msgspec.Struct, frozen=True):
    """A tenant's key for a provider; its representation does not show it."""

    api_key: str
    base_url: str | None = None

    def __repr__(self) -> str:
        """Keep the key out of logs and tracebacks."""
        return "Secret()"


class ProviderRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator set for a provider; a rate of 0 is none."""

    kind: str
    needs_key: bool
    concurrency: int
    requests_per_min: int
    tokens_per_min: int


class ModelHouse(Protocol):
    """Knows every provider that is configured."""

    def model_of(self, provider: str, secret: Secret | None) -> LanguageModel:
        """The model behind a provider's name.

        Raises:
            ModelFault: There is no such provider, or it needs a key and there is none.
        """

    async def try_key(self, provider: str, secret: Secret) -> None:
        """Ask a provider for what costs nothing, to see whether it takes the key.

        Raises:
            ModelFault: It does not, or does not say.
        """

    async def close(self) -> None:
        """Close all connections."""


class PriceList(Protocol):
    """What providers charge."""

    async def price(self, kind: str, model: str, mode: Mode = Mode.DIRECT) -> Price | None:
        """The price of a model, None where nobody knows it."""


Sign = Callable[[str], bytes]
"""Makes the signature of a text, which resembles those of texts that say nearly the same."""
